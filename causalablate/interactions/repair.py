"""Self-repair: how much of what a lesion does directly the rest of the model makes up for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from causalablate.effects import Kind, Paired, mean_intervals
from causalablate.effects.bootstrap import bootstrap_means, percentile
from causalablate.effects.comparisons.ratio import fieller
from causalablate.effects.interval_methods import UNDEFINED_EQUAL
from causalablate.effects.intervals import RESAMPLES
from causalablate.errors import EffectError

BOOTSTRAP = "bootstrap"


def self_repair(
    total: np.ndarray,
    direct: np.ndarray,
    *,
    components: Sequence[str],
    cluster: Sequence[str] | None = None,
    level: float = 0.95,
    interval: str = "fieller",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the total effect of each lesion with its direct effect.

    Total: later components answer as they do; direct: they are held at what they say in the factual run
    (`repair_lesions`). The repaired share is 1 - total / direct, of the mean effects: 0 where nothing answers, 1 where
    the loss is made up for in full, negative where later components make it worse, as those do that pass it on.

    Args:
        total: Effects on the outcome, counterfactual - factual, shape (components, examples).
        direct: The same with later components held.
        components: Their names.
        cluster: Cluster of each example; by default each is its own.
        level: Two-sided coverage.
        interval: `fieller`, which has no limits where the direct effect is not distinguishable from zero, or
            `bootstrap`: percentiles over resampled clusters.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    Returns:
        One row per component: `component`, `n_units`, `n_clusters`, mean effects `direct` and `total`, `repaired`:
        total - direct, the outcome that is won back, with `repaired_low` and `repaired_high`; the share
        `repaired_share`, `ci_low`, `ci_high`, `interval_method` (or why there is none), and `examples_repaired`: the
        share of examples with a smaller total than direct effect in size.
    Raises:
        EffectError: Shapes do not fit, a value is not finite, or the interval is unknown.

    Source: McGrath et al. (2023), The Hydra Effect; Rushing & Nanda (2024), Explorations of Self-Repair in Language
        Models, ICML; Fieller (1954), J. R. Stat. Soc. B 16(2).
    """
    total, direct = _checked(total, direct, components, cluster)
    if interval not in ("fieller", BOOTSTRAP):
        raise EffectError(f'no interval "{interval}"; there are fieller and {BOOTSTRAP}')
    if not 0.5 < level < 1:
        raise EffectError(f"level is {level}; it must lie between 0.5 and 1, e.g. 0.95")
    codes = np.arange(total.shape[1]) if cluster is None else pd.factorize(np.asarray(cluster, dtype=object))[0]
    back = mean_intervals(_paired(total - direct, components, codes), level)
    variances = np.stack([mean_intervals(_paired(x, components, codes), level).se ** 2 for x in (direct, total)])
    n_clusters = int(codes.max()) + 1
    below, above = direct.mean(axis=1), total.mean(axis=1)
    ratio, low, high, method = fieller(
        below, above, np.concatenate([variances, back.se[None] ** 2]), n_clusters - 1 or np.nan, level
    )
    constant = (variances == 0).all(axis=0) & (2.0 ** (1 - n_clusters) > 1 - level)
    low, high = np.where(constant, np.nan, low), np.where(constant, np.nan, high)
    method = np.where(constant, UNDEFINED_EQUAL, method)
    if interval == BOOTSTRAP and n_clusters > 1:
        low, high, method = _resampled(total, direct, codes, level, resamples, seed)
    return pd.DataFrame(
        {
            "component": list(components),
            "n_units": total.shape[1],
            "n_clusters": n_clusters,
            "direct": below,
            "total": above,
            "repaired": above - below,
            "repaired_low": back.low,
            "repaired_high": back.high,
            "repaired_share": 1 - ratio,
            "ci_low": 1 - high,
            "ci_high": 1 - low,
            "interval_method": method,
            "examples_repaired": (np.abs(total) < np.abs(direct)).mean(axis=1),
        }
    )


def repaired_examples(
    total: np.ndarray, direct: np.ndarray, *, components: Sequence[str], example: Sequence[str]
) -> pd.DataFrame:
    """The same example by example: `component`, `example`, `direct`, `total`, `repaired`: total - direct.

    The share of an example is left out: a ratio of two single numbers of which the lower may be about zero.

    Args:
        total: As of `self_repair`.
        direct: As of `self_repair`.
        components: Names.
        example: Ids.
    Raises:
        EffectError: Shapes do not fit, or a value is not finite.
    """
    total, direct = _checked(total, direct, components, example)
    k, n = total.shape
    return pd.DataFrame(
        {
            "component": np.repeat(np.array(components, dtype=object), n),
            "example": list(example) * k,
            "direct": direct.reshape(-1),
            "total": total.reshape(-1),
            "repaired": (total - direct).reshape(-1),
        }
    )


def _checked(
    total: np.ndarray, direct: np.ndarray, components: Sequence[str], rows: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray]:
    total, direct = np.asarray(total, float), np.asarray(direct, float)
    expected = (len(components), total.shape[-1] if rows is None else len(rows))
    if total.shape != direct.shape or total.shape != expected or not total.size:
        raise EffectError(
            f"total has shape {total.shape} and direct {direct.shape}; both must be (components, examples), {expected}"
        )
    if not (np.isfinite(total).all() and np.isfinite(direct).all()):
        raise EffectError("an effect is not finite; find out why the model gives it, or leave that example out")
    return total, direct


def _resampled(
    total: np.ndarray, direct: np.ndarray, codes: np.ndarray, level: float, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    drawn = bootstrap_means(
        np.concatenate([total, direct]),
        codes,
        np.zeros_like(codes),
        method="clusters",
        resamples=resamples,
        seed=seed,
    )
    above, below = np.split(drawn, 2, axis=1)
    ratio = np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)
    found = percentile(ratio, level)
    return found.low, found.high, found.method


def _paired(effect: np.ndarray, components: Sequence[str], codes: np.ndarray) -> Paired:
    rows = np.arange(effect.shape[1])
    return Paired(
        outcome="",
        kind=Kind.REAL,
        lesions=tuple(components),
        factual=np.zeros_like(effect),
        counterfactual=effect,
        effect=effect,
        fired=np.ones(effect.shape, dtype=bool),
        change_norm=np.zeros_like(effect),
        unit=rows,
        cluster=codes,
        seed=np.zeros_like(rows),
    )
