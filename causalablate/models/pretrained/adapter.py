"""Feeds and reads a model that answers a prompt: the first token of its answer, at the prompt's last position."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import ComponentMap
from causalablate.engine.tail import Tail
from causalablate.examples import Example
from causalablate.models.adapter import Readout
from causalablate.models.pretrained.anatomy import Anatomy, components
from causalablate.models.pretrained.inputs import (
    Complete,
    Prompt,
    first_tokens,
    positions,
    render,
    tokenizer_of,
    tokens_and_pixels,
    unchanged,
)


@dataclass(frozen=True)
class PretrainedAdapter:
    """A family of models with a language model at the end, and one checkpoint's processor.

    Attributes:
        anatomy: The parts of the module.
        processor: Of the checkpoint: tokenizer and image processor.
        prompt: Text of a question where the processor has no chat template.
        positions: Whether the forward is told by `position_ids` where each token stands.
        first_position: Where the first token stands.
        ending: What the processor itself puts behind the prompt.
        complete: What the processor's output lacks.
        modes: None: there is one way to answer.
    """

    anatomy: Anatomy
    processor: Any
    prompt: Prompt
    positions: bool = True
    first_position: int = 0
    ending: str = ""
    complete: Complete = unchanged
    modes: tuple[str, ...] = ()

    def components(self, module: nn.Module) -> ComponentMap:
        """Every component of the model."""
        return components(self.anatomy, module)

    def texts(self, module: nn.Module, examples: Sequence[Example]) -> list[str]:
        """The prompt of each example, image placeholders not yet repeated."""
        sees = self.anatomy.image_token is not None
        return [render(self.processor, self.prompt, e, len(e.images) if sees else 0) for e in examples]

    def encode(self, module: nn.Module, examples: Sequence[Example]) -> dict[str, Any]:
        """Prompts and images, padded so that a row's outcome does not depend on the rows beside it."""
        inputs = self.complete(module, tokens_and_pixels(self.processor, self.texts(module, examples), examples))
        takes = inspect.signature(module.forward).parameters
        anything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in takes.values())
        inputs = {name: x for name, x in inputs.items() if (name in takes or anything) and name != "labels"}
        if self.positions and "position_ids" in takes:
            inputs["position_ids"] = positions(inputs["attention_mask"]) + self.first_position
        if "logits_to_keep" in takes:
            inputs["logits_to_keep"] = 1
        if "use_cache" in takes or anything:
            inputs["use_cache"] = False
        dtype = getattr(module, "dtype", torch.float32)
        floating = {name: x for name, x in inputs.items() if isinstance(x, Tensor) and x.is_floating_point()}
        return inputs | {name: x.to(dtype) for name, x in floating.items()}

    def alone(self, module: nn.Module, examples: Sequence[Example]) -> bool:
        """Whether these give the vision tower different numbers of rows."""
        anatomy = self.anatomy
        if anatomy.image_token is None:
            return False
        if anatomy.joined:
            return len(examples) > 1
        if anatomy.packed:
            return len({tuple(image.shape for image in example.images) for example in examples}) > 1
        return len({len(example.images) for example in examples}) > 1

    def answers(self, module: nn.Module, examples: Sequence[Example]) -> Tensor:
        """Id of the first token of each true answer as it follows its prompt, or as it stands first in a decoder."""
        if self.anatomy.decoder:
            return first_tokens(self.processor, [""] * len(examples), examples)
        texts = [text + self.ending for text in self.texts(module, examples)]
        return first_tokens(self.processor, texts, examples)

    def token_groups(self, module: nn.Module, inputs: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """Bool masks (rows, length): all but padding; image, image.0, image.1 ...; answer; question, which is the rest.

        `answer` is the prompt's last position: there the model begins to answer, unless it has a decoder for that.
        """
        anatomy, ids = self.anatomy, inputs["input_ids"]
        real = inputs["attention_mask"].bool()
        answer = torch.zeros_like(real)
        groups = {"all": real}
        if not anatomy.decoder:
            answer[:, -1] = True
            groups["answer"] = answer
        image = torch.zeros_like(real)
        if anatomy.image_token is not None:
            image = (ids == anatomy.image_token) & real
            groups["image"] = image
            number = (anatomy.images or _equal_shares(image))(inputs)
            several = int(number.max()) + 1
            groups |= {f"image.{i}": number == i for i in range(several) if several > 1}
        return {**groups, "question": real & ~image & ~answer}

    def read(self, output: Any) -> Readout:
        """The distribution over the first token of the answer."""
        return Readout({"answer": output.logits[:, -1].float().cpu()})

    def tails(self, module: nn.Module) -> tuple[Tail, ...]:
        """Of the language model the last position is read."""
        return self.anatomy.tails

    def vocabulary(self, module: nn.Module) -> Sequence[str]:
        """Tokens as the tokenizer writes them; ids that it does not know are `<id>`."""
        tokenizer = tokenizer_of(self.processor)
        n = module.get_output_embeddings().weight.shape[0]  # type: ignore[operator]
        known = tokenizer.convert_ids_to_tokens(list(range(min(n, len(tokenizer)))))
        return [token or f"<{i}>" for i, token in enumerate(known)] + [f"<{i}>" for i in range(len(known), n)]


def _equal_shares(image: Tensor) -> Callable[[Mapping[str, Any]], Tensor]:
    """Number of the image at each position, -1 elsewhere, where every image has as many positions."""

    def shares(inputs: Mapping[str, Any]) -> Tensor:
        pixels = inputs.get("pixel_values")
        n_images = 0 if pixels is None else pixels.shape[0] * (pixels.shape[1] if pixels.ndim == 5 else 1)
        each = int(image.sum()) // max(1, n_images)
        number = (image.long().cumsum(-1) - 1) // max(1, each)
        return torch.where(image, number, -1)

    return shares
