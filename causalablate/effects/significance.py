"""The test that a row stands on, and the ones shown beside it."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.flips import Flips
from causalablate.effects.intervals import effective_size, is_flat, spread_of
from causalablate.effects.kinds import Kind
from causalablate.effects.mcnemar import mcnemar_exact
from causalablate.effects.paired import Paired, totals
from causalablate.effects.permutation import sign_flip_p
from causalablate.effects.proportion import p_share_greater


@dataclass(frozen=True)
class EffectTests:
    """p values of the mean effect, arrays of shape (lesions,).

    Attributes:
        mcnemar: Exact McNemar; NaN unless the outcome is binary and rows are independent.
        signflip: Sign-flip permutation of whole clusters; NaN with several seeds, where flipping examples
            would treat the seeds as fixed, and for effects of one sign.
        primary: The one that corrections and labels use; NaN where one cluster leaves nothing to test.
    """

    mcnemar: np.ndarray
    signflip: np.ndarray
    primary: np.ndarray


def effect_tests(
    paired: Paired, counts: Flips | None, *, sesoi: float, level: float, n_permutations: int, seed: int
) -> EffectTests:
    """Test the mean effect against zero, or against `sesoi` where effects are never negative.

    The primary test is exact McNemar for binary outcomes with independent rows, the sign-flip permutation
    for other outcomes of one seed, the two-way t test with several seeds, an exact binomial test for
    shares and a one-sided t test for distances.

    Args:
        paired: The outcomes.
        counts: Flips of a binary outcome, None otherwise.
        sesoi: Smallest effect of interest, outcome units.
        level: 1 - alpha; decides the effective sample size of shares over dependent rows.
        n_permutations: Random flips.
        seed: Seeds them.
    """
    nan = np.full(len(paired.lesions), np.nan)
    if paired.kind.one_sided:
        return EffectTests(nan, nan, _exceeds(paired, sesoi, level))
    if paired.n_seeds > 1:
        return EffectTests(nan, nan, _two_way(paired))
    if counts is not None and paired.independent:
        # Flipping the sign of independent effects of size one is the coin of McNemar's test: no need to draw.
        p = mcnemar_exact(counts.n10, counts.n01)
        return EffectTests(p, p, p)
    p = sign_flip_p(totals(paired.effect, paired.cluster), n_permutations=n_permutations, seed=seed)
    return EffectTests(nan, p, p)


def _exceeds(paired: Paired, sesoi: float, level: float) -> np.ndarray:
    spread = spread_of(paired)
    mean = paired.effect.mean(axis=1)
    if paired.kind is Kind.CATEGORICAL:
        n = effective_size(paired, spread, level)
        return p_share_greater(mean * n, n, sesoi)
    if spread is None:
        return np.full(mean.shape, np.nan)
    sign_test = np.where(mean > sesoi, 2.0**-paired.replicates, 1.0)
    return np.where(is_flat(paired, spread), sign_test, spread.p_greater(sesoi))


def _two_way(paired: Paired) -> np.ndarray:
    spread = spread_of(paired)
    if spread is None:
        return np.full(len(paired.lesions), np.nan)
    sign_test = np.where(spread.center != 0, 2.0 ** (1 - paired.replicates), 1.0)
    return np.where(is_flat(paired, spread), sign_test, spread.p_two_sided())
