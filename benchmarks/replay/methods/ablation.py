"""captum's FeatureAblation over a mask of components.

`LayerFeatureAblation` ablates a layer's output by slicing it and is wrong on the tuples of transformer layers, so the
features here are the lesions themselves: a row of ones, one per lesion, which a forward function turns into hooks.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.replay.edits import Positions, edits_of
from benchmarks.replay.methods.method import UnavailableError, everything
from benchmarks.replay.methods.plain import hook_all
from benchmarks.replay.workload import Workload, answer_logprob
from causalablate.models.batch import Batch


class FeatureAblationOverMask:
    """`captum.attr.FeatureAblation`, one feature per lesion, one full forward per feature."""

    name = "captum"
    note = "FeatureAblation over a mask of lesions, applied by hooks in the forward function"
    together, whole, uniform, spare = True, False, True, 1

    def __init__(self, workload: Workload) -> None:
        try:
            from captum.attr import FeatureAblation
        except ImportError:
            raise UnavailableError("not installed") from None
        self._ablation: Any = FeatureAblation
        self._workload, self._batches = workload, workload.batches()
        self._positions = [Positions(batch.token_groups) for batch in self._batches]
        self._edits = [edits_of(workload, lesion) for lesion in workload.lesions]

    def covers(self) -> Sequence[int]:
        """All of them."""
        return everything(self._workload)

    def begin(self, chosen: Sequence[int]) -> None:
        """Nothing: captum runs the model without a lesion itself."""

    @torch.inference_mode()
    def effects(self, chosen: Sequence[int]) -> np.ndarray:
        """Minus the attribution: captum reports how much is lost, effects are counterfactual - factual."""
        blocks = []
        for batch, positions in zip(self._batches, self._positions, strict=True):
            ablation = self._ablation(lambda mask, b=batch, p=positions: self._outcomes(mask, chosen, b, p))
            on = torch.ones(len(batch.keys), len(chosen))
            blocks.append(-ablation.attribute(on, baselines=0.0).double().numpy())
        return np.concatenate(blocks).T

    def end(self) -> None:
        """Nothing is kept."""

    def _outcomes(self, mask: Tensor, chosen: Sequence[int], batch: Batch, positions: Positions) -> Tensor:
        model = self._workload.model
        # One feature at a time is taken from all rows, so a feature is off in all of them or in none.
        off = [i for column, i in enumerate(chosen) if not mask[:, column].any()]
        handles = hook_all(model.module, [edit for i in off for edit in self._edits[i]], positions)
        try:
            readout = model.read(model.module(**batch.inputs))
        finally:
            for handle in handles:
                handle.remove()
        return torch.from_numpy(answer_logprob(readout, batch.answers))
