"""From measured direct effects to edges: which are there, how large they are, how surely."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from causalablate.effects.corrections import benjamini_hochberg, benjamini_yekutieli, holm
from causalablate.errors import GraphError, nearest
from causalablate.graph.families import adjusted
from causalablate.graph.matrices import Transfer
from causalablate.graph.network import ComponentGraph, Edge
from causalablate.graph.stability import share_found, share_seen
from causalablate.graph.thresholds import check_possible, incoming, silent

Correction = Literal["by", "bh", "holm"]

ADJUST = {"by": benjamini_yekutieli, "bh": benjamini_hochberg, "holm": holm}
"""All tests of a target share its factual reading and its sham, so that false edges come in groups; two-sided ones are
dependent in ways for which Benjamini-Hochberg has no proof. Benjamini-Yekutieli holds whatever the dependence."""

COLUMNS = (
    "source",
    "target",
    "context",
    "effect",
    "weight",
    "ci_low",
    "ci_high",
    "share",
    "p",
    "p_holm",
    "p_bh",
    "p_by",
    "stability",
    "found",
)


def component_graph(
    found: Transfer,
    contexts: Sequence[Transfer] = (),
    *,
    exact: bool = True,
    sesoi: float = 0.0,
    level: float = 0.95,
    correction: Correction = "by",
    resamples: int = 1000,
    seed: int = 0,
) -> ComponentGraph:
    """The graph of who acts on whom directly, estimated from measured effects.

    Args:
        found: What was measured in the factual run.
        contexts: What was measured on the same examples under other lesions. Edges that show there alone are dormant.
        exact: The measurements are replays, noisy by rounding alone; see `edge_table`.
        sesoi: Smallest edge of interest, in units of the weight.
        level: Of intervals; edges that are found by tests are found at 1 - `level`.
        correction: Whether that is the false discovery rate, whatever the dependence of the tests (`by`) or where it is
            positive (`bh`), or the familywise error (`holm`).
        resamples: Of the examples, for the stability.
        seed: Of the resamples.
    Returns:
        Edges with `weight`, interval, `p` adjusted by `correction` and `stability`; in `notes`, nodes that never fire.
    Raises:
        GraphError: As for `edge_table`.
    """
    table = edge_table(
        found,
        contexts,
        exact=exact,
        sesoi=sesoi,
        level=level,
        correction=correction,
        resamples=resamples,
        seed=seed,
    )
    return graph_from(table, found.graph, correction, _silent(found, contexts))


def graph_from(table: pd.DataFrame, graph: ComponentGraph, correction: str, notes: Mapping[str, str]) -> ComponentGraph:
    """The edges of a table that were found, as a graph.

    The factual run has the first word; an edge that it does not show is dormant, and taken from the context in which it
    is strongest.

    Args:
        table: Columns as those of `edge_table`, one row per context and possible edge.
        graph: Nodes, outcomes and notes.
        correction: Whose p the edges carry: `by`, `bh` or `holm`.
        notes: More notes.
    """
    here = table[table["found"]].assign(dormant=lambda t: t["context"] != "", size=lambda t: -t["weight"].abs())
    first = here.sort_values(["dormant", "size"], kind="stable").drop_duplicates(["source", "target"])
    edges = [
        Edge(
            row["source"],
            row["target"],
            "dormant" if row["dormant"] else "direct",
            row["weight"],
            row["ci_low"],
            row["ci_high"],
            row[f"p_{correction}"],
            row.get("stability", float("nan")),
            row["context"],
        )
        for row in first.sort_index().to_dict("records")
    ]
    return ComponentGraph(graph.order, tuple(edges), graph.outcomes, {**graph.notes, **notes})


def edge_table(
    found: Transfer,
    contexts: Sequence[Transfer] = (),
    *,
    exact: bool = True,
    sesoi: float = 0.0,
    level: float = 0.95,
    correction: Correction = "by",
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Every way that data can take, and what goes along it.

    In exact replays one example in which a node moves by more than rounding proves the edge. With noisy measurements,
    or a `sesoi` above zero, an edge is one whose mean effect is shown to be larger: than the sham's, and than `sesoi`.

    Args:
        found: What was measured in the factual run.
        contexts: What was measured on the same examples under other lesions.
        exact: The measurements are replays, noisy by rounding alone.
        sesoi: Smallest edge of interest, in units of the weight.
        level: Of the intervals; tested edges are found at 1 - `level`.
        correction: Of the p that decides: `by`, `bh` or `holm`.
        resamples: Of the examples, for the stability; 0 for none.
        seed: Of the resamples.
    Returns:
        One row per context and possible edge; `source`, `target`, `context`; `effect`: mean change beyond the sham's,
        in units of the activation or the outcome; `weight`: the same in units of the target's own full change, the mean
        change when it is itself switched off (what moves it most, where its own lesion does not move it), for outcomes
        `effect`; `ci_low`, `ci_high`: cluster-robust t interval of `weight`; `share`: examples in which the change
        exceeds rounding; `p`: of a mean effect of at most `sesoi`, one-sided, for outcomes of a mean effect within
        +-`sesoi` times the largest mean total effect; `p_holm`, `p_bh`, `p_by`: adjusted for all edges and contexts;
        `stability`: share of resampled clusters in which the edge is found; `found`.
    Raises:
        GraphError: The contexts hold other examples; a change where data cannot go; noisy measurements without a sham.

    Source: Benjamini & Yekutieli (2001), Ann. Stat. 29(4), on false discoveries under any dependence.
    """
    if correction not in ADJUST:
        raise GraphError(f'no correction "{correction}"{nearest(correction, ADJUST)}; there are {", ".join(ADJUST)}')
    if sesoi < 0:
        raise GraphError(f"sesoi is {sesoi}; the smallest edge of interest is at least 0, in units of the weight")
    if any(part.example != found.example for part in contexts):
        raise GraphError("the contexts were measured on other examples than the factual run; measure them on the same")
    if not exact and any(part.sham is None for part in (found, *contexts)):
        raise GraphError(
            "noisy measurements say nothing without a sham: give Transfer.sham, what was measured where nothing was "
            "off, shape (targets, examples)"
        )
    if exact:
        for part in (found, *contexts):
            check_possible(part)
    rows = [incoming(part, target, sesoi, level) for part in (found, *contexts) for target in part.targets]
    table = pd.concat([each.table for each in rows], ignore_index=True)
    edge = edge_codes(table)
    for name, adjust in ADJUST.items():
        table[f"p_{name}"] = adjusted(table["p"].to_numpy(), edge, adjust)
    cluster = np.unique(found.cluster, return_inverse=True)[1]
    if exact and sesoi == 0:
        seen = np.concatenate([each.seen for each in rows])
        table["found"] = seen.any(axis=1)
        table["stability"] = share_seen(seen, cluster, resamples=resamples, seed=seed)
    else:
        table["found"] = table[f"p_{correction}"] < 1 - level
        above, below = (np.concatenate([getattr(each, side) for each in rows]) for side in ("above", "below"))
        table["stability"] = share_found(
            above, below, cluster, edge, alpha=1 - level, adjust=ADJUST[correction], resamples=resamples, seed=seed
        )
    return table[list(COLUMNS)]


def edge_codes(table: pd.DataFrame) -> np.ndarray:
    """Which edge each row is about, whatever the context: codes."""
    return table.groupby(["source", "target"], sort=False).ngroup().to_numpy()


def _silent(found: Transfer, contexts: Sequence[Transfer]) -> dict[str, str]:
    """Nodes whose lesion changes nothing, not even what they say themselves."""
    notes = {}
    for node in silent(found):
        wakes = next((part.context for part in contexts if node in part.sources and node not in silent(part)), None)
        notes[node] = "never fires: in no example does switching it off change what it says" + (
            f"; under {wakes} it does" if wakes else ". If it is constant, another off than its mean shows what it does"
        )
    return notes
