"""Lesions side by side in one forward: row block j of every activation is under lesion j."""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine import draws
from causalablate.engine.groups import positions, spread
from causalablate.engine.hooks import Edit, Place, submodule
from causalablate.engine.nested import Worlds
from causalablate.engine.repeated import Repeated
from causalablate.engine.values import map_tensors
from causalablate.errors import InertLesionError, LesionError
from causalablate.offs import Off
from causalablate.offs.base import World

Parts = Sequence[tuple[Component, Off]]
"""A lesion resolved against a component map: what `Lesion.resolve` gives."""

TokenGroups = Callable[[dict[str, Any]], Mapping[str, Tensor]]
"""Inputs of one forward -> bool masks (rows, length) by token group; `all` marks every position but padding."""

Act = tuple[str, Site, int]
"""One act of a lesion part in a forward: address, site, and how often the component had acted before."""


class ReferenceStatistics(Protocol):
    """Where offs get means, spreads and donors from."""

    def mean(self, component: Component, site: Site, call: int, axes: str) -> Tensor:
        """Mean activation, shape (1, ...)."""
        ...

    def by_rank(self, component: Component, site: Site, call: int) -> bool:
        """Whether means and donors hold the positions of a token group only, in its own order."""
        ...

    def std(self, component: Component, site: Site, call: int) -> Tensor:
        """Spread of the site, a scalar."""
        ...

    def donors(
        self,
        component: Component,
        site: Site,
        call: int,
        keys: Sequence[str],
        seed: int,
        *,
        paired: bool = False,
        draw: int = 0,
    ) -> Tensor:
        """A donor's activation per key, shape (keys, ...); paired donors are the examples of the same ids."""
        ...


@dataclass(frozen=True)
class View:
    """Rows of which only some are computed.

    Attributes:
        first: Rows that are computed, shape (distinct,).
        inverse: For each row, which of them it is equal to, shape (rows,).
    """

    first: Tensor
    inverse: Tensor


@dataclass(frozen=True)
class Surroundings:
    """What lesions of one model refer to.

    Attributes:
        components: The component map, for offs that read other components.
        token_groups: Where each token group is.
        reference: Statistics for mean, resample and noise.
        seed: Seed of every draw.
    """

    components: ComponentMap
    token_groups: TokenGroups
    reference: ReferenceStatistics | None = None
    seed: int = 0


