"""Power of t tests of a mean effect: over examples or clusters, and over seeds and examples at once."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import chdtri, nctdtr, ndtr, stdtrit

from causalablate.effects.uncertainty import LARGE_DF

ONE_PART_NODES, ITEM_NODES, SEED_NODES = 64, 16, 32
"""Gauss-Legendre nodes over the quantiles of what the study's own variances will turn out to be. With two parts the
power is right to half a percentage point, and mostly far better, down to two seeds and two clusters."""


class Claim(StrEnum):
    """What a study is to show.

    Attributes:
        EFFECT: The effect is not zero; for effects of one sign: it is above the smallest effect of interest.
        EQUIVALENCE: It lies within plus or minus the smallest effect of interest.
        NON_INFERIORITY: It is not worse by the smallest effect of interest or more.
    """

    EFFECT = "effect"
    EQUIVALENCE = "equivalence"
    NON_INFERIORITY = "non-inferiority"


@dataclass(frozen=True)
class Precision:
    """What a planned study's mean effect will vary by, and what the study will see of that; arrays of shape (lesions,).

    The mean has variance `seed` + `item` - `cell`.

    Attributes:
        item: Variance of the mean from the clusters of examples, the seeds held fixed.
        seed: Variance of the mean from the seeds, the examples held fixed; zero with one seed.
        cell: Their interaction, which both contain; zero with one seed.
        pseudo: Added to the item variance by the pseudo-observations of binary outcomes.
        shrink: Factor by which they pull the mean towards zero.
        df_item: Clusters - 1.
        n_seeds: Seeds; all 1: only examples are a sample.
    """

    item: np.ndarray
    seed: np.ndarray
    cell: np.ndarray
    pseudo: np.ndarray
    shrink: np.ndarray
    df_item: np.ndarray
    n_seeds: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Variance of the mean effect."""
        return self.seed + self.item - self.cell


def mean_power(
    precision: Precision, claim: Claim, effect: np.ndarray, margin: np.ndarray, alpha: float, *, one_sided: bool
) -> np.ndarray:
    """Probability that the t test shows what is claimed, shape (lesions,).

    One part of variance: noncentral t. Otherwise the half-width is random too: the probability given the study's own
    variances is averaged over their chi-square distributions, the interaction taken at its expectation.

    Args:
        precision: Of the planned study.
        claim: What is to be shown.
        effect: True effect, shape (lesions,), outcome units.
        margin: Smallest effect of interest, shape (lesions,); of no meaning for a two-sided effect.
        alpha: Level of the test; of each one-sided test for equivalence.
        one_sided: Effects have one sign: the claim of an effect is that it exceeds the margin.

    Source: Zou & Donner (2008), Stat. Med. 27(10), for the test of two parts; Owen (1965), Biometrika 52(3/4).
    """
    two_sided = claim is Claim.EFFECT and not one_sided
    tail = alpha / 2 if two_sided else alpha
    null = margin if claim is Claim.EFFECT else -margin
    if claim is not Claim.EQUIVALENCE and (precision.n_seeds == 1).all() and not precision.pseudo.any():
        return t_power(effect - (0.0 if two_sided else null), precision.item, precision.df_item, tail, two_sided)
    half, weight = _half_widths(precision, tail)
    mean = (precision.shrink * effect)[:, None, None]
    sd = np.sqrt(precision.variance)[:, None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        if two_sided:
            shown = ndtr((mean - half) / sd) + ndtr((-mean - half) / sd)
        elif claim is Claim.EQUIVALENCE:
            room = margin[:, None, None] - half
            shown = np.maximum(ndtr((room - mean) / sd) - ndtr((-room - mean) / sd), 0.0)
        else:
            shown = ndtr((mean - half - null[:, None, None]) / sd)
    return np.einsum("lij,ij->l", shown, weight)


def t_power(shift: np.ndarray, variance: np.ndarray, df: np.ndarray, tail: float, two_sided: bool) -> np.ndarray:
    """Power of a t test by the noncentral t distribution.

    Args:
        shift: True mean minus the null value, shape (lesions,).
        variance: Variance of the mean.
        df: Degrees of freedom.
        tail: alpha of one side.
        two_sided: Whether the other side is tested too.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        noncentrality, critical = shift / np.sqrt(variance), -stdtrit(df, tail)
    df = np.minimum(df, LARGE_DF)
    power = 1 - nctdtr(df, noncentrality, critical)
    return power + nctdtr(df, noncentrality, -critical) if two_sided else power


def _half_widths(precision: Precision, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Half-widths at the nodes, shape (lesions, seed nodes, item nodes), and the nodes' weights."""
    one_part = bool((precision.n_seeds == 1).all())
    u, item_w = _nodes(ONE_PART_NODES if one_part else ITEM_NODES)
    seen = precision.item[:, None] * _mean_square(precision.df_item, u)
    item = np.maximum(seen - precision.cell[:, None], 0.0) + precision.pseudo[:, None]
    squared = (stdtrit(precision.df_item, tail)[:, None] ** 2 * item)[:, None, :]
    if one_part:
        return np.sqrt(squared), item_w[None, :]
    u, seed_w = _nodes(SEED_NODES)
    seed = (precision.seed[:, None] * _mean_square(precision.n_seeds - 1.0, u))[:, :, None]
    seed_t = stdtrit(precision.n_seeds - 1.0, tail)[:, None, None]
    return np.sqrt(squared + seed_t**2 * seed), seed_w[:, None] * item_w[None, :]


def _mean_square(df: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Quantiles of a mean square of expectation 1, shape (lesions, nodes)."""
    distinct, which = np.unique(np.minimum(df, LARGE_DF), return_inverse=True)
    return (chdtri(distinct[:, None], 1 - u) / distinct[:, None])[which]


def _nodes(n: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.legendre.leggauss(n)
    return (x + 1) / 2, w / 2
