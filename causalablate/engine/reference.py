"""Statistics of activations over a named reference set: means, spreads and donors, captured once and kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.engine.hooks import Edit, Place, hooked
from causalablate.errors import LesionError


class Batch(Protocol):
    """One batch of the reference set, ready for the model."""

    @property
    def inputs(self) -> dict[str, Any]:
        """Keyword arguments of the forward pass."""
        ...

    @property
    def token_groups(self) -> Mapping[str, Tensor]:
        """Bool masks over positions; `all` is every position but padding."""
        ...


@dataclass
class SiteStatistics:
    """Running statistics of one component at one call of its module."""

    total: Tensor | None = None
    count: Tensor | None = None
    squares: float = 0.0
    plain: float = 0.0
    n_numbers: float = 0.0
    rows: list[Tensor] = field(default_factory=list)

    def add(self, x: Tensor, valid: Tensor | None, keep_rows: bool) -> None:
        """Take in a batch, shape (rows, ...); `valid` (rows, length) marks real positions."""
        weight = torch.ones(x.shape[:2]) if valid is None else valid.float()
        weight = weight.reshape(weight.shape + (1,) * (x.ndim - weight.ndim)).to(torch.float64)
        wide = x.to("cpu", torch.float64) * weight
        if self.total is not None and self.total.shape != wide.shape[1:]:
            raise LesionError(
                f"the reference set gives activations of shapes {tuple(self.total.shape)} and {tuple(wide.shape[1:])}; "
                "use a reference set of one length"
            )
        total, count = wide.sum(0), weight.sum(0)
        self.total = total if self.total is None else self.total + total
        self.count = count if self.count is None else self.count + count
        self.plain += float(wide.sum())
        self.squares += float((wide * wide).sum())
        self.n_numbers += float(weight.expand_as(wide).sum())
        if keep_rows:
            self.rows.append(x.to("cpu").clone())

    def mean(self, axes: str) -> Tensor:
        """Mean over examples, shape (1, ...); `positions` also averages over positions (of images: height, width)."""
        assert self.total is not None and self.count is not None
        dims = (1, 2) if self.total.ndim == 3 else (0,)
        count = self.count.expand_as(self.total)
        everywhere = (self.total.sum(dims, keepdim=True) / count.sum(dims, keepdim=True)).expand_as(self.total)
        # A position that is padding in every reference example has no mean of its own.
        mean = everywhere if axes == "positions" else torch.where(count > 0, self.total / count, everywhere)
        return mean.unsqueeze(0).float()

    def std(self) -> Tensor:
        """Standard deviation over all examples, positions and features, a scalar."""
        variance = self.squares / self.n_numbers - (self.plain / self.n_numbers) ** 2
        return torch.tensor(max(variance, 0.0) ** 0.5)


@dataclass
class Statistics:
    """What is known of one component: statistics per site and call."""

    calls: dict[tuple[Site, int], SiteStatistics] = field(default_factory=dict)
    has_rows: bool = False


def capture(
    root: nn.Module, batches: Iterable[Batch], components: Sequence[Component], *, keep_rows: bool
) -> dict[str, Statistics]:
    """Run the reference set once, and take the statistics of every component.

    Args:
        root: The whole model, frozen by the caller.
        batches: The reference set.
        components: Which components.
        keep_rows: Also keep every activation, for resampling.
    """
    statistics = {c.address: Statistics(has_rows=keep_rows) for c in components}
    current: list[Batch] = []

    def recorder(here: list[tuple[str, Site]]) -> Edit:
        def record(x: Tensor, call: int, _: tuple[Any, ...]) -> Tensor:
            for address, site in here:
                valid = current[-1].token_groups["all"].cpu() if site.tokens else None
                known = statistics[address].calls.setdefault((site, call), SiteStatistics())
                known.add(site.part(x), valid, keep_rows)
            return x

        return record

    places: dict[Place, list[tuple[str, Site]]] = {}
    for component in components:
        for site in component.sites:
            places.setdefault(site.place, []).append((component.address, site))
    edits = {place: recorder(here) for place, here in places.items()}
    with hooked(root, edits, begin=lambda args, kwargs: None):
        for batch in batches:
            current.append(batch)
            root(**batch.inputs)
    return statistics
