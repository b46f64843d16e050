"""A model under `do(lesion)`: the lesion acts on every forward inside the block, and leaves nothing behind."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.engine import draws
from causalablate.engine.hooks import Edit, Place, hooked
from causalablate.errors import InertLesionError, LesionError
from causalablate.offs import Off

TokenGroups = Callable[[dict[str, Any]], Mapping[str, Tensor]]
"""Inputs of one forward -> bool masks (rows, length) by token group; `all` marks every position but padding."""


class ReferenceStatistics(Protocol):
    """Where offs get means, spreads and donors from."""

    def mean(self, component: Component, site: Site, call: int, axes: str) -> Tensor:
        """Mean activation, shape (1, ...)."""
        ...

    def std(self, component: Component, site: Site, call: int) -> Tensor:
        """Spread of the site, a scalar."""
        ...

    def donors(self, component: Component, site: Site, call: int, keys: Sequence[str], seed: int) -> Tensor:
        """A donor's activation per key, shape (keys, ...)."""
        ...


@dataclass
class Action:
    """What a lesion did in the latest forward.

    Attributes:
        fired: Whether every part of the lesion acted, one bool per row.
        change_norm: L2 norm of the change, summed over all sites, positions and calls, one per row.
    """

    fired: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))
    change_norm: Tensor = field(default_factory=lambda: torch.zeros(0))


@dataclass
class _Forward:
    """The state of one forward pass."""

    keys: Sequence[str] = ()
    groups: Mapping[str, Tensor] = field(default_factory=dict)
    squares: Tensor = field(default_factory=lambda: torch.zeros(0))
    fired: set[tuple[str, Site]] = field(default_factory=set)
    acted: Counter[str] = field(default_factory=Counter)
    outputs: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class _Context:
    """`offs.Context` for one site of a component at one call."""

    component: Component
    site: Site
    site_call: int
    call: int
    inputs: tuple[Any, ...]
    forward: _Forward
    reference: ReferenceStatistics | None
    seed: int
    how: Off

    def _statistics(self) -> ReferenceStatistics:
        if self.reference is None:
            raise LesionError(
                f"{self.component.address}={self.how} needs a reference set: pass reference=<an example set>, "
                "for instance digits(512, split='validation')"
            )
        return self.reference

    def reference_mean(self, axes: str) -> Tensor:
        return self._statistics().mean(self.component, self.site, self.site_call, axes)

    def reference_std(self) -> Tensor:
        return self._statistics().std(self.component, self.site, self.site_call)

    def donors(self) -> Tensor:
        return self._statistics().donors(self.component, self.site, self.site_call, self.forward.keys, self.seed)

    def normal(self, shape: torch.Size) -> Tensor:
        return draws.normal(shape, self.forward.keys, "noise", *self._stream())

    def permutations(self, n: int) -> Tensor:
        return draws.permutations(n, self.forward.keys, "shuffle", *self._stream())

    def _stream(self) -> tuple[object, ...]:
        return self.seed, self.component.address, self.site.module, self.site_call

    def output_of(self, address: str) -> Tensor:
        if address not in self.forward.outputs:
            raise LesionError(
                f"{self.component.address}={self.how}: {address} has not run when {self.component.address} does; "
                "only a component that comes earlier in the forward can stand in"
            )
        return self.forward.outputs[address]

    def edges(self) -> Tensor:
        queries, keys = _group(self.forward, self.site.group), _group(self.forward, self.site.source)
        itself = torch.eye(queries.shape[1], dtype=torch.bool, device=queries.device)
        return (queries[:, :, None] & keys[:, None, :] & ~itself).unsqueeze(1)


def _group(forward: _Forward, name: str | None) -> Tensor:
    if name is None or name not in forward.groups:
        raise LesionError(f'the model has no token group "{name}"; it has {", ".join(forward.groups)}')
    return forward.groups[name]


