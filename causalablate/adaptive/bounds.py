"""What is known about the size of effects before any lesion is run."""

import math
from collections.abc import Sequence

import numpy as np

from causalablate.effects import Kind, smallest_effects
from causalablate.effects.equivalence import DEFAULT_SESOI
from causalablate.effects.kinds import DISTANCES
from causalablate.effects.sequential import Bounds
from causalablate.errors import EffectError
from causalablate.outcome import outcome as outcome_of

ROUNDING = 1e-4
"""Float32 outcomes may pass their limits by this much."""


def bounds_of(name: str, declared: tuple[float, float] | None, factual: np.ndarray | None) -> Bounds:
    """Bounds of one example's effect.

    Args:
        name: The outcome.
        declared: Bounds that the user vouches for, or None for those that follow from what the outcome is.
        factual: Factual outcomes of every example that may be drawn, if known: an outcome that cannot rise above zero
            rises at most by what it lacks. None where further examples may exist.
    """
    if declared is not None:
        return Bounds(*declared)
    known = outcome_of(name)
    if known.categorical:
        return Bounds(0.0, 1.0)
    low, high = known.limits
    if math.isfinite(low) and math.isfinite(high):
        return Bounds(low - high, high - low, between=high - low)
    if factual is None:
        return Bounds()
    return Bounds(low - float(factual.max()) - ROUNDING, high - float(factual.min()) + ROUNDING)


def check_within(effects: np.ndarray, bounds: Bounds, lesions: Sequence[str], examples: Sequence[str]) -> None:
    """Refuse effects beyond the bounds that the inference relies on.

    Args:
        effects: Shape (lesions, examples).
        bounds: Their bounds.
        lesions: Names, for the message.
        examples: Ids, for the message.
    Raises:
        EffectError: An effect lies beyond them.
    """
    beyond = (effects < bounds.low) | (effects > bounds.high)
    if beyond.any():
        i, j = (int(k) for k in np.argwhere(beyond)[0])
        raise EffectError(
            f'the effect of "{lesions[i]}" on example "{examples[j]}" is {effects[i, j]:g}, beyond the bounds '
            f"[{bounds.low:g}, {bounds.high:g}] that the guarantee rests on; declare wider bounds, or none"
        )


def smallest_effect(name: str, factual: np.ndarray) -> float:
    """The default smallest effect of interest of an outcome, as in `population_effects`.

    Raises:
        EffectError: The outcome does not vary between examples, so nothing says what is small.
    """
    known = outcome_of(name)
    if known.categorical:
        kind = Kind.CATEGORICAL
    elif name in DISTANCES:
        kind = Kind.DISTANCE
    else:
        kind = Kind.BINARY if known.limits == (0.0, 1.0) else Kind.REAL
    sd = float(factual.std(ddof=1)) if len(factual) > 1 else 0.0
    found = smallest_effects(DEFAULT_SESOI, {name: kind}, {name: sd})[name]
    if math.isnan(found):
        raise EffectError(
            f'the factual "{name}" is the same for all examples, so nothing says how small an effect is small; '
            "pass Discoveries(smallest=...)"
        )
    return found
