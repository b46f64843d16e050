"""Whether a table of runs contradicts a graph: what the graph separates should be uncorrelated."""

from itertools import combinations, islice

import numpy as np
import pandas as pd

from causalablate.effects.corrections import holm
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.columns import observed
from causalablate.graph.identify.linear import Plan, design, fit, interval, regress
from causalablate.graph.identify.separation import minimal_separators


def independences(runs: pd.DataFrame, graph: CausalGraph) -> pd.DataFrame:
    """Check the independences that a graph implies on a table of runs.

    A contradiction says that an arrow or an unobserved cause is missing; that nothing is contradicted does not say
    that the graph is right.

    Args:
        runs: One row per run. Nodes without a column count as unobserved; runs with missing values are left out
            where they are needed.
        graph: What is checked.
    Returns:
        One row per pair of numeric nodes that some set separates: `x`, `y`; `given`, a smallest such set, joined by
        `&`; `correlation` of what is left of both; `p` of the slope, with HC3 errors, and `p_holm` over all rows;
        `n_runs`.
    """
    seen = observed(runs, graph)
    rows = []
    for x, y in combinations(seen.order, 2):
        pair = runs[[x, y]]
        if any(not pd.api.types.is_numeric_dtype(pair[n]) for n in (x, y)):
            continue
        sets = islice(minimal_separators(seen, x, y, set(seen.nodes) - {x, y}), 100)
        given = min(sets, key=lambda s: (len(s), sorted(s)), default=None)
        if given is None:
            continue
        names = tuple(n for n in seen.nodes if n in given)
        frame = runs[[x, y, *names]].dropna()
        rows.append((x, y, " & ".join(names), *_correlation(frame, x, y, names), len(frame)))
    table = pd.DataFrame(rows, columns=["x", "y", "given", "correlation", "p", "n_runs"])
    table.insert(5, "p_holm", holm(table["p"].to_numpy(float)))
    return table


def _correlation(frame: pd.DataFrame, x: str, y: str, given: tuple[str, ...]) -> tuple[float, float]:
    others = design(frame, given)
    left = [regress(frame[n].to_numpy(float), others)[1] for n in (x, y)]
    sizes = [float(np.linalg.norm(part)) for part in left]
    whole = [float(np.linalg.norm(frame[n].to_numpy(float))) for n in (x, y)]
    if len(frame) < others.shape[1] + 3 or any(s <= 1e-9 * w for s, w in zip(sizes, whole, strict=True)):
        return float("nan"), float("nan")
    p = interval(fit(Plan("back-door", given), frame, x, y), 0.95, None)[3]
    return float(left[0] @ left[1] / (sizes[0] * sizes[1])), p
