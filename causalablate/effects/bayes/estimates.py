"""Estimated effects of all lesions with their full covariance: lesions are measured on the same examples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag
from scipy.special import stdtrit

from causalablate.effects.bayes.correlation import shrunk_correlation
from causalablate.effects.clustered import cluster_t, two_way_t
from causalablate.effects.intervals import is_flat, mean_intervals, spread_of
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, totals
from causalablate.effects.proportion import z_value


@dataclass(frozen=True)
class Estimates:
    """What the data say about each lesion, as a normal likelihood; lesions sorted by name.

    Attributes:
        lesions: Names, length `lesions`.
        n_units: Examples behind each, shape (lesions,).
        ate: Mean effects, outcome units.
        center: Of the likelihood: `ate`, of shares the centre of the interval.
        se: Half-width of the interval over the normal quantile; 0 where all effects are equal, NaN where undefined.
        from_examples: Their covariance from the sampling of examples, shape (lesions, lesions); shrinks with more.
        from_seeds: The covariance that seeds add to it; more examples do not shrink it.
        low: Lower limit of the interval.
        high: Upper limit.
        method: Name of the interval, or `undefined: ` and the reason.
    """

    lesions: tuple[str, ...]
    n_units: np.ndarray
    ate: np.ndarray
    center: np.ndarray
    se: np.ndarray
    from_examples: np.ndarray
    from_seeds: np.ndarray
    low: np.ndarray
    high: np.ndarray
    method: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which lesions have a standard error above zero, bool."""
        return self.se > 0

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the known lesions, shape (known, known); the diagonal is `se`^2."""
        return (self.from_examples + self.from_seeds)[np.ix_(self.known, self.known)]


def estimates_of(blocks: Sequence[Paired], level: float) -> Estimates:
    """Estimate every lesion of one outcome, as the intervals at `level` do.

    The normal likelihood is as wide as the interval of `mean_intervals` at `level`: few clusters or seeds widen it as t
    quantiles do, and rare flips never look certain. It is centred on the mean effect: added flips pull the centre of an
    interval towards zero, which is the part of the prior here. Correlations are those of the cluster totals
    (and of the seed totals, for what the seeds add), shrunk by `shrunk_correlation`. Added flips are
    independent between lesions: they widen the diagonal alone. Different blocks share no covariance.

    Args:
        blocks: Paired outcomes of one outcome, one per set of lesions measured on the same rows.
        level: Two-sided coverage, in (0.5, 1).
    """
    parts = [_estimates(_by_name(block), level) for block in blocks]
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("n_units", "ate", "center", "se", "low", "high", "method")
    }
    lesions = np.array([name for part in parts for name in part.lesions], dtype=object)
    order = np.argsort(lesions, kind="stable")
    examples, seeds = (block_diag(*[getattr(p, c) for p in parts]) for c in ("from_examples", "from_seeds"))
    return Estimates(
        lesions=tuple(lesions[order]),
        from_examples=examples[np.ix_(order, order)],
        from_seeds=seeds[np.ix_(order, order)],
        **{name: values[order] for name, values in joined.items()},
    )


def _by_name(paired: Paired) -> Paired:
    """Lesions sorted by name: sums over lesions then round alike, whatever their order in the table."""
    order = np.argsort(np.array(paired.lesions, dtype=object), kind="stable")
    return replace(
        paired,
        lesions=tuple(paired.lesions[i] for i in order),
        factual=paired.factual[order],
        counterfactual=paired.counterfactual[order],
        effect=paired.effect[order],
        fired=paired.fired[order],
        change_norm=paired.change_norm[order],
    )


def _estimates(paired: Paired, level: float) -> Estimates:
    interval, z = mean_intervals(paired, level), z_value(level)
    spread, ate = spread_of(paired), paired.effect.mean(axis=1)
    if paired.kind is Kind.CATEGORICAL:
        center, se = (interval.low + interval.high) / 2, (interval.high - interval.low) / (2 * z)
    elif spread is None:
        center, se = ate, np.full(ate.shape, np.nan)
    else:
        undefined = np.array([str(method).startswith("undefined") for method in interval.method])
        flat = is_flat(paired, spread)
        center, se = ate, np.where(flat, np.where(undefined, np.nan, 0.0), spread.half_width(level) / z)
    examples, seeds = _parts(paired, level, np.nan_to_num(se))
    return Estimates(
        lesions=paired.lesions,
        n_units=np.full(ate.shape, paired.n_units),
        ate=ate,
        center=center,
        se=se,
        from_examples=examples,
        from_seeds=seeds,
        low=interval.low,
        high=interval.high,
        method=interval.method,
    )


def _parts(paired: Paired, level: float, se: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance from examples and from seeds; their sum has the diagonal `se`^2."""
    zero = np.zeros((se.size, se.size))
    if paired.n_clusters < 2:
        return np.diag(se**2), zero
    several = paired.n_seeds > 1
    raw = two_way_t(paired.effect, paired.cluster, paired.seed) if several else cluster_t(paired.effect, paired.cluster)
    quantiles = stdtrit(np.array(raw.df), (1 + level) / 2) / z_value(level)
    widths = quantiles[:, None] * np.sqrt(raw.variances)
    total = np.hypot.reduce(widths)
    kept = np.divide(se, total, out=np.ones_like(se), where=total > se)
    residual = paired.effect - paired.effect.mean(axis=1, keepdims=True)
    examples = _covariance(totals(residual, paired.cluster), kept * widths[-1])
    seeds = _covariance(totals(residual, paired.seed), kept * widths[0]) if several else zero
    # What the adjustment for rare flips adds, and rounding, is the lesion's own.
    np.fill_diagonal(examples, se**2 - np.diag(seeds))
    return examples, seeds


def _covariance(sums: np.ndarray, sd: np.ndarray) -> np.ndarray:
    return shrunk_correlation(sums) * np.outer(sd, sd)
