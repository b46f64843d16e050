"""Arguments of the power tables, checked and turned into outcome units."""

from collections.abc import Mapping, Sequence

import numpy as np

from causalablate.effects.equivalence import smallest_effects
from causalablate.effects.kinds import Kind
from causalablate.effects.order import check_level
from causalablate.effects.paired import Paired
from causalablate.errors import EffectError, nearest

Effects = float | Sequence[float] | Mapping[str, float | Sequence[float]] | None
"""Effects to plan for, in outcome units: for every outcome, or outcome name to its own; None for the default."""

TIMES_SESOI = 2.0
"""The default effect of outcomes of one sign, in smallest effects of interest: it has to exceed that."""


def check_plan(level: float, power: float, n_tests: int, assurance: float) -> None:
    """Refuse what is no plan.

    Raises:
        EffectError: level, power or assurance is no probability in its range, or n_tests is below 1.
    """
    check_level(level)
    if not 1 - level < power < 1:
        raise EffectError(f"power is {power}; it must lie between 1 - level = {1 - level:.3g} and 1, e.g. 0.8")
    if n_tests < 1:
        raise EffectError(f"n_tests is {n_tests}; alpha is divided by it, so it must be at least 1")
    if not 0.5 < assurance < 1:
        raise EffectError(f"assurance is {assurance}; it must lie between 0.5 and 1, e.g. 0.8")


def grid_of(name: str, values: Sequence[int] | int, least: int) -> list[int]:
    """Whole numbers of a grid, in the order given.

    Raises:
        EffectError: There is none, or one is no whole number or too small.
    """
    given = list(values) if isinstance(values, Sequence | np.ndarray | range) else [values]
    if not given or any(int(v) != v or v < least for v in given):
        raise EffectError(f"{name} is {values!r}; give whole numbers of at least {least}, e.g. [{least}, {10 * least}]")
    return [int(v) for v in given]


def margins(parts: Sequence[Paired], sesoi: float | Mapping[str, float]) -> dict[str, float]:
    """Smallest effect of interest of every outcome, as `population_effects` takes it.

    Raises:
        EffectError: See `smallest_effects`.
    """
    largest: dict[str, Paired] = {}
    for part in parts:
        if part.outcome not in largest or part.n_rows > largest[part.outcome].n_rows:
            largest[part.outcome] = part
    sd = {name: float(p.factual[0].std(ddof=1)) if p.n_rows > 1 else 0.0 for name, p in largest.items()}
    return smallest_effects(sesoi, {name: part.kind for name, part in largest.items()}, sd)


def effects_of(effects: Effects, kinds: Mapping[str, Kind], sesoi: Mapping[str, float]) -> dict[str, list[float]]:
    """Effects to plan for, per outcome; by default the smallest effect of interest, twice that for effects of one sign.

    Raises:
        EffectError: An outcome is unknown, or an effect is zero or not finite, or impossible for its outcome.
    """
    given = effects if isinstance(effects, Mapping) else dict.fromkeys(kinds, effects)
    unknown = [name for name in given if name not in kinds]
    if unknown:
        raise EffectError(
            f'no outcome "{unknown[0]}" to plan effects of{nearest(unknown[0], kinds)}; '
            f"the table has {', '.join(kinds)}"
        )
    return {name: _values(name, given.get(name), kind, sesoi[name]) for name, kind in kinds.items()}


def _values(outcome: str, given: float | Sequence[float] | None, kind: Kind, sesoi: float) -> list[float]:
    if given is None:
        return [TIMES_SESOI * sesoi if kind.one_sided else sesoi]
    values = list(given) if isinstance(given, Sequence | np.ndarray) else [given]
    for value in values:
        if not isinstance(value, int | float | np.number) or not np.isfinite(float(value)) or value == 0:
            raise EffectError(
                f'{value!r} is no effect of "{outcome}" to plan for; give numbers other than zero, outcome units'
            )
        if kind in (Kind.BINARY, Kind.CATEGORICAL) and abs(value) > 1:
            raise EffectError(f'effects on "{outcome}" are shares, between -1 and 1; {value!r} was asked')
        if kind.one_sided and value < 0:
            raise EffectError(f'effects on "{outcome}" are never negative; {value!r} was asked')
    return [float(value) for value in values]
