"""The plain loop: one full forward per lesion and batch, with a torch hook at each lesioned site."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from benchmarks.replay.edits import Positions, SiteEdit, edits_of, mask_of
from benchmarks.replay.methods.method import everything
from benchmarks.replay.workload import Workload, answer_logprob


class PlainLoop:
    """What a researcher writes first, at its best: inference mode, logits at the last position only."""

    name = "plain loop"
    note = "one full forward per lesion, a torch hook at the site"
    together, whole, uniform, spare = False, False, True, 0

    def __init__(self, workload: Workload) -> None:
        self._workload, self._batches = workload, workload.batches()
        self._positions = [Positions(batch.token_groups) for batch in self._batches]
        self._edits = [edits_of(workload, lesion) for lesion in workload.lesions]

    def covers(self) -> Sequence[int]:
        """All of them."""
        return everything(self._workload)

    def begin(self, chosen: Sequence[int]) -> None:
        """The factual run."""
        self._factual = self._outcomes([])

    def effects(self, chosen: Sequence[int]) -> np.ndarray:
        """One full forward per lesion and batch."""
        return np.stack([self._outcomes(self._edits[i]) - self._factual for i in chosen])

    def end(self) -> None:
        """Nothing is kept."""

    @torch.inference_mode()
    def _outcomes(self, edits: Sequence[SiteEdit]) -> np.ndarray:
        model, values = self._workload.model, []
        for batch, positions in zip(self._batches, self._positions, strict=True):
            handles = hook_all(model.module, edits, positions)
            try:
                values.append(answer_logprob(model.read(model.module(**batch.inputs)), batch.answers))
            finally:
                for handle in handles:
                    handle.remove()
        return np.concatenate(values)


def hook_all(root: nn.Module, edits: Sequence[SiteEdit], positions: Positions) -> list[RemovableHandle]:
    """Register the hooks of a lesion for one forward."""
    return [_hook(root.get_submodule(edit.site.module), edit, positions) for edit in edits]


def _hook(module: nn.Module, edit: SiteEdit, positions: Positions) -> RemovableHandle:
    calls = itertools.count()

    def changed(x: Tensor) -> Tensor:
        return edit.changed(x, next(calls), positions)

    def on_input(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            return (changed(args[0]), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": changed(kwargs["hidden_states"])}

    def on_mask(inner: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x = args[0] if args else kwargs["hidden_states"]
        return args, {**kwargs, "attention_mask": changed(mask_of(inner, x, kwargs))}

    def on_output(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        return with_first(output, changed(first(output)))

    def on_delta(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        start = args[0] if args else kwargs["hidden_states"]
        return with_first(output, start + changed(first(output) - start))

    match edit.site.at:
        case "input":
            return module.register_forward_pre_hook(on_input, with_kwargs=True)
        case "attention_mask":
            return module.register_forward_pre_hook(on_mask, with_kwargs=True)
        case "output":
            return module.register_forward_hook(on_output, with_kwargs=True)
        case "delta":
            return module.register_forward_hook(on_delta, with_kwargs=True)


def first(output: Any) -> Tensor:
    """The tensor that a module returns, alone or in front."""
    return output if isinstance(output, Tensor) else output[0]


def with_first(output: Any, new: Tensor) -> Any:
    """The module's output with another tensor in front."""
    return new if isinstance(output, Tensor) else (new, *output[1:])