@contextmanager
def lesioned(
    root: nn.Module,
    parts: Sequence[tuple[Component, Off]],
    *,
    components: Mapping[str, Component],
    token_groups: TokenGroups,
    reference: ReferenceStatistics | None = None,
    seed: int = 0,
    keys: Sequence[str] | None = None,
) -> Iterator[Action]:
    """Put a lesion on every forward of `root` inside the block.

    Args:
        root: The whole model.
        parts: What `Lesion.resolve` gave.
        components: The component map, for offs that read other components.
        token_groups: Where each token group is.
        reference: Statistics for mean, resample and noise.
        seed: Seed of every draw.
        keys: Names of the rows of each batch; a row's draws depend on its name. Default: its number.
    Yields:
        What the lesion did in the latest forward.
    Raises:
        InertLesionError: A forward went by in which some part never acted.
        LesionError: A part cannot act as asked.
    """
    if not parts:
        yield Action()
        return
    forward, action = _Forward(), Action()

    def begin(_: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        groups = token_groups(kwargs)
        n = _n_rows(kwargs)
        forward.keys = list(keys) if keys is not None else [str(i) for i in range(n)]
        if len(forward.keys) != n:
            raise LesionError(f"{len(forward.keys)} keys were given for a batch of {n} rows; give one key per row")
        forward.groups, forward.squares = groups, torch.zeros(n, dtype=torch.float64)
        forward.fired.clear()
        forward.acted.clear()
        forward.outputs.clear()
        action.fired, action.change_norm = torch.zeros(n, dtype=torch.bool), torch.zeros(n)

    def end() -> None:
        for component, how in parts:
            for site in component.sites:
                if (component.address, site) not in forward.fired:
                    raise InertLesionError(
                        f"{component.address}={how} never acted: the forward pass does not reach {site.module}. "
                        "In this mode or configuration the component is not in use"
                    )
        action.fired = torch.ones(len(forward.keys), dtype=torch.bool)
        action.change_norm = forward.squares.sqrt().float()

    edits = _edits(parts, components, forward, reference, seed)
    with hooked(root, edits, begin=begin, end=end):
        yield action


def _n_rows(inputs: Mapping[str, Any]) -> int:
    return next(v.shape[0] for v in inputs.values() if isinstance(v, Tensor) and v.ndim)


def _edits(
    parts: Sequence[tuple[Component, Off]],
    components: Mapping[str, Component],
    forward: _Forward,
    reference: ReferenceStatistics | None,
    seed: int,
) -> dict[Place, Edit]:
    """One edit per place: first its lesioned parts in address order, then what other offs read there."""
    here: dict[Place, list[tuple[Component, Site, Off]]] = {}
    for component, how in parts:
        for site in component.sites:
            here.setdefault(site.place, []).append((component, site, how))
    taps: dict[Place, list[tuple[str, Site]]] = {}
    for address in dict.fromkeys(address for _, how in parts for address in how.reads()):
        for site in components[address].sites:
            taps.setdefault(site.place, []).append((address, site))

    def edit_at(place: Place) -> Edit:
        def edit(x: Tensor, call: int, inputs: tuple[Any, ...]) -> Tensor:
            for component, site, how in here.get(place, ()):
                nth = forward.acted[component.address]
                x = _act(x, _Context(component, site, call, nth, inputs, forward, reference, seed, how))
            for address, site in taps.get(place, ()):
                forward.outputs[address] = site.part(x)
            return x

        return edit

    return {place: edit_at(place) for place in dict.fromkeys(itertools.chain(here, taps))}


def _act(x: Tensor, context: _Context) -> Tensor:
    """Apply one off to one activation; rows that it does not change keep their very bytes."""
    component, site, forward = context.component, context.site, context.forward
    old = site.part(x)
    new = context.how.apply(old, context)
    if site.tokens:
        where = _group(forward, site.group or "all") & _group(forward, "all")
        new = torch.where(where.reshape(where.shape + (1,) * (old.ndim - 2)), new, old)
    change = (new ^ old).double() if old.dtype == torch.bool else new.double() - old.double()
    if component.kind == "edge" and old.dtype != torch.bool:
        change = (new != old).double()
    forward.squares += change.flatten(1).square().sum(1).cpu()
    forward.fired.add((component.address, site))
    forward.acted[component.address] += 1
    if torch.equal(new, old):
        return x
    return site.with_part(x, new)
