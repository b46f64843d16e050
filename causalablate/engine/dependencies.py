"""Which activations can reach which others in a forward: followed through every tensor operation."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import Edit, Place, hooked
from causalablate.engine.provenance import Provenance

Read = Callable[[Any], list[Tensor]]
"""The model's output -> what outcomes are computed from."""


@dataclass(frozen=True)
class Passage:
    """One time that a forward comes by a component.

    Attributes:
        component: Its address.
        n: Which time, counted from 0.
    """

    component: str
    n: int


@dataclass(frozen=True)
class Dependencies:
    """What can act on what directly: with no other of the components in between.

    Attributes:
        order: All passages, in the order of the forward.
        parents: By passage, the earlier ones whose activation its own is computed from.
        read: The passages that the outputs are computed from.
        looked: Whether the program looked at numbers on its way, so that other inputs may take another one.
    """

    order: tuple[Passage, ...]
    parents: Mapping[Passage, frozenset[Passage]]
    read: frozenset[Passage]
    looked: bool = False


def dependencies(
    root: nn.Module, inputs: Mapping[str, Any], components: Sequence[Component], read: Read
) -> Dependencies:
    """Follow one forward.

    A result depends on whatever entered its operation, element for element or not, so a path is listed if data can take
    it, whether or not it does. What a program decides by looking at a value, all that comes later depends on.

    Args:
        root: The whole model.
        inputs: Keyword arguments of the forward; one example is enough.
        components: No two of them hold the same part of an activation.
        read: What is read of the model's output.
    """
    follower = _Follower(components)
    with frozen(root, inference=False), hooked(root, follower.edits(), begin=lambda args, kwargs: None), follower:
        output = read(root(**inputs))
    found = follower.sources(*output) | follower.decided
    return Dependencies(tuple(follower.parents), dict(follower.parents), found, follower.looked)


def together(one: Dependencies, other: Dependencies) -> Dependencies | None:
    """What can act on what in either of two forwards; None where they come by the same components in another order."""
    order, start = list(one.order), 0
    for passage in other.order:
        if passage not in one.parents:
            order.insert(start, passage)
        elif passage not in order[start:]:
            return None
        start = order.index(passage) + 1
    none: frozenset[Passage] = frozenset()
    parents = {p: one.parents.get(p, none) | other.parents.get(p, none) for p in order}
    return Dependencies(tuple(order), parents, one.read | other.read, one.looked or other.looked)


class _Follower(Provenance):
    """Notes which passages the contents of every tensor were computed from.

    Attributes:
        parents: By passage, in the order of the forward.
    """

    def __init__(self, components: Sequence[Component]) -> None:
        super().__init__()
        self.parents: dict[Passage, frozenset[Passage]] = {}
        self._passed: Counter[str] = Counter()
        self._in_delta: frozenset[Passage] = frozenset()
        self._here: dict[Place, list[tuple[Component, Site]]] = {}
        for component in components:
            for site in component.sites:
                self._here.setdefault(site.place, []).append((component, site))

    def edits(self) -> dict[Place, Edit]:
        """Where the components are."""
        return {place: self._edit_at(place) for place in self._here}

    def ran(self, func: Any, args: Any, kwargs: Any, given: list[Tensor], out: Any) -> None:
        """Note what an operation did; the end of an edited residual block is the stream before it and its new delta."""
        if func is torch.ops.aten.where.self and self._in_delta:
            _, moved, whole = args
            self.note(out, self.sources(moved))
            self.replaces(out, whole, self._in_delta)
            self._in_delta = frozenset()
        else:
            super().ran(func, args, kwargs, given, out)

    def _edit_at(self, place: Place) -> Edit:
        here = self._here[place]

        def edit(x: Tensor, call: int, inputs: tuple[Any, ...]) -> Tensor:
            passages = []
            for component, _ in here:
                n = self._passed[component.address]
                self._passed[component.address] += 1
                if component.acts(n):
                    passages.append(Passage(component.address, n))
            if not passages:
                return x
            before = self.sources(x)
            # Whether it came to this passage, and with which of several tensors, may have been decided.
            self.parents |= dict.fromkeys(passages, before | self.decided)
            new = x.clone()
            whole = _fills([site for _, site in here], x) and len(passages) == len(here)
            self.note(new, frozenset(passages) if whole else before.union(passages))
            if place[1] == "delta":
                self._in_delta = frozenset(passages)
            else:
                self.replaces(new, x, frozenset(passages))
            return new

        return edit


def _fills(sites: Sequence[Site], x: Tensor) -> bool:
    """Whether sites together are all of an activation."""
    if any(site.group is not None or site.positions is not None for site in sites):
        return False
    if any(site.span is None for site in sites):
        return True
    if len({site.axis for site in sites}) > 1:
        return False
    spans = sorted(site.span for site in sites if site.span is not None)
    reached = 0
    for start, stop in spans:
        if start > reached:
            return False
        reached = max(reached, stop)
    return reached >= x.shape[sites[0].axis]
