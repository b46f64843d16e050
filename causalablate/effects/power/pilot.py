"""What a pilot table says about the variances of a study like it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, chdtri

from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, renumber, totals
from causalablate.effects.power.means import Precision
from causalablate.effects.seeds.components import effective_df, two_way_components
from causalablate.effects.uncertainty import LARGE_DF, assumed_design, design_limit, shown_design

NO_SPREAD = 1e-12
"""An SD below this share of the largest effect is rounding."""


@dataclass(frozen=True)
class Pilot:
    """Variances of one outcome of several lesions, per cluster of examples; arrays of shape (lesions,).

    Attributes:
        kind: What the outcome's numbers are.
        lesions: Lesion names.
        n_units: Examples.
        n_clusters: Clusters.
        n_seeds: Seeds.
        effect: Average effect.
        item: Variance between clusters of their mean effect; with several seeds, of what they share over seeds.
        seed: Variance between seeds; zero with one seed.
        cell: Variance of seeds x clusters; zero with one seed.
        spread: Variance of a single effect.
        discordance: Share of rows whose binary outcome flips; the share that changed for categories; else NaN.
        design: Design effect that flips show (`shown_design`).
        known: Share of the clusters that show it.
        reason: Why the variances are NaN; empty where they are not.
    """

    kind: Kind
    lesions: tuple[str, ...]
    n_units: int
    n_clusters: int
    n_seeds: int
    effect: np.ndarray
    item: np.ndarray
    seed: np.ndarray
    cell: np.ndarray
    spread: np.ndarray
    discordance: np.ndarray
    design: np.ndarray
    known: np.ndarray
    reason: str = ""

    @property
    def per_cluster(self) -> float:
        """Examples per cluster."""
        return self.n_units / self.n_clusters

    @property
    def independent(self) -> bool:
        """Whether rows are independent: one seed, no shared clusters."""
        return self.n_seeds == 1 and self.n_clusters == self.n_units


def pilot_of(paired: Paired, assurance: float | None = None) -> Pilot:
    """Estimate the variances, or their upper confidence limits.

    Args:
        paired: The pilot.
        assurance: One-sided confidence of the upper limits; None for the estimates.

    Source: Browne (1995), Stat. Med. 14(17), for planning with upper limits; Clopper & Pearson (1934) for flips.
    """
    share = np.abs(paired.effect).mean(axis=1) if paired.kind in (Kind.BINARY, Kind.CATEGORICAL) else None
    if share is not None and assurance is not None and paired.n_clusters == paired.n_rows:
        flips = np.round(share * paired.n_rows)
        share = np.where(
            flips < paired.n_rows, betaincinv(flips + 1, np.maximum(paired.n_rows - flips, 1), assurance), 1.0
        )
    item, seed, cell, reason = _variances(paired, assurance)
    mean = paired.effect.mean(axis=1)
    design, known = shown_design(paired.effect, paired.cluster, paired.seed)
    return Pilot(
        kind=paired.kind,
        lesions=paired.lesions,
        n_units=paired.n_units,
        n_clusters=paired.n_clusters,
        n_seeds=paired.n_seeds,
        effect=mean,
        item=item,
        seed=seed,
        cell=cell,
        spread=paired.effect.var(axis=1, ddof=1) if paired.n_rows > 1 else np.full(mean.shape, np.nan),
        discordance=np.full(mean.shape, np.nan) if share is None else share,
        design=design,
        known=known / paired.n_clusters,
        reason=reason,
    )


def _variances(paired: Paired, assurance: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Item, seed and cell variance of cluster totals in units of the mean cluster's size."""
    zero = np.zeros(len(paired.lesions))
    nan = np.full(len(paired.lesions), np.nan)
    if paired.n_clusters < 2:
        return nan, nan, nan, "one cluster (or example) shows no variance"
    code = paired.seed * paired.n_clusters + paired.cluster
    cells = np.unique(code)
    sums = totals(paired.effect - paired.effect.mean(axis=1, keepdims=True), renumber(code))
    values = sums * cells.size / paired.n_rows
    cluster, seed = cells % paired.n_clusters, cells // paired.n_clusters
    if paired.n_seeds == 1:
        item = values.var(axis=1, ddof=1)
        item[item <= (NO_SPREAD * np.abs(paired.effect).max(axis=1)) ** 2] = 0.0
        if assurance is not None:
            df = effective_df(values**2, paired.n_clusters - 1.0)
            item = item * df / chdtri(df, assurance)
        return item, zero, zero, ""
    level = 0.5 if assurance is None else 2 * assurance - 1
    found = two_way_components(values, cluster, seed, cluster, level)
    item, seed_variance, cell = np.maximum(found.variance if assurance is None else found.high, 0.0)
    return item, seed_variance, cell, found.reason if np.isnan(item).any() else ""


