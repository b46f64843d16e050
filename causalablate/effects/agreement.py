"""How far a cheap ranking of lesions can be trusted, judged by the exact effects of some of them."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import hypergeom, spearmanr

TOP, SAMPLE = "top", "sample"
"""Why a lesion was measured exactly: it ranked high, or it was drawn at random from the others."""


@dataclass(frozen=True)
class Missed:
    """Lesions that the ranking left out although they are stronger than some that it put in.

    Attributes:
        bar: An |exact effect| among the top lesions.
        drawn: Lesions of the random sample whose |exact effect| is above the bar, the strongest first.
        at_most: Upper confidence bound of how many of all the others are above it.
    """

    bar: float
    drawn: tuple[str, ...]
    at_most: int


@dataclass(frozen=True)
class Agreement:
    """An approximate ranking against exact effects.

    Attributes:
        n_top: Lesions that ranked highest, all measured exactly.
        n_others: All other lesions.
        n_sample: Those of them that were drawn at random and measured exactly.
        rank_correlation: Spearman's, between approximate rank and |exact effect|, over all that were measured; NaN
            with fewer than three, or where either is constant.
        rank_correlation_sample: The same over the random sample alone: the top is chosen, the sample is not.
        same_sign: Share of the measured lesions whose approximate and exact effects have one sign; NaN without any.
        weakest: What was missed, by the bar of the weakest of the top.
        median: What was missed, by the bar of the median of the top.
        level: Confidence of the bounds, one-sided, each on its own.
    """

    n_top: int
    n_others: int
    n_sample: int
    rank_correlation: float
    rank_correlation_sample: float
    same_sign: float
    weakest: Missed
    median: Missed
    level: float


def agreement(frame: pd.DataFrame, *, level: float = 0.95) -> Agreement:
    """Judge a ranking.

    Args:
        frame: One row per lesion: `lesion`, `rank` (1 is the highest), `approximate_effect`, `exact_effect` (NaN
            where not measured) and `confirmed` (`top`, `sample` or empty). The top is not empty.
        level: Confidence of the bounds on what was missed.

    Source: the sample of what ranked low follows the diagnostic of Kramár et al. (2024), AtP*; the bound inverts the
    hypergeometric distribution, as Clopper & Pearson (1934) invert the binomial.
    """
    top, sample = (frame[frame["confirmed"] == why] for why in (TOP, SAMPLE))
    measured = frame[frame["confirmed"] != ""]
    signs = np.sign(measured["approximate_effect"]) == np.sign(measured["exact_effect"])
    sizes, n_others = top["exact_effect"].abs(), len(frame) - len(top)
    return Agreement(
        n_top=len(top),
        n_others=n_others,
        n_sample=len(sample),
        rank_correlation=_rank_correlation(measured),
        rank_correlation_sample=_rank_correlation(sample),
        same_sign=float(signs.mean()) if len(measured) else math.nan,
        weakest=_missed(sample, n_others, float(sizes.min()), level),
        median=_missed(sample, n_others, float(sizes.median()), level),
        level=level,
    )


def _rank_correlation(rows: pd.DataFrame) -> float:
    rank, size = -rows["rank"].to_numpy(dtype=float), rows["exact_effect"].abs().to_numpy(dtype=float)
    if len(rows) < 3 or np.ptp(rank) == 0 or np.ptp(size) == 0:
        return math.nan
    return float(spearmanr(rank, size).statistic)


def _missed(sample: pd.DataFrame, n_others: int, bar: float, level: float) -> Missed:
    above = sample.assign(size=sample["exact_effect"].abs()).query("size > @bar").sort_values("size", ascending=False)
    return Missed(bar, tuple(map(str, above["lesion"])), most_marked(n_others, len(sample), len(above), level))


def most_marked(population: int, drawn: int, marked: int, level: float) -> int:
    """Upper confidence bound of how many of a population are marked, when `marked` of `drawn` at random are.

    Args:
        population: How many there are in all.
        drawn: How many were drawn, without replacement.
        marked: How many of those are marked.
        level: One-sided confidence.
    """
    possible = np.arange(marked, population - (drawn - marked) + 1)
    return int(possible[hypergeom.cdf(marked, population, possible, drawn) > 1 - level].max(initial=marked))
