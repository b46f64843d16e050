"""Statistics of activations over a named reference set: means, spreads and donors, captured in one pass and kept."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.engine.groups import gathered, positions
from causalablate.engine.hooks import Edit, Place, hooked
from causalablate.engine.rows import Rows, RowStore
from causalablate.errors import LesionError


class Batch(Protocol):
    """One batch of the reference set, ready for the model."""

    @property
    def keys(self) -> Sequence[str]:
        """Example ids, one per row."""
        ...

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
    """Running sums over one component's activations at one call of its module, and the activations if they are kept.

    Sums are float64, on the device of the activations.

    Attributes:
        total: Sum over examples, shape of one activation.
        squares: Sum of squares over examples, shape of one activation.
        count: Number of examples at each position, broadcastable to the shape of one activation.
        rows: The activations themselves, for resampling.
        n_rows: Number of examples whose activations are kept.
        by_rank: Dimension 0 of an activation runs over the positions of a token group, wherever they are in a sequence.
        ragged: Batches differ in length, dimension 0 of an activation: sums are aligned at the end.
    """

    total: Tensor | None = None
    squares: Tensor | None = None
    count: Tensor | None = None
    rows: Rows | None = None
    n_rows: int = 0
    by_rank: bool = False
    ragged: bool = False
    _shape: torch.Size | None = None
    _answers: dict[str, Tensor] = field(default_factory=dict)

    def add(self, x: Tensor, valid: Tensor | None = None) -> None:
        """Take in a batch, shape (rows, ...); `valid` (rows, length) marks real positions.

        Raises:
            LesionError: Its activations differ from those of earlier batches in more than length.
        """
        if self.total is not None and self.total.shape != x.shape[1:]:
            if x.ndim < 3 or self.total.shape[1:] != x.shape[2:]:
                raise LesionError(
                    f"the reference set gives activations of shapes {tuple(self.total.shape)} and "
                    f"{tuple(x.shape[1:])}; use a reference set of one shape"
                )
            self.ragged = True
        wide = x.detach().to(torch.float64)
        if valid is None:
            count = torch.full((1,) * (wide.ndim - 1), len(x), dtype=torch.float64, device=wide.device)
        else:
            real = valid.to(wide.device).reshape(valid.shape + (1,) * (wide.ndim - valid.ndim))
            wide, count = wide.where(real, 0.0), real.sum(0).to(torch.float64)
        total, squares = wide.sum(0), wide.square().sum(0)
        if self.ragged and self.count is not None and self.total is not None:
            count = count.expand(len(total), *count.shape[1:])
            self.count = self.count.expand(len(self.total), *self.count.shape[1:])
        self.total = total if self.total is None else _sum(self.total, total)
        self.squares = squares if self.squares is None else _sum(self.squares, squares)
        self.count = count if self.count is None else _sum(self.count, count)

    def keep(self, x: Tensor, start: int, n: int, store: RowStore) -> None:
        """Keep the activations of `n` examples, the first of which is number `start`, shape (n or a multiple, ...).

        Raises:
            StorageError: They do not fit into memory, and the disk is full.
        """
        if len(x) % n:
            raise LesionError(
                f"{len(x)} activations for {n} examples: they do not belong to single examples; use another off"
            )
        each = x.reshape(n, -1, *x.shape[1:])
        if self.rows is None:
            self.rows, self._shape = store.reserve(each.shape[1:], x.dtype), each.shape[1:]
        if self._shape is not None and self._shape != each.shape[1:]:
            raise LesionError(
                f"the reference set gives activations of shapes {tuple(self._shape)} and {tuple(each.shape[1:])}, and "
                "a donor must fit; use a reference set of one length, or images of one size"
            )
        self.rows.put(start, each)
        self.n_rows += n

    def mean(self, axes: str) -> Tensor:
        """Mean over examples, float32, shape (1, ...).

        Computed once: do not write into it.

        Args:
            axes: `examples`, or `positions` to average also over positions (of images: height, width).
        """
        return self._once(axes, lambda: self._mean(axes))

    def std(self) -> Tensor:
        """Standard deviation over all examples, positions and features, float32, a scalar. Computed once."""
        return self._once("std", self._std)

    def donors(self, examples: Tensor) -> Tensor:
        """Activations of these examples of the reference set, shape (examples, ...), on the CPU."""
        assert self.rows is not None
        return self.rows.take(examples).flatten(0, 1)

    def _once(self, what: str, compute: Callable[[], Tensor]) -> Tensor:
        if what not in self._answers:
            with torch.inference_mode(False), torch.no_grad():  # A tensor of inference mode can have no gradients
                self._answers[what] = compute()
        return self._answers[what]

    def _mean(self, axes: str) -> Tensor:
        assert self.total is not None and self.count is not None
        if self.ragged and axes != "positions":
            raise LesionError(
                "the reference set gives activations of several lengths, so no position has a mean over examples; use "
                "a reference set of one length, or {kind: mean, axes: positions}"
            )
        dims = (1, 2) if self.total.ndim == 3 else (0,)
        count = self.count.expand_as(self.total)
        everywhere = (self.total.sum(dims, keepdim=True) / count.sum(dims, keepdim=True)).expand_as(self.total)
        # A position that is padding in every reference example has no mean of its own.
        mean = everywhere if axes == "positions" else torch.where(count > 0, self.total / count, everywhere)
        return mean.unsqueeze(0).to(torch.float32)

    def _std(self) -> Tensor:
        assert self.total is not None and self.squares is not None and self.count is not None
        n = self.count.expand_as(self.total).sum()
        variance = self.squares.sum() / n - (self.total.sum() / n).square()
        return variance.clamp(min=0.0).sqrt().to(torch.float32)


def _sum(x: Tensor, y: Tensor) -> Tensor:
    """The shorter one is added to the end of the longer one."""
    if x.shape == y.shape:
        return x + y
    length = max(len(x), len(y))
    return sum(torch.cat((t.new_zeros(length - len(t), *t.shape[1:]), t)) for t in (x, y))  # type: ignore[return-value]


def _rows(x: Tensor, site: Site, batch: Batch, known: SiteStatistics) -> tuple[Tensor, Tensor | None]:
    """What to take in of a batch, and where it is real."""
    if not site.tokens:
        return x, None
    real = batch.token_groups["all"]
    if site.group is None:
        return x, real
    where = positions(batch.token_groups, site.group) & real
    together = gathered(x, where) if known.total is None or known.by_rank else None
    if known.total is None:
        known.by_rank = together is not None
    if known.by_rank and together is None:
        raise LesionError(
            f'in the reference set some batches have equally many positions of "{site.group}" in all examples, others '
            "not; shuffle it, or use examples that have the same number"
        )
    return (x, where) if together is None else (together, None)


@dataclass
class Statistics:
    """What is known of one component: statistics per site and call."""

    calls: dict[tuple[Site, int], SiteStatistics] = field(default_factory=dict)
    has_rows: bool = False


def capture(
    root: nn.Module,
    batches: Iterable[Batch],
    components: Sequence[Component],
    *,
    donors: Collection[str],
    store: RowStore,
    done: Callable[[int], None] = lambda n: None,
) -> dict[str, Statistics]:
    """Run the reference set once, and take the statistics of every component.

    Args:
        root: The whole model, frozen by the caller.
        batches: The reference set, in order.
        components: Which components.
        donors: Addresses of those whose activations are also kept, for resampling.
        store: Where they are kept; closed if the pass fails.
        done: Called after each batch with its number of examples.
    Raises:
        LesionError: The activations of two batches have different shapes.
        StorageError: The activations do not fit into memory, and the disk is full.
    """
    statistics = {c.address: Statistics(has_rows=c.address in donors) for c in components}
    current: list[tuple[int, Batch]] = []

    def recorder(here: list[tuple[str, Site]]) -> Edit:
        def record(x: Tensor, call: int, _: tuple[Any, ...]) -> Tensor:
            start, batch = current[-1]
            for address, site in here:
                known = statistics[address].calls.setdefault((site, call), SiteStatistics())
                rows, valid = _rows(site.part(x), site, batch, known)
                known.add(rows.unflatten(0, (len(batch.keys), -1)) if site.packed else rows, valid)
                if address in donors:
                    known.keep(rows, start, len(batch.keys), store)
            return x

        return record

    places: dict[Place, list[tuple[str, Site]]] = {}
    for component in components:
        for site in component.sites:
            places.setdefault(site.place, []).append((component.address, site))
    edits = {place: recorder(here) for place, here in places.items()}
    try:
        with hooked(root, edits, begin=lambda args, kwargs: None):
            start = 0
            for batch in batches:
                current[:] = [(start, batch)]
                root(**batch.inputs)
                start += len(batch.keys)
                done(len(batch.keys))
    except BaseException:
        store.close()
        raise
    return statistics
