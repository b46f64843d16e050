"""Encoders without a language model: ViT, DINOv2, CLIP and SigLIP, bare, as classifiers, or zero-shot over labels."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from causalablate.component import ComponentMap
from causalablate.engine.tail import Tail
from causalablate.errors import CheckpointError, ExampleError, OutcomeError, nearest
from causalablate.examples import Example
from causalablate.models.adapter import Readout
from causalablate.models.family import LoadOptions
from causalablate.models.pretrained.anatomy import Anatomy, components
from causalablate.models.pretrained.loading import load_module, load_processor
from causalablate.models.pretrained.towers import Tower

Texts = Callable[[Any, Sequence[str], int], Mapping[str, Tensor]]
"""(tokenizer, labels, most tokens) -> `input_ids` and what goes with them, one row per label."""


@dataclass(frozen=True)
class Form:
    """One class of transformers.

    Attributes:
        auto: Name of the Auto class that loads it.
        towers: Address prefix of each tower, to the module path of its layers.
        answers: Where it says something about an example: the labels of its config, labels given by the user that its
            text tower reads, or nowhere.
    """

    auto: str
    towers: Mapping[str, str]
    answers: str | None = None


_CLASSIFIER = "AutoModelForImageClassification"
_BOTH = {"vision": "vision_model.encoder.layers", "text": "text_model.encoder.layers"}
FORMS: dict[str, Form] = {
    "ViTModel": Form("AutoModel", {"vision": "layers"}),
    "ViTForImageClassification": Form(_CLASSIFIER, {"vision": "vit.layers"}, "config"),
    "Dinov2Model": Form("AutoModel", {"vision": "encoder.layer"}),
    "Dinov2ForImageClassification": Form(_CLASSIFIER, {"vision": "dinov2.encoder.layer"}, "config"),
    "CLIPModel": Form("AutoModel", _BOTH, "labels"),
    "CLIPVisionModel": Form("AutoModel", {"vision": "encoder.layers"}),
    "CLIPForImageClassification": Form(_CLASSIFIER, {"vision": _BOTH["vision"]}, "config"),
    "SiglipModel": Form("AutoModel", _BOTH, "labels"),
    "SiglipVisionModel": Form("AutoModel", {"vision": "encoder.layers"}),
    "SiglipForImageClassification": Form(_CLASSIFIER, {"vision": _BOTH["vision"]}, "config"),
}
"""By class name, as `architectures` in config.json has it."""


@dataclass(frozen=True)
class Encoders:
    """Encoder-only checkpoints: implements `causalablate.models.family.Family`.

    Attributes:
        model_types: Values of `model_type` in config.json.
        out: Within a layer, the attention output projection.
        texts: What a text tower is given for labels; None where there is none.
        modes: None: there is one way to answer.
    """

    model_types: tuple[str, ...]
    out: str
    texts: Texts | None = None
    modes: tuple[str, ...] = ()

    def open(self, path: Path, mode: str | None, options: LoadOptions) -> tuple[nn.Module, "EncoderAdapter"]:
        """Read a checkpoint directory: weights, and image processor with tokenizer; `mode` is not used.

        Raises:
            CheckpointError: It is damaged or incomplete, of an unknown class, or takes no labels.
        """
        name = next(iter(json.loads((path / "config.json").read_text()).get("architectures") or ["none"]))
        if name not in FORMS:
            raise CheckpointError(
                f"{path}: its config.json names the class {name}{nearest(name, FORMS)}; encoders are read as "
                f"{', '.join(FORMS)}. For another: causalablate.wrap(module, components={{...}}, answers=...)"
            )
        form = FORMS[name]
        if options.labels and form.answers != "labels":
            raise CheckpointError(
                f"labels were given, but a {name} has no text tower to read them; leave them out, or give a CLIP or "
                "SigLIP checkpoint with both towers"
            )
        if options.labels and len(set(options.labels)) < max(2, len(options.labels)):
            raise CheckpointError(f"the labels are {', '.join(options.labels)}; give at least two, each once")
        module = load_module(path, form.auto, options)
        processor = load_processor(path, options)
        if options.labels:
            # Among the settings of the module, so that its hash tells what it answers with.
            module.config.zero_shot_labels = list(options.labels)  # type: ignore[union-attr]
        return module, EncoderAdapter(form, self.out, processor, tuple(options.labels), self.texts)


@dataclass(frozen=True)
class EncoderAdapter:
    """An encoder, and one checkpoint's processor.

    Attributes:
        form: Its class.
        out: Within a layer, the attention output projection.
        preprocessor: Of the checkpoint: image processor, and tokenizer where there is a text tower.
        labels: Texts among which a model with two towers chooses.
        texts: What the text tower is given for them.
        modes: None: there is one way to answer.
    """

    form: Form
    out: str
    preprocessor: Any
    labels: tuple[str, ...] = ()
    texts: Texts | None = None
    modes: tuple[str, ...] = ()

    def components(self, module: nn.Module) -> ComponentMap:
        """Layers, heads and MLPs of each tower."""
        return components(Anatomy(tuple(self._towers(module))), module)

    def _towers(self, module: nn.Module) -> Iterator[Tower]:
        for name, layers in self.form.towers.items():
            config: Any = getattr(module.config, f"{name}_config", module.config)
            heads = config.num_attention_heads
            width = config.hidden_size // heads
            yield Tower(name, layers, config.num_hidden_layers, heads, width, self.out, "mlp")

    def encode(self, module: nn.Module, examples: Sequence[Example]) -> dict[str, Any]:
        """Pixels, and for a text tower the labels once per example; the question is not read.

        The labels are repeated so that every row of both towers belongs to one example.

        Raises:
            ExampleError: An example has several images.
            OutcomeError: The model compares images with labels, and none were given.
        """
        if several := [e for e in examples if len(e.images) > 1]:
            raise ExampleError(
                f'example "{several[0].id}" has {len(several[0].images)} images, and a {type(module).__name__} looks '
                "at one; give examples of one image"
            )
        images = [Image.fromarray(example.images[0]) for example in examples]
        read = getattr(self.preprocessor, "image_processor", self.preprocessor)
        pixels = read(images=images, return_tensors="pt")["pixel_values"]
        inputs = {"pixel_values": pixels.to(getattr(module, "dtype", torch.float32))}
        if self.texts is None or self.form.answers != "labels":
            return inputs
        if not self.labels:
            raise OutcomeError(
                f"a {type(module).__name__} compares images with texts: give it some, "
                'load(path, labels=["a cat", "a dog"]) or --labels "a cat,a dog"'
            )
        config: Any = module.config
        texts = self.texts(self.preprocessor.tokenizer, self.labels, config.text_config.max_position_embeddings)
        return {**inputs, **{name: x.repeat(len(examples), 1) for name, x in texts.items()}}

    def alone(self, module: nn.Module, examples: Sequence[Example]) -> bool:
        """Image processors give every image the same size."""
        return False

    def answers(self, module: nn.Module, examples: Sequence[Example]) -> Tensor:
        """Number of each true label, shape (rows,); -1 for a model that does not answer.

        Raises:
            ExampleError: An answer is none of the labels.
        """
        labels = self.vocabulary(module)
        if not labels:
            return torch.full((len(examples),), -1)
        for example in examples:
            if example.answer not in labels:
                raise ExampleError(
                    f'example "{example.id}": the answer "{example.answer}" is none of the model\'s labels'
                    f"{nearest(example.answer, labels)}; they are {', '.join(labels[:8])}"
                    f"{', ...' if len(labels) > 8 else ''}"
                )
        return torch.tensor([labels.index(example.answer) for example in examples])

    def token_groups(self, module: nn.Module, inputs: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """None: there is no language model."""
        return {}

    def read(self, output: Any) -> Readout:
        """Logits over the labels.

        Raises:
            OutcomeError: The model gives features, not answers.
        """
        if self.form.answers == "config":
            return Readout({"answer": output.logits.float().cpu()})
        if self.form.answers is None:
            raise OutcomeError(
                "this checkpoint is a bare encoder: it gives features and no answers, so there are no outcomes. Its "
                "components, model.activations(...) and model.do(...) work; for outcomes give a checkpoint with a "
                "classifier, or wrap it with one: causalablate.wrap(...)"
            )
        every = output.logits_per_image  # of each image with the labels of all rows
        rows = torch.arange(len(every), device=every.device)
        return Readout({"answer": every.unflatten(1, (len(every), -1))[rows, rows].float().cpu()})

    def tails(self, module: nn.Module) -> tuple[Tail, ...]:
        """Nothing is known of what is read."""
        return ()

    def vocabulary(self, module: nn.Module) -> Sequence[str]:
        """The labels; none for a bare encoder."""
        if self.form.answers == "config":
            names: Mapping[int, str] = module.config.id2label  # type: ignore[assignment, union-attr]
            return [names[i] for i in range(len(names))]
        return self.labels


def _padded(tokenizer: Any, labels: Sequence[str], length: int) -> Mapping[str, Tensor]:
    """CLIP reads a text at its end-of-text token: what comes after makes no difference."""
    found = tokenizer(list(labels), padding=True, **_to_the_right(length))
    return {name: found[name] for name in ("input_ids", "attention_mask")}


def _full_length(tokenizer: Any, labels: Sequence[str], length: int) -> Mapping[str, Tensor]:
    """SigLIP reads a text at its last position, and was trained on texts padded to the full length, without a mask."""
    found = tokenizer(list(labels), padding="max_length", **_to_the_right(length))
    return {"input_ids": found["input_ids"]}


def _to_the_right(length: int) -> dict[str, Any]:
    return {"truncation": True, "max_length": length, "padding_side": "right", "return_tensors": "pt"}


VIT = Encoders(("vit",), "attention.o_proj")
DINOV2 = Encoders(("dinov2",), "attention.o_proj")
CLIP = Encoders(("clip", "clip_vision_model"), "self_attn.out_proj", _padded)
SIGLIP = Encoders(("siglip", "siglip_vision_model"), "self_attn.out_proj", _full_length)
