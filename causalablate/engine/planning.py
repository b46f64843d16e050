"""Which lesions share a forward, and which share the run of a common part."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from causalablate.component import Component
from causalablate.engine.layout import Layout, PlaceLayout
from causalablate.engine.stack import Parts
from causalablate.offs import Off

_WASTE = 0.03
"""Share of a forward's remaining work that a lesion may repeat in order to share it with an earlier one."""


@dataclass(frozen=True)
class Batch:
    """Lesions that go into one forward, by number.

    Attributes:
        lesions: Positions in the list of lesions.
        plain: To be run one by one, as a plain forward would: putting rows side by side is not sound for them.
        restricted: They change few positions only.
    """

    lesions: tuple[int, ...]
    plain: bool = False
    restricted: bool = False


@dataclass
class Node:
    """A lesion that others contain: run and recorded once, so that they start from there.

    Attributes:
        parts: The common part; the factual run has none.
        lesion: The position of that part in the list of lesions, if it is one itself.
        batches: Lesions that start from here.
        children: Larger common parts.
    """

    parts: tuple[tuple[Component, Off], ...] = ()
    lesion: int | None = None
    batches: list[Batch] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)


def plan(lesions: Sequence[Parts], layout: Layout, size: Callable[[int], int]) -> Node:
    """Arrange lesions as a tree of common parts, and pack those that start alike into batches.

    A pair do(a) & do(b), with b later in the forward, starts from the recorded run of do(a) where enough pairs share
    it; its own work is what comes after b.

    Args:
        lesions: Each resolved, in any order; equal input gives an equal plan.
        layout: The structure of the model's forward.
        size: From bytes of the widest activation that they change, for one example, to most lesions in one forward.
    """
    root = Node()
    ordered = [tuple(sorted(parts, key=lambda part: _start(part, layout))) for parts in lesions]
    groups: dict[tuple[tuple[Component, Off], ...], list[int]] = {}
    for i, parts in enumerate(ordered):
        groups.setdefault(parts[:-1], []).append(i)
    nodes: dict[tuple[tuple[Component, Off], ...], Node] = {(): root}
    for prefix in sorted(groups, key=lambda prefix: (len(prefix), [_start(part, layout) for part in prefix])):
        members = groups[prefix]
        while prefix and not (prefix in nodes or _pays(prefix, members, ordered, layout)):
            prefix = prefix[:-1]
        if prefix not in nodes:
            parent = prefix[:-1]
            while parent not in nodes:
                parent = parent[:-1]
            nodes[prefix] = Node(prefix)
            nodes[parent].children.append(nodes[prefix])
        nodes[prefix].batches += _batches(members, ordered, layout, size, len(prefix))
    position = {parts: i for i, parts in reversed(list(enumerate(ordered)))}
    for prefix, node in nodes.items():
        node.lesion = position.get(prefix)
    shared = {node.lesion for node in nodes.values()}
    for node in nodes.values():
        node.batches = [b for b in (_without(b, shared) for b in node.batches) if b.lesions]
    return root


def _without(batch: Batch, lesions: Collection[int | None]) -> Batch:
    return Batch(tuple(i for i in batch.lesions if i not in lesions), batch.plain, batch.restricted)


def _place(part: tuple[Component, Off], layout: Layout) -> PlaceLayout | None:
    """Where a part first acts; None if the forward never gets there."""
    reached = [layout.places[site.place] for site in part[0].sites if site.place in layout.places]
    return min(reached, key=lambda place: place.order) if reached else None


def _start(part: tuple[Component, Off], layout: Layout) -> tuple[int, str]:
    place = _place(part, layout)
    return (place.order if place is not None else -1), f"{part[0].address}={part[1]}"


def _flops(parts: Sequence[tuple[Component, Off]], layout: Layout) -> int:
    """Work done before the last of these parts acts."""
    place = _place(parts[-1], layout) if parts else None
    return place.flops if place is not None else 0


def _widest(parts: Sequence[tuple[Component, Off]], layout: Layout) -> int:
    """Bytes of the widest activation from where the first of these parts acts."""
    place = _place(parts[0], layout) if parts else None
    return place.widest if place is not None else layout.widest


def _pays(
    prefix: tuple[tuple[Component, Off], ...],
    members: Sequence[int],
    ordered: Sequence[tuple[tuple[Component, Off], ...]],
    layout: Layout,
) -> bool:
    saved = sum(_flops(ordered[i], layout) - _flops(ordered[i][:1], layout) for i in members)
    return saved > layout.flops - _flops(prefix, layout)


def _batches(
    members: Sequence[int],
    ordered: Sequence[tuple[tuple[Component, Off], ...]],
    layout: Layout,
    size: Callable[[int], int],
    depth: int,
) -> list[Batch]:
    """Pack lesions that start close to each other; unlike kinds of forward never share one."""
    kinds: dict[tuple[bool, bool, tuple[bool, ...]], list[int]] = {}
    own = {i: ordered[i][depth:] for i in members}
    for i in members:
        places = [site.place for component, _ in ordered[i] for site in component.sites]
        known = [layout.places.get(place) for place in places]
        plain = layout.unstackable is not None or not all(place is not None and place.scales for place in known)
        few = bool(layout.positionwise) and all(
            site.group not in (None, "all") for component, _ in own[i] for site in component.sites
        )
        ends = tuple(tail.admits(places) for tail in layout.tails)
        kinds.setdefault((plain, few, ends), []).append(i)
    batches = []
    for (plain, few, _), found in kinds.items():
        current: list[int] = []
        most = 0
        for i in sorted(found, key=lambda i: (_start(own[i][0], layout) if own[i] else (-1, ""), i)):
            start = _flops(own[current[0]][:1], layout) if current else 0
            wasted = _flops(own[i][:1], layout) - start
            if current and (plain or len(current) >= most or wasted > _WASTE * (layout.flops - start)):
                batches.append(Batch(tuple(current), plain, few))
                current = []
            if not current:
                most = size(_widest(own[i][:1], layout))
            current.append(i)
        batches.append(Batch(tuple(current), plain, few))
    return batches
