"""What a lesion does to a module's tensors, written without the engine: the baselines' own realisation.

A site is a module's input, output, what it adds to its input, or its attention mask; an edit gives the tensor that
takes its place. Means are values of the lesion, so they are read from the same reference set as everybody's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.replay.workload import Workload
from causalablate.component import Component, Site
from causalablate.intervention import Lesion


class Positions:
    """Where token groups are in one batch.

    Whether a mask is all true is looked up once: on a GPU every look waits for the device.
    """

    def __init__(self, groups: Mapping[str, Tensor]) -> None:
        self.groups = groups
        self._known: dict[str, Tensor | None] = {}

    def inside(self, group: str) -> Tensor | None:
        """Bool mask (rows, length) of a group's positions that are no padding; None if that is all of them."""
        if group not in self._known:
            mask = self.groups[group] & self.groups["all"]
            self._known[group] = None if mask.all() else mask
        return self._known[group]


@dataclass(frozen=True)
class SiteEdit:
    """One site that is off.

    Attributes:
        component: Whose site it is.
        site: The place.
        kind: `zero`, `mean` or `knockout`.
        workload: Where means come from.
    """

    component: Component
    site: Site
    kind: str
    workload: Workload

    def changed(self, x: Tensor, call: int, positions: Positions) -> Tensor:
        """The tensor in place of `x`, the whole activation at the site.

        Args:
            x: Shape (rows, ...), or an attention mask.
            call: Which call of the module in this forward.
            positions: Where token groups are.
        """
        if self.kind == "knockout":
            return self._cut(x, positions.groups)
        lo, hi = self.site.span or (0, x.shape[-1])
        part = x[..., lo:hi]
        value = torch.zeros_like(part) if self.kind == "zero" else self._mean(part, call)
        inside = positions.inside(self.site.group or "all") if self.site.tokens else None
        if inside is not None:
            value = torch.where(inside.reshape(inside.shape + (1,) * (part.ndim - 2)), value, part)
        if self.site.span is None:
            return value
        new = x.clone()
        new[..., lo:hi] = value
        return new

    def _mean(self, part: Tensor, call: int) -> Tensor:
        reference = self.workload.reference
        assert reference is not None
        return reference.mean(self.component, self.site, call, "examples").to(part).expand_as(part)

    def _cut(self, mask: Tensor, groups: Mapping[str, Tensor]) -> Tensor:
        assert self.site.group is not None and self.site.source is not None
        queries, keys = groups[self.site.group], groups[self.site.source]
        itself = torch.eye(queries.shape[1], dtype=torch.bool, device=queries.device)
        cut = (queries[:, :, None] & keys[:, None, :] & ~itself)[:, None]
        if mask.dtype == torch.bool:
            return mask & ~cut
        return mask.masked_fill(cut, torch.finfo(mask.dtype).min)


def edits_of(workload: Workload, lesion: Lesion) -> list[SiteEdit]:
    """Every site of a lesion, with the reference means captured where they are needed."""
    parts = lesion.resolve(workload.model.components)
    if workload.reference is not None:
        workload.reference.prepare(parts)
    return [SiteEdit(c, site, how.kind, workload) for c, how in parts for site in c.sites]


def mask_of(module: Any, inputs: Tensor, kwargs: Mapping[str, Any]) -> Tensor:
    """The attention mask that a module was given, or the one that it uses without being given any."""
    given = kwargs.get("attention_mask")
    if given is not None:
        return given
    rows, length = inputs.shape[:2]
    allowed = torch.ones(length, length, dtype=torch.bool, device=inputs.device)
    if getattr(module, "is_causal", False):
        allowed = allowed.tril()
    return allowed.expand(rows, 1, length, length)
