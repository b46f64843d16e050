"""Games whose players are components: absent players are lesioned, all together and exactly."""

from collections.abc import Mapping

import numpy as np

from causalablate.attribution.game import Advance
from causalablate.component import ComponentMap
from causalablate.errors import LesionError
from causalablate.intervention import Lesion
from causalablate.replay import Replay

AT_ONCE = 256
"""Coalitions in one sweep: enough to share all that lesions can share, few enough to hold what they answered."""


class ComponentGame:
    """The value of a coalition is the outcome under the joint lesion of the players outside it.

    Attributes:
        players: Names.
        kinds: Kinds of their components.
    """

    def __init__(self, replay: Replay, lesions: Mapping[str, Lesion]):
        """Check the players.

        Args:
            replay: Model, examples and one outcome.
            lesions: Player name to what is off when that player is absent.
        Raises:
            LesionError: No players, a player without components, or two players that share a component.
        """
        if not lesions:
            raise LesionError('there are no players; give at least one, e.g. "scorers.*"')
        self.players = tuple(lesions)
        self.kinds = tuple(_kinds(lesions, replay.model.components))
        self._lesions = tuple(lesions.values())
        self._replay = replay

    def values(self, coalitions: np.ndarray, advance: Advance) -> np.ndarray:
        """Outcome of every example under the lesion of the absent, float64, shape (coalitions, examples)."""
        everything, (outcome,) = slice(0, len(self._replay.examples)), self._replay.outcomes
        found = np.empty((len(coalitions), len(self._replay.examples)))
        whole = coalitions.all(axis=1)
        found[whole] = self._replay.factual(everything)[outcome]
        advance(int(whole.sum()), "")
        lesioned = np.flatnonzero(~whole)
        for start in range(0, len(lesioned), AT_ONCE):
            rows = lesioned[start : start + AT_ONCE]
            row = {self._absent(coalitions[i]): i for i in rows}
            for lesion, world in self._replay.worlds(list(row), everything):
                found[row[lesion]] = world.values[outcome]
                advance(1, "")
        return found

    def _absent(self, coalition: np.ndarray) -> Lesion:
        return Lesion(tuple(part for i in np.flatnonzero(~coalition) for part in self._lesions[i].parts))


def _kinds(lesions: Mapping[str, Lesion], components: ComponentMap) -> list[str]:
    """Kinds of each player's components, after checking that no component has two players."""
    owner: dict[str, str] = {}
    kinds = []
    for name, lesion in lesions.items():
        resolved = lesion.resolve(components)
        if not resolved:
            raise LesionError(
                f'player "{name}" has no component: it would change nothing; give it one, or leave it out'
            )
        for component, _ in resolved:
            if owner.setdefault(component.address, name) != name:
                raise LesionError(
                    f'"{component.address}" belongs to the players "{owner[component.address]}" and "{name}"; '
                    "players share no component: name each once, or put both into one group"
                )
        kinds.append(" + ".join(dict.fromkeys(component.kind for component, _ in resolved)))
    return kinds
