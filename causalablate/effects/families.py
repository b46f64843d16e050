"""What needs all lesions of a family at once: maxT p values and the simultaneous band."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from causalablate.effects.band import simultaneous_band
from causalablate.effects.maxt import maxt_p
from causalablate.effects.paired import Paired, totals
from causalablate.effects.permutation import DEFAULT_PERMUTATIONS


@dataclass(frozen=True)
class Families:
    """How the lesions of every outcome fall into families.

    Lesions that are only controls form their own. A family whose lesions were measured on different rows comes in
    several sets; each gets an equal part of the error that the family may make.

    Attributes:
        controls: Lesions that are only controls.
        sets: (outcome, whether controls) to the number of sets.
    """

    controls: Collection[str]
    sets: Counter[tuple[str, bool]]


def families_of(parts: Sequence[Paired], controls: Collection[str]) -> Families:
    """The families of a table."""
    flags = [(block.outcome, flag) for block in parts for flag in {name in controls for name in block.lesions}]
    return Families(controls, Counter(flags))


@dataclass(frozen=True)
class Joint:
    """Statistics of a lesion that depend on the others of its family, arrays of shape (lesions,).

    Attributes:
        p_maxt: Step-down maxT; NaN with several seeds and for effects of one sign, whose signs cannot be flipped.
        band_low: Lower end of the simultaneous band; NaN where the interval is.
        band_high: Upper end.
    """

    p_maxt: np.ndarray
    band_low: np.ndarray
    band_high: np.ndarray


def joint_statistics(
    paired: Paired, families: Families, *, interval: str, level: float, n_permutations: int, seed: int
) -> Joint:
    """maxT p values and the band, family by family.

    Args:
        paired: One outcome.
        families: From `families_of`, of the whole table.
        interval: Method of the intervals.
        level: Chance that all intervals of a family hold.
        n_permutations: Random flips at most; more than `DEFAULT_PERMUTATIONS` are not needed, as the largest statistic
            of a family is compared with alpha itself.
        seed: Seeds the flips and the draws.
    """
    found = Joint(*(np.full(len(paired.lesions), np.nan) for _ in range(3)))
    controls = np.array([name in families.controls for name in paired.lesions])
    for flag in (False, True):
        members = np.flatnonzero(controls == flag)
        if not members.size:
            continue
        family, sets = _some(paired, members), families.sets[paired.outcome, flag]
        if paired.n_seeds == 1 and not paired.kind.one_sided:
            sums = totals(family.effect, family.cluster)
            p = maxt_p(sums, n_permutations=min(n_permutations, DEFAULT_PERMUTATIONS), seed=seed)
            found.p_maxt[members] = np.minimum(sets * p, 1.0)
        band = simultaneous_band(family, 1 - (1 - level) / sets, interval, seed=seed)
        found.band_low[members], found.band_high[members] = band.low, band.high
    return found


def _some(paired: Paired, members: np.ndarray) -> Paired:
    """Some of the lesions."""
    if members.size == len(paired.lesions):
        return paired
    return replace(
        paired,
        lesions=tuple(paired.lesions[i] for i in members),
        factual=paired.factual[members],
        counterfactual=paired.counterfactual[members],
        effect=paired.effect[members],
        fired=paired.fired[members],
        change_norm=paired.change_norm[members],
    )
