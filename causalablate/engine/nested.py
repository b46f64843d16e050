"""Worlds inside worlds: activations of a batch under other lesions, run once each and kept for patches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from causalablate.component import Component, ComponentMap
from causalablate.engine.hooks import Place
from causalablate.errors import LesionError
from causalablate.intervention import Lesion
from causalablate.offs import Off
from causalablate.offs.base import World

Activations = Mapping[tuple[Place, int], Tensor]
"""By place and which of its calls in the forward."""


@dataclass
class Worlds:
    """Activations of one batch in other worlds."""

    known: dict[World, Activations] = field(default_factory=dict)

    def activation(self, world: World, place: Place, call: int) -> Tensor:
        """What a place held in a world that has been visited.

        Raises:
            LesionError: The forward did not come by there.
        """
        if world not in self.known:
            raise LesionError("patch: no other world is visited in a generation; use counterfactuals() or model.do()")
        found = self.known[world]
        if (place, call) not in found:
            raise LesionError(
                f"patch: call {call + 1} of {place[0]} did not happen under {Lesion(world)}, so there is nothing to "
                "take from that world"
            )
        return found[place, call]


def worlds_read(
    lesions: Sequence[Sequence[tuple[Component, Off]]], components: ComponentMap
) -> dict[World, frozenset[Place]]:
    """The other worlds that lesions read, and where; one that another reads comes before it.

    Args:
        lesions: Each resolved.
        components: What the lesions of those worlds are resolved against.
    """
    places: dict[World, frozenset[Place]] = {}
    for parts in lesions:
        for world, read in _read(parts, components):
            places[world] = places.get(world, frozenset()) | read
    return places


def _read(parts: Sequence[tuple[Component, Off]], components: ComponentMap) -> Iterator[tuple[World, frozenset[Place]]]:
    for component, how in parts:
        if (world := how.world()) is not None:
            yield from _read(Lesion(world).resolve(components), components)
            yield world, frozenset(site.place for site in component.sites)
