"""captum's FeatureAblation over a mask of components.

`LayerFeatureAblation` ablates a layer's output by slicing it and is wrong on the tuples of transformer layers, so the
features here are the lesions themselves: a row of ones, one per lesion, which a forward function turns into hooks.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from benchmarks.replay.edits import SiteEdit, edits_of
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
        self._edits = [edits_of(workload, lesion) for lesion in workload.lesions]

    def covers(self) -> Sequence[int]:
        """All of them."""
        return everything(self._workload)

    def begin(self) -> None:
        """Nothing: captum runs the model without a lesion itself."""

    @torch.inference_mode()
    def effects(self, chosen: Sequence[int]) -> np.ndarray:
        """Minus the attribution: captum reports how much is lost, effects are counterfactual - factual."""
        blocks = []
        for batch in self._batches:
            ablation = self._ablation(lambda mask, batch=batch: self._outcomes(mask, chosen, batch))
            on = torch.ones(len(batch.keys), len(chosen))
            blocks.append(-ablation.attribute(on, baselines=0.0).double().numpy())
        return np.concatenate(blocks).T

    def end(self) -> None:
        """Nothing is kept."""

    def _outcomes(self, mask: Tensor, chosen: Sequence[int], batch: Batch) -> Tensor:
        model = self._workload.model
        handles = self._hooks(model.module, mask, chosen, batch)
        try:
            readout = model.read(model.module(**batch.inputs))
        finally:
            for handle in handles:
                handle.remove()
        return torch.from_numpy(answer_logprob(readout, batch.answers))

    def _hooks(self, root: nn.Module, mask: Tensor, chosen: Sequence[int], batch: Batch) -> list[RemovableHandle]:
        """FeatureAblation takes one feature at a time from all rows, so a feature is off in all of them or in none."""
        edits: list[SiteEdit] = []
        for column, i in enumerate(chosen):
            if not mask[:, column].any():
                edits += self._edits[i]
        return hook_all(root, edits, batch)
