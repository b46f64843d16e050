"""Mean effect inside a group minus mean effect outside it, when clusters may be on both sides."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired, totals
from causalablate.effects.spread import Spread
from causalablate.effects.uncertainty import pseudo_rows

ENDS = {Kind.BINARY: (1.0, -1.0), Kind.CATEGORICAL: (1.0, 0.0)}
"""Effects of the two clusters that are added to each side, so that few flips do not look like certainty."""

WELCH = "Welch t"
CLUSTERED = "cluster-robust t, CR2"
TWO_WAY = "two-way t, CR2"
ADJUSTED = {Kind.BINARY: ", Bonett-Price adjusted", Kind.CATEGORICAL: ", Agresti-Caffo adjusted"}


def difference_name(paired: Paired) -> str:
    """What the interval of the difference is called."""
    base = TWO_WAY if paired.n_seeds > 1 else WELCH if paired.independent else CLUSTERED
    return base + ADJUSTED.get(paired.kind, "")


def inside_minus_outside(paired: Paired, inside: np.ndarray) -> Spread | None:
    """The difference of two means over rows of the same clusters, and how uncertain it is.

    The bias-reduced cluster-robust variance (CR2) of the coefficient in the regression of effects on being inside, with
    the degrees of freedom of Bell & McCaffrey. The design makes both simple: the residuals of cluster g on one side are
    divided by sqrt(1 - share of the side's rows that are in g). With one row per cluster the variance is Welch's, and
    the degrees of freedom are those that Welch's formula gives for equal variances: they do not follow the
    estimated variances of small groups. With several seeds, what the seeds add is a second part (as in `two_way_t`).

    Binary outcomes get one added cluster of flips down and one of flips up on each side, shares one changed and one
    unchanged: Bonett & Price's adjustment and Agresti & Caffo's, per side.

    Args:
        paired: The outcomes.
        inside: Which rows are inside, shape (rows,), bool.
    Returns:
        None where a side has fewer than two clusters.
    Source: Bell & McCaffrey (2002), Surv. Methodol. 28(2); Imbens & Kolesar (2016), Rev. Econ. Stat. 98(4); Agresti &
        Caffo (2000), Am. Stat. 54(4).
    """
    if min(np.unique(paired.cluster[mask]).size for mask in (inside, ~inside)) < 2:
        return None
    pseudo = pseudo_rows(paired) if paired.kind in ENDS else None
    sides = [_side(paired, mask, i, pseudo) for i, mask in enumerate((inside, ~inside))]
    center = sides[0].center - sides[1].center
    scores = sides[0].adjusted - sides[1].adjusted
    v_item = (scores**2).sum(axis=1)
    df = _bell_mccaffrey(sides[0], sides[1])
    if paired.n_seeds == 1:
        return Spread(center, v_item[None], (df,))
    v_seed = _around(sides[0].by_seed - sides[1].by_seed)
    n_columns = min(side.n_columns for side in sides)
    v_cell = ((sides[0].interaction - sides[1].interaction) ** 2).sum(axis=(1, 2))
    v_cell *= paired.n_seeds / (paired.n_seeds - 1) * n_columns / (n_columns - 1)
    from_seeds = np.maximum(np.maximum(v_seed - v_cell, v_seed - v_item), 0.0)
    return Spread(center, np.stack([from_seeds, v_item]), (paired.n_seeds - 1.0, df))


@dataclass(frozen=True)
class _Side:
    """One side as sums over cells of seed and cluster: residuals divided by the side's rows.

    Attributes:
        center: Mean effect, shape (lesions,), with the added clusters.
        adjusted: Residuals by cluster, enlarged for CR2, shape (lesions, clusters + 4).
        by_seed: Residuals by seed, shape (lesions, seeds).
        interaction: Residuals less what their seed and their cluster explain, shape (lesions, seeds, clusters + 4).
        own: Rows by cluster in the table, shape (clusters + 4,).
        n_columns: Clusters with rows, added ones included.
    """

    center: np.ndarray
    adjusted: np.ndarray
    by_seed: np.ndarray
    interaction: np.ndarray
    own: np.ndarray
    n_columns: int


def _side(paired: Paired, mask: np.ndarray, number: int, pseudo: np.ndarray | None) -> _Side:
    """Side `number`, 0 or 1, which decides the columns of its added clusters: they are on no side but their own."""
    n_seeds, n_columns = paired.n_seeds, paired.n_clusters + 4
    cell = (paired.seed * n_columns + paired.cluster)[mask]
    sizes = np.bincount(cell, minlength=n_seeds * n_columns).astype(float)
    present = np.flatnonzero(sizes)
    sums = np.zeros((len(paired.lesions), sizes.size))
    sums[:, present] = totals(paired.effect[:, mask], np.searchsorted(present, cell))
    weights, cells = sizes.reshape(1, n_seeds, n_columns), sums.reshape(-1, n_seeds, n_columns)
    own = weights[0].sum(axis=0)
    if pseudo is not None:
        weights = np.repeat(weights, pseudo.size, axis=0)
        for i, end in enumerate(ENDS[paired.kind]):
            column = paired.n_clusters + 2 * number + i
            weights[:, :, column] = pseudo[:, None] / n_seeds
            cells[:, :, column] = end * weights[:, :, column]
    by_column, n = weights.sum(axis=1), weights.sum(axis=(1, 2))
    center = cells.sum(axis=(1, 2)) / n
    residual = (cells - center[:, None, None] * weights) / n[:, None, None]
    by_cluster, by_seed = residual.sum(axis=1), residual.sum(axis=2)
    there = by_column[0] > 0
    interaction = residual - by_seed[:, :, None] * there / there.sum() - by_cluster[:, None, :] / n_seeds
    enlarged = by_cluster / np.sqrt(1 - by_column / n[:, None])
    return _Side(center, enlarged, by_seed, interaction, own, int(there.sum()))


def _around(by_seed: np.ndarray) -> np.ndarray:
    n_seeds = by_seed.shape[1]
    return n_seeds / (n_seeds - 1) * (by_seed**2).sum(axis=1)


def _bell_mccaffrey(first: _Side, second: _Side) -> float:
    """(trace G)^2 / trace G^2 for the matrix G of the quadratic form, were all rows equally variable and independent.

    Added clusters are no evidence and count for nothing. G = diag(d) - U U', with one column of U per side, and is
    never made.
    """
    diagonal, columns, trace = np.zeros(first.own.size), [], 0.0
    for side in (first, second):
        n = side.own.sum()
        enlarged = side.own / np.sqrt(1 - side.own / n)
        diagonal += side.own / (1 - side.own / n) / n**2
        columns.append(enlarged / n**1.5)
        trace += 1 / n
    u = np.stack(columns, axis=1)
    squared = (diagonal**2).sum() - 2 * (diagonal * (u**2).sum(axis=1)).sum() + ((u.T @ u) ** 2).sum()
    return float(trace**2 / squared)
