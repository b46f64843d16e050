"""Do two tables rank the lesions alike?"""

import numpy as np
import pandas as pd

from causalablate.effects.comparisons.align import align, blocks
from causalablate.effects.paired import Paired, totals
from causalablate.effects.rankings import RESAMPLES, rank_agreement, spearman
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

BOOTSTRAP = "bootstrap of clusters, percentile and reflected"
ENOUGH = 100
"""With fewer clusters the limits miss too often where effects have heavy tails or lie close together."""
FEW = f"undefined: fewer than {ENOUGH} clusters"
TWO_SAMPLES = "undefined: the tables share no examples"
TOO_FEW = "undefined: fewer than three lesions"


def compare_rankings(
    a: Counterfactuals,
    b: Counterfactuals,
    *,
    names: tuple[str, str] = ("a", "b"),
    k: int = 10,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Rank agreement of the lesions' average effects in two tables.

    Args:
        a: Paired outcomes.
        b: Others, of the same outcomes and lesions.
        names: What the tables are called, for messages.
        k: Largest effects in size whose overlap is counted; all lesions where there are fewer.
        level: Two-sided coverage of the intervals.
        seed: Seeds the resamples.
        resamples: Of clusters of examples.
    Returns:
        One row per outcome, over the largest set of lesions measured on the same examples: `n_lesions`, Spearman's rank
        correlation of the average effects with their signs, the share of the `k` largest that both tables name, and
        intervals where the tables share examples, in 100 clusters or more.
    Raises:
        EffectError: The tables have no outcome or lesion in common, or `k` is below 1.
    """
    if k < 1:
        raise EffectError(f"k is {k}; compare at least the largest 1")
    aligned = align(a, b, names, None, None)
    largest: dict[str, tuple[Paired, Paired]] = {}
    for one, other in blocks(aligned):
        known = largest.get(one.outcome)
        if known is None or len(one.lesions) > len(known[0].lesions):
            largest[one.outcome] = (one, other)
    rows = [_row(*pair, aligned.paired, k, level, seed, resamples) for pair in largest.values()]
    frame = pd.DataFrame(rows)
    frame.attrs = {"names": names, "level": level, "seed": seed, "left_out": aligned.left_out}
    return frame


def _row(
    one: Paired, other: Paired, paired: bool, k: int, level: float, seed: int, resamples: int
) -> dict[str, object]:
    n = len(one.lesions)
    row: dict[str, object] = {"outcome": one.outcome, "n_lesions": n, "k": min(k, n)}
    if not paired:
        means = [x.effect.mean(axis=1)[None] for x in (one, other)]
        top = [set(np.argsort(-np.abs(m[0]), kind="stable")[:k]) for m in means]
        row |= {"spearman": float(spearman(*means)[0]), "spearman_low": np.nan, "spearman_high": np.nan}
        row |= {"overlap": len(top[0] & top[1]) / min(k, n), "overlap_low": np.nan, "overlap_high": np.nan}
        return row | {"interval_method": TWO_SAMPLES}
    first = np.unique(one.unit, return_index=True)[1]
    scores, others = (totals(x.effect, x.unit) / np.bincount(x.unit) for x in (one, other))
    found = rank_agreement(
        scores, others, one.cluster[first], k=min(k, n), level=level, seed=seed, resamples=resamples, reflected=True
    )
    enough = one.n_clusters >= ENOUGH
    for name, what in (("spearman", found.spearman), ("overlap", found.overlap)):
        low, high = (what.low, what.high) if enough else (np.nan, np.nan)
        row |= {name: what.value, f"{name}_low": low, f"{name}_high": high}
    return row | {"interval_method": TOO_FEW if n < 3 else BOOTSTRAP if enough else FEW}
