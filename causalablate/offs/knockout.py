"""Knockout: attention edges between token groups are cut."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from causalablate.component import Component
from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Knockout(Off):
    """Cut attention edges before the softmax; a token always keeps the edge to itself, so the softmax stays defined.

    Source: Geva et al. (2023), Dissecting Recall of Factual Associations, EMNLP (attention knockout).
    """

    kind: ClassVar[str] = "knockout"

    def refuses(self, component: Component) -> str | None:
        """Only attention edges can be knocked out."""
        return None if component.kind == "edge" else f"it is a {component.kind}, not an attention edge"

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The attention mask without the edges; True (or 0) still attends."""
        # A layer with a sliding window keeps the latest keys only.
        cut = context.edges()[..., -x.shape[-1] :].to(x.device)
        if x.dtype == torch.bool:
            return x & ~cut
        return x.masked_fill(cut, torch.finfo(x.dtype).min)
