"""Sequences that grow token by token against a key-value cache, with a lesion's hooks told what each forward is."""

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache, GenerationMixin

from causalablate.engine.passes import Passes
from causalablate.errors import LesionError

GENERATED = ("all", "answer")
"""Token groups of a generated position: it is no padding, and from it the next token of the answer is read."""

_CARRIED = ("attention_mask", "position_ids", "past_key_values", "use_cache", "logits_to_keep")
"""What a module without transformers' generation methods is given again in every forward."""


@dataclass
class Session:
    """A batch of sequences, read up to some position.

    Attributes:
        module: What reads the next token: the model, or a language model within it that has a head of its own.
        ids: All tokens so far, shape (rows, length).
        kwargs: Everything else that the next forward is given, the key-value cache among it.
        groups: Bool masks (rows, length) by token group.
        logits: Of the next token, float32, on the CPU, shape (rows, vocabulary).
    """

    module: nn.Module
    ids: Tensor
    kwargs: dict[str, Any]
    groups: Mapping[str, Tensor]
    logits: Tensor

    def copy(self) -> "Session":
        """A session that goes on by itself; tensors are shared where no forward writes into them."""
        cache = copy.deepcopy(self.kwargs["past_key_values"])
        return Session(self.module, self.ids, {**self.kwargs, "past_key_values": cache}, self.groups, self.logits)

    def extend(self, tokens: Tensor, passes: Passes, *, alive: Tensor, acting: bool) -> None:
        """Read one more token per row.

        Args:
            tokens: Shape (rows,).
            passes: The lesion.
            alive: Rows that still generate, bool, shape (rows,), on the CPU.
            acting: Whether the lesion acts on these positions.
        """
        self.ids = torch.cat((self.ids, tokens.to(self.ids.device)[:, None]), dim=1)
        new = {name: x.new_full((len(x), 1), name in GENERATED) for name, x in self.groups.items()}
        with passes.forward(new, self.groups, alive=alive, acting=acting):
            output = self.module(**_next_inputs(self.module, self.ids, self.kwargs))
        self.kwargs = _updated(self.module, output, self.kwargs)
        self.groups = {name: torch.cat((x, new[name]), dim=1) for name, x in self.groups.items()}
        self.logits = _last(output)


def prefill(
    module: nn.Module, inputs: Mapping[str, Any], groups: Mapping[str, Tensor], passes: Passes, *, acting: bool
) -> Session:
    """Read the prompts.

    Args:
        module: The whole model.
        inputs: Keyword arguments of its forward, padded on the left, on its device.
        groups: Bool masks (rows, length) by token group.
        passes: The lesion.
        acting: Whether the lesion acts on the prompt.
    Raises:
        LesionError: The model has no key-value cache to generate with.
    """
    check_generates(module)
    speaker, kwargs = _speaker(module), {**inputs, "use_cache": True}
    ids = kwargs.pop("input_ids")
    if speaker is not module:  # the whole model hands its keyword arguments on, and not the cache back
        kwargs["past_key_values"] = DynamicCache(config=speaker.config.get_text_config())  # type: ignore[union-attr, operator]
        given = {"input_ids": ids, **kwargs}
        kwargs = {name: x for name, x in kwargs.items() if name in _CARRIED}
    elif isinstance(module, GenerationMixin):
        if "position_ids" not in kwargs and "position_ids" in inspect.signature(module.forward).parameters:
            known = {**kwargs, "input_ids": ids}
            kwargs["position_ids"] = module._prepare_position_ids_for_generation(ids, known)
        given = module.prepare_inputs_for_generation(ids, is_first_iteration=True, **kwargs)
    else:
        given = {"input_ids": ids, **kwargs}
        kwargs = {name: x for name, x in kwargs.items() if name in _CARRIED}
    everybody = torch.ones(len(ids), dtype=torch.bool)
    with passes.forward(groups, {}, alive=everybody, acting=acting):
        output = module(**given)
    return Session(speaker, ids, _updated(speaker, output, kwargs), groups, _last(output))


def check_generates(module: nn.Module) -> None:
    """Refuse a model that cannot go on from a prompt.

    Raises:
        LesionError: It has no key-value cache, or encodes the prompt apart from the answer.
    """
    config = getattr(module, "config", None)
    if getattr(config, "is_encoder_decoder", False) or getattr(
        getattr(config, "text_config", None), "is_encoder_decoder", False
    ):
        raise LesionError(
            f"{type(module).__name__} is an encoder-decoder, and generation under a lesion goes on from one sequence; "
            "use counterfactuals(), or a decoder-only model"
        )
    if (
        not isinstance(module, GenerationMixin)
        and "past_key_values" not in inspect.signature(module.forward).parameters
    ):
        raise LesionError(
            f"{type(module).__name__} answers in one forward and generates no text: its forward takes no "
            "past_key_values. Use counterfactuals() for it"
        )


def _speaker(module: nn.Module) -> nn.Module:
    """BLIP-2 and its like hold a whole causal language model, head included, that generates for them."""
    inner = getattr(module, "language_model", None)
    return inner if isinstance(inner, GenerationMixin) and inner.get_output_embeddings() is not None else module


def _next_inputs(module: nn.Module, ids: Tensor, kwargs: dict[str, Any]) -> dict[str, Any]:
    if isinstance(module, GenerationMixin):
        return module.prepare_inputs_for_generation(ids, next_sequence_length=1, **kwargs)
    last = {"position_ids": kwargs["position_ids"][..., -1:]} if "position_ids" in kwargs else {}
    return {**kwargs, **last, "input_ids": ids[:, -1:]}


def _updated(module: nn.Module, output: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    if isinstance(module, GenerationMixin):
        return module._update_model_kwargs_for_generation(output, kwargs, is_encoder_decoder=False)
    kwargs = {**kwargs, "past_key_values": output.past_key_values}
    if (mask := kwargs.get("attention_mask")) is not None:
        kwargs["attention_mask"] = torch.cat((mask, mask.new_ones(len(mask), 1)), dim=1)
    if (places := kwargs.get("position_ids")) is not None:
        kwargs["position_ids"] = torch.cat((places, places[..., -1:] + 1), dim=-1)
    return kwargs


def _last(output: Any) -> Tensor:
    logits: Tensor = output.logits[:, -1]
    return logits.float().cpu()
