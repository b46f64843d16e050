"""The rows of one outcome and group: all statistics that do not need the p values of the other lesions."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from causalablate.effects.ate import average_effect
from causalablate.effects.effect_size import cohen_d, cohen_dz
from causalablate.effects.equivalence import within
from causalablate.effects.families import Families, joint_statistics
from causalablate.effects.flips import count_flips
from causalablate.effects.intervals import mean_intervals
from causalablate.effects.necessity import Necessity, probabilities_of_causation
from causalablate.effects.one_sided import p_equivalent, p_noninferior
from causalablate.effects.paired import Paired
from causalablate.effects.significance import effect_tests
from causalablate.effects.tests_by_name import Settings

BINARY_ONLY = ("n_flips_down", "n_flips_up", *(field.name for field in fields(Necessity)))
"""Columns of binary outcomes."""


@dataclass(frozen=True)
class RowSettings:
    """What rows need besides the outcomes: the arguments of `population_effects`, resolved for every outcome."""

    level: float
    interval: str
    test: str
    sesoi: Mapping[str, float]
    margin: Mapping[str, float]
    better: Mapping[str, int]
    families: Families
    n_permutations: int
    resamples: int
    seed: int


def rows_of(paired: Paired, group: str, settings: RowSettings) -> pd.DataFrame:
    """Everything about one outcome and group but what follows from the p values of all its lesions.

    Besides: `null`, what the effect is tested against, and `equivalent`, whether it is shown to be too small to matter.
    """
    level, sesoi, seed = settings.level, settings.sesoi[paired.outcome], settings.seed
    counts = count_flips(paired)
    interval = mean_intervals(paired, level, settings.interval, resamples=settings.resamples, seed=seed)
    tests = effect_tests(paired, Settings(sesoi, level, settings.n_permutations, seed), settings.test)
    joint = joint_statistics(
        paired,
        settings.families,
        interval=settings.interval,
        level=level,
        n_permutations=settings.n_permutations,
        seed=seed,
    )
    binary = (
        {name: np.nan for name in BINARY_ONLY}
        if counts is None
        else {"n_flips_down": counts.n10, "n_flips_up": counts.n01, **asdict(probabilities_of_causation(counts))}
    )
    p_equivalence = p_equivalent(paired, sesoi, level)
    return pd.DataFrame(
        {
            "outcome": paired.outcome,
            "lesion": paired.lesions,
            "group": group,
            "n_units": paired.n_units,
            "n_clusters": paired.n_clusters,
            "n_seeds": paired.n_seeds,
            **asdict(average_effect(paired)),
            "se": interval.se,
            "ci_low": interval.low,
            "ci_high": interval.high,
            "interval_method": interval.method,
            "d": cohen_d(paired),
            "d_z": cohen_dz(paired),
            "p": tests.primary,
            "test_method": tests.method,
            "p_mcnemar": tests.mcnemar,
            "p_signflip": tests.signflip,
            **asdict(joint),
            "p_equivalence": p_equivalence,
            "p_noninferior": p_noninferior(
                paired, settings.margin[paired.outcome], settings.better[paired.outcome], level
            ),
            **binary,
            "fired": paired.fired.mean(axis=1),
            "change_norm": paired.change_norm.mean(axis=1),
            "null": sesoi if paired.kind.one_sided else 0.0,
            "equivalent": _equivalent(paired, p_equivalence, settings),
        }
    )


def _equivalent(paired: Paired, p: np.ndarray, settings: RowSettings) -> np.ndarray:
    """Where the test passes and the interval at 1 - 2 alpha, of the method asked for, lies within too: (lesions,).

    The test of a share or of rare flips is not made from the interval, and an interval may be asked for by name: the
    verdict contradicts neither.
    """
    passed, sesoi = p < 1 - settings.level, settings.sesoi[paired.outcome]
    if not passed.any():
        return passed
    inner = mean_intervals(
        paired, 2 * settings.level - 1, settings.interval, resamples=settings.resamples, seed=settings.seed
    )
    return passed & within(inner.low, inner.high, sesoi)
