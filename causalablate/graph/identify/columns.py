"""What of a graph a table of runs holds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from causalablate.errors import GraphError, nearest
from causalablate.graph.identify.causal_graph import CausalGraph


def observed(runs: pd.DataFrame, graph: CausalGraph) -> CausalGraph:
    """The graph over its nodes that are columns; the others are unobserved.

    Raises:
        GraphError: No node is a column.
    """
    missing = [n for n in graph.nodes if n not in runs.columns]
    if len(missing) == len(graph.nodes):
        raise GraphError(
            f"no node of the graph is a column: the graph has {', '.join(graph.nodes[:12])}, "
            f"the table {', '.join(map(str, runs.columns[:12]))}"
        )
    return graph.unobserve(missing)


def check_numeric(runs: pd.DataFrame, graph: CausalGraph, columns: Sequence[str]) -> None:
    """Raise unless all are nodes, and columns of finite numbers.

    Raises:
        GraphError: As said; missing values are allowed.
    """
    graph.check(columns)
    for name in columns:
        if name not in runs.columns:
            known = [str(c) for c in runs.columns]
            raise GraphError(f'no column "{name}"{nearest(name, known)}; the table has {", ".join(known[:12])}')
        if not pd.api.types.is_numeric_dtype(runs[name]):
            raise GraphError(f"{name} holds {runs[name].dtype}, not numbers; make a setting of two kinds 0 and 1")
        if np.isinf(runs[name].dropna().to_numpy(float)).any():
            raise GraphError(f"{name} is infinite in some run; leave that run out, and say so")
