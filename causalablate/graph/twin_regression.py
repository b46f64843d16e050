"""Direct effects of scalar nodes from what single lesions change everywhere: a regression between twins."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from causalablate.errors import GraphError, nearest
from causalablate.graph.edges import ADJUST, edge_codes, graph_from
from causalablate.graph.families import adjusted
from causalablate.graph.network import ComponentGraph
from causalablate.graph.slopes import Twins, slopes_into

COLUMNS = ("source", "target", "context", "weight", "ci_low", "ci_high", "p", "p_holm", "p_bh", "p_by", "found")


@dataclass(frozen=True)
class TwinRegression:
    """A linear model of changes.

    Attributes:
        graph: Edges that were found, with slopes as weights.
        table: One row per context and possible edge: `source`, `target`, `context`; `weight`: the slope, by how much
            the target changes per unit of the source, all else equal, with its interval `ci_low`, `ci_high`, NaN where
            the rows do not tell it; `p`, `p_holm`, `p_bh`, `p_by`; `found`.
        residual: By `context` and `target`, `residual`: share of the mean squared change that the linear model leaves,
            0 where nodes are scalars and linear in their parents; NaN where nothing moves the target.
    """

    graph: ComponentGraph
    table: pd.DataFrame
    residual: pd.DataFrame


def twin_regression(
    twins: Twins,
    contexts: Sequence[Twins] = (),
    *,
    exact: bool = True,
    sesoi: float = 1e-4,
    level: float = 0.95,
    correction: str = "by",
) -> TwinRegression:
    """Regress the change of every node on the changes of those that data can reach it from.

    The change of k = sum over i of B[i, k] times the change of i, over rows (lesioned node, example) in which k is not
    itself lesioned. If nodes are scalars and linear in their parents, B holds the direct effects.

    Exact twins: least squares over all rows. Noisy ones: least squares sees noise in the regressors as effects of
    other nodes, and finds edges that do not exist. There, the rows of a node's own lesion are the instrument for its
    slope, net of the sham's noise: as many equations as slopes, each unbiased by noise that is independent between
    nodes, or common to the lesion and the sham.

    Args:
        twins: Changes in the factual run.
        contexts: Changes of the same examples under other lesions. Edges that show there alone are dormant.
        exact: Whether the changes are replays, noisy by rounding alone.
        sesoi: Smallest edge of interest: the share of the target's own change that the source's own change makes. The
            default is what float32 rounding stays below.
        level: Of the intervals; edges are found at 1 - `level`.
        correction: Of the p that decides: `by`, `bh` or `holm`.
    Raises:
        GraphError: Noisy twins without a sham; contexts of other examples; an unknown correction.

    Source: Wright (1928), The Tariff on Animal and Vegetable Oils, appendix B (instruments); Fuller (1987),
        Measurement Error Models.
    """
    every = (twins, *contexts)
    if correction not in ADJUST:
        raise GraphError(f'no correction "{correction}"{nearest(correction, ADJUST)}; there are {", ".join(ADJUST)}')
    if any(part.example != twins.example for part in contexts):
        raise GraphError("the contexts were measured on other examples than the factual run; measure them on the same")
    if not exact and any(part.sham is None for part in every):
        raise GraphError(
            "noisy changes say nothing without a sham: give Twins.sham, what was measured where nothing was off, "
            "shape (targets, examples)"
        )
    fits = [slopes_into(part, t, exact=exact, sesoi=sesoi, level=level) for part in every for t in part.targets]
    table = pd.concat([fit.table for fit in fits], ignore_index=True)
    for name, adjust in ADJUST.items():
        table[f"p_{name}"] = adjusted(table["p"].to_numpy(), edge_codes(table), adjust)
    table["found"] = table[f"p_{correction}"] < 1 - level
    residual = pd.DataFrame(
        [(f.context, f.target, f.residual) for f in fits], columns=["context", "target", "residual"]
    )
    untold = table[(table["context"] == "") & table["weight"].isna()].groupby("source", sort=False)["target"].first()
    notes = {
        source: f"its slopes, as on {target}, are not known: no lesion moves it by itself"
        for source, target in untold.items()
    }
    return TwinRegression(graph_from(table, twins.graph, correction, notes), table[list(COLUMNS)], residual)