@dataclass
class _Context:
    """`offs.Context` for one site of a component at one call, on the rows of one lesion."""

    component: Component
    call: int
    inputs: tuple[Any, ...]
    site: Site
    site_call: int
    block: int
    n_rows: int
    how: Off
    stack: "Stack"

    def _statistics(self) -> ReferenceStatistics:
        if self.stack.around.reference is None:
            raise LesionError(
                f"{self.component.address}={self.how} needs a reference set: pass reference=<an example set>, "
                "for instance digits(512, split='validation')"
            )
        return self.stack.around.reference

    def reference_mean(self, axes: str) -> Tensor:
        mean = self._statistics().mean(self.component, self.site, self.site_call, axes)
        if axes == "positions" and self._by_rank():
            return mean[:, :1]
        if not self.site.packed:
            return self._placed(mean)
        if axes == "positions":
            return mean[0, :1]
        view = self.stack.view
        n = len(self.stack.keys) if view is None else len(view.first)
        return mean.expand(n, *mean.shape[1:]).flatten(0, 1)

    def reference_std(self) -> Tensor:
        return self._statistics().std(self.component, self.site, self.site_call)

    @property
    def keys(self) -> Sequence[str]:
        return self.stack.keys

    def donors(self, *, paired: bool = False, draw: int = 0) -> Tensor:
        keys, seed = self.stack.keys, self.stack.around.seed
        known = self._statistics()
        return self._placed(
            known.donors(self.component, self.site, self.site_call, keys, seed, paired=paired, draw=draw)
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
        return "image.1" in self.stack.groups

    def positions(self) -> Tensor | None:
        return self.stack.group(self.site.group or "all") & self.stack.group("all") if self.site.tokens else None

    def elsewhere(self, world: World) -> Tensor:
        return self.site.part(self.stack.worlds.activation(world, self.site.place, self.site_call))

    def normal(self, shape: torch.Size, purpose: str = "noise") -> Tensor:
        per_key = self.n_rows // len(self.stack.keys)
        if self.site.tokens and self.site.packed and len(shape) == 2:
            each = torch.Size((len(self.stack.keys), per_key, *shape[1:]))
            return self.normal(each, purpose).flatten(0, 1)
        if self.site.tokens and self.stack.past:
            first = self.stack.past["all"].sum(1).tolist()
            return draws.normal_at(shape, first, self.stack.keys, purpose, *self._stream())
        if self.site.tokens and self.stack.groups["all"].shape == shape[:2]:
            return draws.normal(shape, self.stack.keys, purpose, *self._stream(), real=self.stack.groups["all"])
        if per_key <= 1:
            return draws.normal(shape, self.stack.keys, purpose, *self._stream())
        each = torch.Size((len(self.stack.keys), per_key, *shape[1:]))
        return draws.normal(each, self.stack.keys, purpose, *self._stream()).flatten(0, 1)

    def permutations(self, n: int) -> Tensor:
        drawn = draws.permutations(n, self.stack.keys, "shuffle", *self._stream())
        return drawn.repeat_interleave(max(1, self.n_rows // len(self.stack.keys)), dim=0)

    def _stream(self) -> tuple[object, ...]:
        return self.stack.around.seed, self.component.address, self.site.module, self.site_call

    def output_of(self, address: str) -> Tensor:
        if address not in self.stack.outputs:
            raise LesionError(
                f"{self.component.address}={self.how}: {address} has not run when {self.component.address} does; "
                "only a component that comes earlier in the forward can stand in"
            )
        return self.stack.rows_of(self.stack.outputs[address], self.block)

    def edges(self) -> Tensor:
        queries, keys = self.stack.group(self.site.group), self.stack.group(self.site.source)
        itself = torch.eye(queries.shape[1], dtype=torch.bool, device=queries.device)
        cut = queries[:, :, None] & keys[:, None, :] & ~itself
        if self.stack.past:
            cached = self.stack.past[self.site.source or "all"]
            cut = torch.cat((queries[:, :, None] & cached[:, None, :], cut), dim=-1)
        return cut.unsqueeze(1)


@dataclass
class Stack:
    """Lesions acting together, and what they did in the latest forward.

    Attributes:
        lesions: One per row block; every forward has `len(lesions) * n` rows, block by block.
        around: What they refer to.
        keys: Names of the n rows; draws depend on them.
        groups: Token groups of the n rows.
        past: Token groups of the positions in the key-value cache, which come before those of this forward.
        calls: How often each place was reached in this forward.
        acted: How often each component acted in this forward.
        passed: How often the forward came by each component that offs read.
        outputs: Latest outputs of the components that offs read.
        squares: Squared norm of the change by block and act, each shape (n,).
        changes: After a forward: by block and component, the L2 norm of its change, float32, each shape (n,).
        skipped: Acts left out because their results were known.
        order: The places that were reached or left out in this forward, one after the other.
        view: Set while a module computes distinct rows only.
        worlds: Other worlds of the n rows, for offs that patch from them.
        watched: Places whose activations are kept, as the lesions leave them.
        seen: Those activations.
    """

    lesions: Sequence[Parts]
    around: Surroundings
    keys: Sequence[str] = ()
    groups: Mapping[str, Tensor] = field(default_factory=dict)
    past: Mapping[str, Tensor] = field(default_factory=dict)
    calls: Counter[Place] = field(default_factory=Counter)
    acted: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    outputs: dict[str, Tensor] = field(default_factory=dict)
    squares: list[dict[Act, Tensor]] = field(default_factory=list)
    changes: list[dict[str, Tensor]] = field(default_factory=list)
    skipped: set[Act] = field(default_factory=set)
    order: list[Place] = field(default_factory=list)
    view: View | None = None
    worlds: Worlds = field(default_factory=Worlds)
    watched: Collection[Place] = ()
    seen: dict[tuple[Place, int], Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.here: dict[Place, list[tuple[int, Component, Site, Off]]] = {}
        self.taps: dict[Place, list[tuple[Component, Site]]] = {}
        for block, parts in enumerate(self.lesions):
            for component, how in parts:
                for site in component.sites:
                    self.here.setdefault(site.place, []).append((block, component, site, how))
        read = (address for parts in self.lesions for _, how in parts for address in how.reads())
        for address in dict.fromkeys(read):
            tapped = self.around.components[address]
            for site in tapped.sites:
                self.taps.setdefault(site.place, []).append((tapped, site))

    @property
    def places(self) -> list[Place]:
        """Everywhere that the lesions edit or read."""
        # Of one module, an edit of its delta comes before one of its output, which is what the delta leads to; hooks of
        # outputs act in the opposite order.
        places = dict.fromkeys(itertools.chain(self.here, self.taps, self.watched))
        return sorted(places, key=lambda place: place[1] == "delta")

    def begin(self, keys: Sequence[str], groups: Mapping[str, Tensor]) -> None:
        """Start a forward of `len(lesions)` times these rows."""
        self.keys, self.groups = keys, groups
        self.calls.clear()
        self.acted.clear()
        self.passed.clear()
        self.outputs.clear()
        self.skipped.clear()
        self.order.clear()
        self.seen.clear()
        self.squares = [{} for _ in self.lesions]

    def finish(self, earlier: Mapping[Act, Tensor] | None = None) -> Tensor:
        """End a forward.

        Args:
            earlier: Squared norms (n,) of the acts in the run from which skipped results came.
        Returns:
            L2 norm of the change, summed over all sites, positions and calls, shape (lesions, n), float32.
        Raises:
            InertLesionError: A part of a lesion never acted.
        """
        norms = torch.zeros(len(self.lesions), len(self.keys), dtype=torch.float64)
        self.changes = []
        for block, parts in enumerate(self.lesions):
            known = {act: earlier[act] for act in self.skipped} if earlier else {}
            known |= self.squares[block]
            fired = {act[:2] for act in known}
            for component, how in parts:
                missed = [site for site in component.sites if (component.address, site) not in fired]
                if missed and component.act is None:
                    raise InertLesionError(
                        f"{component.address}={how} never acted: the forward pass does not reach {missed[0].module}. "
                        "In this mode or configuration the component is not in use"
                    )
                if len(missed) == len(component.sites):
                    raise InertLesionError(
                        f"{component.address}={how} never acted: a forward comes by there fewer than "
                        f"{(component.act or 0) + 1} times"
                    )
            by_component = {
                component.address: torch.zeros(len(self.keys), dtype=torch.float64) for component, _ in parts
            }
            for act in sorted(known, key=lambda act: (act[0], repr(act[1]), act[2])):
                by_component[act[0]] += known[act].cpu()
            norms[block] = sum(by_component.values(), norms[block])
            self.changes.append({address: squares.sqrt().float() for address, squares in by_component.items()})
        return norms.sqrt().float()

    def skip(self, places: Sequence[Place]) -> None:
        """Count acts that a forward left out because their results were known, in the order in which they were."""
        self.order += places
        for place in places:
            self.calls[place] += 1
            for component, site in self._parts_at(place):
                if component.acts(self.acted[component.address]):
                    self.skipped.add((component.address, site, self.acted[component.address]))
                self.acted[component.address] += 1

    def _parts_at(self, place: Place) -> list[tuple[Component, Site]]:
        return list(dict.fromkeys((component, site) for _, component, site, _ in self.here.get(place, ())))

    def edits(self) -> dict[Place, Edit]:
        """One edit per place: first its lesioned parts in address order, then what other offs read there."""
        return {place: self._edit_at(place) for place in self.places}

    def _edit_at(self, place: Place) -> Edit:
        here, taps = self.here.get(place, []), self.taps.get(place, [])
        parts = self._parts_at(place)

        def edit(x: Tensor, call: int, inputs: tuple[Any, ...]) -> Tensor:
            self.order.append(place)
            nth = {}
            for component, site in parts:
                nth[component.address, site] = self.acted[component.address]
                self.acted[component.address] += 1
            new = x
            for block, component, site, how in here:
                act = nth[component.address, site]
                if not component.acts(act):
                    continue
                rows = self.rows_of(new, block)
                of_block = map_tensors(inputs, partial(self.rows_of, block=block))
                context = _Context(component, act, of_block, site, call, block, rows.shape[0], how, self)
                changed = self._act(rows, context)
                if changed is None:
                    continue
                if len(self.lesions) == 1:
                    new = site.with_part(new, changed)
                    continue
                if new is x:
                    new = x.fresh() if isinstance(x, Repeated) and not x.edited else x.clone()
                site.part(self.rows_of(new, block)).copy_(changed)
            for tapped, site in taps:
                if tapped.acts(self.passed[tapped.address]):
                    self.outputs[tapped.address] = site.part(new)
                self.passed[tapped.address] += 1
            if place in self.watched:
                self.seen[place, call] = new.clone()  # the model may write into it later
            return new

        return edit

    def rows_of(self, x: Tensor, block: int) -> Tensor:
        """The rows of one lesion."""
        if len(self.lesions) == 1:
            return x
        if isinstance(x, Repeated) and not x.edited:
            return x.base
        n, left = divmod(x.shape[0], len(self.lesions)) if x.ndim else (0, 1)
        return x if left else x[block * n : (block + 1) * n]

    def group(self, name: str | None) -> Tensor:
        """Positions of a token group, bool, shape (n, length); of the distinct rows while a view is set."""
        where = positions(self.groups, str(name))
        return where if self.view is None else where[self.view.first.to(where.device)]

    def _act(self, x: Tensor, context: _Context) -> Tensor | None:
        """Apply one off to one activation: the site's new slice, or None where it changes nothing."""
        component, site = context.component, context.site
        old = site.part(x)
        new = context.how.apply(old, context)
        if new.shape != old.shape:
            raise LesionError(
                f"{component.address}={context.how} gives shape {tuple(new.shape)}, but the activation there has "
                f"{tuple(old.shape)}: the reference set has other lengths, or none for tokens that are generated. "
                "Use mean with axes=positions, zero or noise; in a generation also when='prefill'"
            )
        if site.tokens:
            where = (self.group(site.group or "all") & self.group("all")).to(old.device)  # a model may be spread out
            where = where.flatten() if site.packed else where
            new = torch.where(where.reshape(where.shape + (1,) * (old.ndim - where.ndim)), new, old)
        with torch.no_grad():
            change = (new ^ old).double() if old.dtype == torch.bool else new.double() - old.double()
            if component.kind == "edge" and old.dtype != torch.bool:
                change = (new != old).double()
            self.squares[context.block][component.address, site, context.call] = self._by_row(change.square())
        # Where gradients flow, an equal value stands in too: the component's own would train the component.
        return None if torch.equal(new, old) and not old.requires_grad else new

    def _by_row(self, squares: Tensor) -> Tensor:
        """Sum over everything but the n rows."""
        n, rows = len(self.keys), squares.shape[0]
        if self.view is not None and rows % len(self.view.first) == 0:
            squares = squares.reshape(len(self.view.first), -1).sum(1)[self.view.inverse]
            rows = len(squares)
        return squares.reshape(n, -1).sum(1) if rows % n == 0 else squares.sum().expand(n)

    @contextmanager
    def seeing(self, view: View) -> Iterator[None]:
        """Inside the block, each lesion's rows are the distinct rows of a view."""
        outer, self.view = self.view, view
        try:
            yield
        finally:
            self.view = outer

    def tells_apart(self, module: nn.Module, root: nn.Module, view: View) -> bool:
        """Whether a lesion inside a module may do different things to rows that are equal in a view."""
        inner = set(module.modules())
        here = [part for place, parts in self.here.items() if submodule(root, place[0]) in inner for part in parts]
        if any(how.draws or how.reads() for *_, how in here):
            return True
        if any(submodule(root, place[0]) in inner for place in (*self.taps, *self.watched)):
            return True
        if not any(site.tokens or site.group for _, _, site, _ in here):
            return False
        if len(view.inverse) != len(self.keys):
            return True
        return not all(torch.equal(group, group[view.first][view.inverse]) for group in self.groups.values())
