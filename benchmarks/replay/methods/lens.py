"""transformer-lens' bridge, on a copy: bridging renames a model's modules in place."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from benchmarks.replay.edits import Positions, SiteEdit, edits_of
from benchmarks.replay.methods.method import UnavailableError
from benchmarks.replay.workload import Workload, answer_logprob

Hook = tuple[str, Callable[..., Tensor]]


class LensBridge:
    """The decoder inside a copy of the model is bridged; lesions are hooks at `attn.hook_z` and `hook_mlp_out`.

    Its `start_at_layer` still runs the earlier blocks, so nothing is saved by it and it is not used.
    """

    name = "transformer-lens"
    note = "TransformerBridge, one full forward per lesion, hooks at attn.hook_z"
    together, whole, uniform, spare = False, False, True, 0

    def __init__(self, workload: Workload) -> None:
        try:
            from transformer_lens.model_bridge.sources import build_bridge_from_module
        except ImportError:
            raise UnavailableError("not installed") from None
        found = [path for path, m in workload.model.module.named_modules() if isinstance(m, LlamaForCausalLM)]
        if len(found) != 1:
            raise UnavailableError("its bridge knows no architecture inside this model")
        self._workload, self._path, self._batches = workload, found[0], workload.batches()
        self._positions = [Positions(batch.token_groups) for batch in self._batches]
        self._module = copy.deepcopy(workload.model.module)
        decoder = self._module.get_submodule(self._path)
        self._bridge: Any = build_bridge_from_module(decoder, "LlamaForCausalLM", hf_config=decoder.config)
        self._edits = [edits_of(workload, lesion) for lesion in workload.lesions]
        covered = len(self.covers())
        if not covered:
            raise UnavailableError("its bridge reaches none of these components")
        if covered < len(workload.lesions):
            self.note += f"; only the {covered} lesions inside the decoder, it has no bridge for the rest"

    def covers(self) -> Sequence[int]:
        """Lesions whose sites are all heads or MLPs of the decoder."""
        return [i for i, edits in enumerate(self._edits) if all(self._point(edit) is not None for edit in edits)]

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
        values = []
        for batch, positions in zip(self._batches, self._positions, strict=True):
            hooks = [self._hook(edit, positions) for edit in edits]
            with self._bridge.hooks(fwd_hooks=hooks):
                output = self._module(**batch.inputs)
            values.append(answer_logprob(self._workload.model.read(output), batch.answers))
        return np.concatenate(values)

    def _point(self, edit: SiteEdit) -> str | None:
        """The hook point of a site, e.g. `blocks.3.attn.hook_z`."""
        prefix = f"{self._path}.model.layers." if self._path else "model.layers."
        if not edit.site.module.startswith(prefix):
            return None
        layer, _, inner = edit.site.module.removeprefix(prefix).partition(".")
        points = {("self_attn.o_proj", "input"): "attn.hook_z", ("mlp", "output"): "hook_mlp_out"}
        point = points.get((inner, edit.site.at))
        return point and f"blocks.{layer}.{point}"

    def _hook(self, edit: SiteEdit, positions: Positions) -> Hook:
        """`hook_z` is (rows, length, heads, width); sites count the last two dimensions as one."""
        point, calls = self._point(edit), iter(range(10**9))
        assert point is not None

        def changed(x: Tensor, hook: Any) -> Tensor:
            flat = x.flatten(2)
            return edit.changed(flat, next(calls), positions).reshape(x.shape)

        return point, changed
