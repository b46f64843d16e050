"""Slopes of one node's change on those of the nodes before it, under single lesions: estimating equations."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from causalablate.effects.clustered import cluster_t
from causalablate.effects.paired import totals
from causalablate.graph.network import ComponentGraph

RANK = 1e-10
"""Singular values of the standardised equations below this share of the largest are zero."""

UNTOLD = 1e-6
"""A slope of which the equations leave more than this share open is not known."""

FIRES = 0.05
"""Largest p of "its lesion does not move it", under noise, for a node to be the instrument of its slope."""


@dataclass(frozen=True)
class Twins:
    """What every single lesion changes in every node, one number each.

    Attributes:
        graph: The ways that data can take; `order` names the nodes.
        sources: The nodes that were switched off, in order.
        targets: The nodes, in order, outcomes last.
        change: What they say under the lesion - what they say without, shape (sources, targets, examples).
        example: Example ids.
        cluster: Their clusters.
        context: The lesion that was on in both worlds, by name; empty for the factual run.
        sham: The change where nothing was off, shape (targets, examples), from measurements as noisy as `change`; None
            where there is no noise.
    """

    graph: ComponentGraph
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    change: np.ndarray
    example: tuple[str, ...]
    cluster: tuple[str, ...]
    context: str = ""
    sham: np.ndarray | None = None


@dataclass(frozen=True)
class Slopes:
    """The slopes of one node.

    Attributes:
        target: The node.
        context: The context.
        table: One row per possible edge: source, target, context, weight, ci_low, ci_high, p.
        residual: Share of the mean squared change that the slopes leave.
    """

    target: str
    context: str
    table: pd.DataFrame
    residual: float


@dataclass(frozen=True)
class _Equations:
    """sum over clusters of (left b - right) = 0, shapes (clusters, k, k) and (clusters, k)."""

    left: np.ndarray
    right: np.ndarray


def slopes_into(twins: Twins, target: str, *, exact: bool, sesoi: float, level: float) -> Slopes:
    """Slopes of one node on all those that data can reach it from directly.

    Args:
        twins: Changes.
        target: The node.
        exact: Least squares over all rows; else each node's own lesion is the instrument of its slope.
        sesoi: Smallest share of the target's own change that a source's own change must make.
        level: Of the intervals.
    """
    j = twins.targets.index(target)
    pairs = twins.graph.pairs
    parents = [i for i, source in enumerate(twins.sources) if (source, target) in pairs]
    columns = [twins.targets.index(twins.sources[i]) for i in parents]
    rows = [i for i, source in enumerate(twins.sources) if source != target]
    sham = np.zeros(twins.change.shape[1:]) if exact or twins.sham is None else twins.sham.astype(float)
    x, y = twins.change[rows][:, columns].astype(float), twins.change[rows, j].astype(float)
    cluster = np.unique(twins.cluster, return_inverse=True)[1]
    equations = _all_rows(x, y, cluster) if exact else _own_rows(twins, parents, columns, j, sham, cluster)
    some, told, influence = _solved(equations)
    slope = np.where(told, some, np.nan)
    sizes = _sizes(twins)
    share = np.divide(sizes[columns], sizes[j], out=np.zeros(len(columns)), where=sizes[j] > 0)
    se, df = _uncertainty(influence)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (np.abs(slope) * share - sesoi) / (se * share)
        half = stdtrit(df, (1 + level) / 2) * se
    p = np.where(np.isnan(slope) | np.isnan(df), np.nan, np.where(np.isnan(t), 1.0, np.minimum(2 * stdtr(df, -t), 1.0)))
    table = pd.DataFrame(
        {
            "source": [twins.sources[i] for i in parents],
            "target": target,
            "context": twins.context,
            "weight": slope,
            "ci_low": slope - half,
            "ci_high": slope + half,
            "p": p,
        }
    )
    return Slopes(
        target, twins.context, table, _residual(x, y, some, sham[columns], sham[j], sesoi * sizes[j], cluster)
    )


def _residual(
    x: np.ndarray,
    y: np.ndarray,
    slope: np.ndarray,
    x_sham: np.ndarray,
    y_sham: np.ndarray,
    least: float,
    cluster: np.ndarray,
) -> float:
    """Share of the mean squared change that slopes leave, net of the sham's; NaN where the target hardly moves."""
    whole = (y**2 - y_sham**2).mean(axis=0)
    left = (y - np.einsum("ski,k->si", x, slope)) ** 2 - (y_sham - slope @ x_sham) ** 2
    if not whole.mean() > least**2 or (cluster.max() and not _moves(whole[None], cluster)[0]):
        return float("nan")
    return float(max(left.mean(), 0.0) / whole.mean())