def design_effect(paired: Paired) -> tuple[np.ndarray, np.ndarray]:
    """Intraclass correlation of effects within clusters, and 1 + (m - 1) icc; each of shape (lesions,).

    By one-way analysis of variance of the examples' effects, averaged over seeds; m is the cluster size that a random
    example finds itself in. Negative correlations count as zero. The correlation is NaN where no clusters are shared.

    Source: Kish (1965), Survey Sampling; Donner & Klar (2000), Cluster Randomization Trials.
    """
    one = np.ones(len(paired.lesions))
    if paired.n_clusters in (1, paired.n_units):
        return np.full(one.shape, np.nan), one
    values = totals(paired.effect, paired.unit) / np.bincount(paired.unit)
    cluster = paired.cluster[np.unique(paired.unit, return_index=True)[1]]
    sizes, n, k = np.bincount(cluster), paired.n_units, paired.n_clusters
    means = totals(values, cluster) / sizes
    between = (sizes * (means - values.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) / (k - 1)
    inside = ((values - means[:, cluster]) ** 2).sum(axis=1) / (n - k)
    size = (n - (sizes**2).sum() / n) / (k - 1)
    total = between + (size - 1) * inside
    icc = np.where(total > 0, np.maximum(between - inside, 0) / np.where(total > 0, total, 1.0), np.nan)
    return icc, 1 + ((sizes**2).sum() / n - 1) * np.nan_to_num(icc)


def precision_of(pilot: Pilot, effect: np.ndarray, clusters: np.ndarray, n_seeds: np.ndarray) -> Precision:
    """Precision of the mean effect in a study of that many clusters and seeds.

    The variance of binary effects follows from the assumed effect and the discordance, which stays the pilot's.

    Args:
        pilot: What is known.
        effect: Assumed true effect, shape (lesions,).
        clusters: Planned clusters, shape (lesions,); infinite for as many as one likes.
        n_seeds: Planned seeds, shape (lesions,).
    """
    scale = _scale(pilot, effect)
    cell = scale * pilot.cell / clusters / n_seeds
    seed = scale * pilot.seed / n_seeds + cell
    item = scale * pilot.item / clusters + cell
    shrink, pseudo = np.ones(effect.shape), np.zeros(effect.shape)
    if pilot.kind is Kind.BINARY:
        # Two clusters are added, of effects +1 and -1, of as many rows as `pseudo_rows` says.
        known = pilot.known * np.minimum(clusters, LARGE_DF)
        limit = design_limit(pilot.design, known, assumed_design(pilot.per_cluster))
        added = limit / pilot.per_cluster / clusters
        shrink, pseudo = 1 / (1 + 2 * added), 2 * (added / (1 + 2 * added)) ** 2
    return Precision(
        item=shrink**2 * item,
        seed=shrink**2 * seed,
        cell=shrink**2 * cell,
        pseudo=pseudo,
        shrink=shrink,
        df_item=clusters - 1.0,
        n_seeds=n_seeds,
    )


def _scale(pilot: Pilot, effect: np.ndarray) -> np.ndarray:
    if pilot.kind not in (Kind.BINARY, Kind.CATEGORICAL):
        return np.ones(effect.shape)
    seen = pilot.discordance - pilot.effect**2
    share = np.maximum(pilot.discordance, np.abs(effect)) if pilot.kind is Kind.BINARY else effect
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seen > 0, (share - effect**2) / seen, np.nan)
