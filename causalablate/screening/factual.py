"""What an off may know at one site of the factual run: the context in which it says what it would change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from causalablate.component import Component, Site
from causalablate.engine import draws
from causalablate.engine.groups import positions, spread
from causalablate.errors import LesionError
from causalablate.models.reference import Reference
from causalablate.offs import Off
from causalablate.offs.base import World


@dataclass
class FactualSite:
    """`offs.Context` for one site of a component at one call, in the factual run of one batch.

    Draws come from the streams that a lesioned run uses, so that the change is the very change of the exact lesion.

    Attributes:
        component: Whose site.
        site: Where.
        site_call: Earlier calls of the site's module in this forward.
        call: How often the component acted earlier in this forward.
        inputs: Positional inputs of the module.
        how: How the component would be off.
        keys: Example ids, one per row.
        groups: Bool masks (rows, length) by token group.
        reference: Where means, spreads and donors come from.
        seed: Seed of every draw.
    """

    component: Component
    site: Site
    site_call: int
    call: int
    inputs: tuple[Any, ...]
    how: Off
    keys: Sequence[str]
    groups: Mapping[str, Tensor]
    reference: Reference | None
    seed: int

    def change(self, x: Tensor) -> Tensor:
        """off(x) - x for the site's slice of an activation, shape (rows, ...); zero outside the site's tokens."""
        old = self.site.part(x)
        # bfloat16 keeps 8 bits, too few for a difference of near numbers.
        wide = old.dtype if old.dtype == torch.float64 else torch.float32
        change = self.how.apply(old, self).to(wide) - old.to(wide)
        if not self.site.tokens:
            return change
        where = self._group(self.site.group or "all") & self._group("all")
        return torch.where(where.reshape(where.shape + (1,) * (old.ndim - 2)), change, torch.zeros_like(change))

    def reference_mean(self, axes: str) -> Tensor:
        """Mean activation over the reference set."""
        mean = self._statistics().mean(self.component, self.site, self.site_call, axes)
        return mean[:, :1] if axes == "positions" and self._by_rank() else self._placed(mean)

    def reference_std(self) -> Tensor:
        """Spread of the site over the reference set, a scalar."""
        return self._statistics().std(self.component, self.site, self.site_call)

    def donors(self, *, paired: bool = False, draw: int = 0) -> Tensor:
        """Activation of one donor per row."""
        known = self._statistics()
        return self._placed(
            known.donors(self.component, self.site, self.site_call, self.keys, self.seed, paired=paired, draw=draw)
        )

    def _by_rank(self) -> bool:
        return self._statistics().by_rank(self.component, self.site, self.site_call)

    def _placed(self, found: Tensor) -> Tensor:
        """Reference activations where the site's token group is."""
        where = self.positions()
        if where is None or not self._by_rank():
            return found
        return spread(found, where.to(found.device), str(self.site.group))

    @property
    def several_images(self) -> bool:
        """Whether an example of this batch has more than one image."""
        return "image.1" in self.groups

    def positions(self) -> Tensor | None:
        """Where the component is among the positions of a language model."""
        return self._group(self.site.group or "all") & self._group("all") if self.site.tokens else None

    def elsewhere(self, world: World) -> Tensor:
        """Refused: `unscreenable` turns away what reads other worlds."""
        raise LesionError(f"{self.component.address}={self.how} reads another world, which screening does not visit")

    def normal(self, shape: torch.Size, purpose: str = "noise") -> Tensor:
        """Standard normal draws, one stream per row and purpose."""
        real = self._group("all") if self.site.tokens else None
        if real is not None and real.shape != shape[:2]:
            real = None
        return draws.normal(shape, self.keys, purpose, *self._stream(), real=real)

    def permutations(self, n: int) -> Tensor:
        """A permutation of n items per row, shape (rows, n)."""
        return draws.permutations(n, self.keys, "shuffle", *self._stream())

    def output_of(self, address: str) -> Tensor:
        """Refused: `unscreenable` turns away what reads other components."""
        raise LesionError(f"{self.component.address}={self.how} reads {address}, which screening does not follow")

    def edges(self) -> Tensor:
        """Refused: `unscreenable` turns away attention edges."""
        raise LesionError(f"{self.component.address}={self.how} cuts attention edges, which have no gradient")

    def _statistics(self) -> Reference:
        assert self.reference is not None, "Replay.prepare() comes first"
        return self.reference

    def _stream(self) -> tuple[object, ...]:
        return self.seed, self.component.address, self.site.module, self.site_call

    def _group(self, name: str) -> Tensor:
        return positions(self.groups, name)