def _all_rows(x: np.ndarray, y: np.ndarray, cluster: np.ndarray) -> _Equations:
    """Normal equations of least squares, from x (rows, k, examples) and y (rows, examples)."""
    k, n = x.shape[1:]
    left = np.einsum("ski,sli->kli", x, x, optimize=True).reshape(k * k, n)
    return _by_cluster(left, np.einsum("ski,si->ki", x, y), cluster)


def _own_rows(
    twins: Twins, parents: list[int], columns: list[int], j: int, sham: np.ndarray, cluster: np.ndarray
) -> _Equations:
    """For each parent, in the rows of its own lesion: the products of its change with every other, net of the sham's.

    A node that data cannot reach from the parent does not move there; what it seems to is noise. A parent whose own
    lesion does not move it has no equation: its slope is left open, and with it those of the nodes whose lesions do.
    """
    graph = twins.graph
    if not parents:
        return _by_cluster(np.zeros((0, len(cluster))), np.zeros((0, len(cluster))), cluster)
    reached = [{twins.sources[i]} | graph.descendants(twins.sources[i]) for i in parents]
    own = twins.change[parents, columns].astype(float)
    every = np.where(
        np.array([[twins.targets[c] in reach for c in columns] for reach in reached])[:, :, None],
        own[:, None] * twins.change[parents][:, columns] - sham[columns][:, None] * sham[columns][None],
        0.0,
    )
    right = own * twins.change[parents, j] - sham[columns] * sham[j]
    if cluster.max():
        still = ~_moves(own**2 - sham[columns] ** 2, cluster)
        every[still], right[still] = 0.0, 0.0
        for b in np.flatnonzero(still):
            every[~_moves(every[:, b], cluster) & ~_moves(-every[:, b], cluster), b] = 0.0
    return _by_cluster(every.reshape(-1, every.shape[-1]), right, cluster)


def _moves(products: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Whether the mean is above zero, bool, shape (k,), from products (k, examples)."""
    spread = cluster_t(products, cluster)
    return np.where(spread.se > 0, spread.p_greater(0.0) < FIRES, spread.center > 0)


def _by_cluster(left: np.ndarray, right: np.ndarray, cluster: np.ndarray) -> _Equations:
    k, groups = len(right), int(cluster.max()) + 1
    return _Equations(totals(left, cluster).T.reshape(groups, k, k), totals(right, cluster).T)


def _solved(equations: _Equations) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes that solve the equations, whether no others do, and the influence of every cluster on them."""
    left, right = equations.left.sum(axis=0), equations.right.sum(axis=0)
    row = _inverse(np.sqrt(np.abs(np.diag(left))))
    # A node without an equation has no size of its own there; what others do to it has one.
    column = np.where(row > 0, row, _inverse((np.abs(left) * row[:, None]).max(axis=0, initial=0.0)))
    standard = row[:, None] * left * column
    inverse = np.linalg.pinv(standard, rcond=RANK)
    open_ = 1 - np.diag(inverse @ standard)
    inverse = column[:, None] * inverse * row
    slope = inverse @ right
    influence = (equations.right - equations.left @ slope) @ inverse.T
    return slope, np.abs(open_) <= UNTOLD, influence


def _inverse(x: np.ndarray) -> np.ndarray:
    return np.divide(1.0, x, out=np.zeros_like(x), where=x > 0)


def _uncertainty(influence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cluster-robust standard errors and their degrees of freedom, each shape (k,); NaN with one cluster.

    Products of changes have heavy tails, so that their squares tell the variance less well than G - 1 degrees of
    freedom say: 2 V^2 / Var(V), from the fourth powers, at most G - 1.

    Source: Satterthwaite (1946), Biometrics Bull. 2(6).
    """
    g = len(influence)
    if g < 2:
        return np.full(influence.shape[1], np.nan), np.full(influence.shape[1], np.nan)
    second, fourth = (influence**2).sum(axis=0), (influence**4).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = 2 * g / (g * fourth / second**2 - 1)
    return np.sqrt(second * g / (g - 1)), np.where(df > 0, np.minimum(df, g - 1), g - 1)


def _sizes(twins: Twins) -> np.ndarray:
    """Root mean square of each target's own change, or of the largest that others make; shape (targets,)."""
    by_source = np.sqrt((twins.change.astype(float) ** 2).mean(axis=2))
    own = np.zeros(len(twins.targets))
    for i, source in enumerate(twins.sources):
        own[twins.targets.index(source)] = by_source[i, twins.targets.index(source)]
    return np.where(own > 0, own, by_source.max(axis=0, initial=0.0))
