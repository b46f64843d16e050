"""One interface to the discovery methods: a table in, a graph out."""

import pandas as pd

from causalablate.errors import GraphError, nearest
from causalablate.graph.discovery.knowledge import Knowledge, enforce
from causalablate.graph.discovery.methods import METHODS, Method
from causalablate.graph.discovery.missing import need
from causalablate.graph.discovery.result import Discovered
from causalablate.graph.discovery.table import Regime, Targets, checked, regimes_of


def discover(
    data: pd.DataFrame,
    method: str,
    *,
    knowledge: Knowledge | None = None,
    targets: Targets | None = None,
    alpha: float = 0.01,
    penalty: float = 1.0,
    seed: int = 0,
) -> Discovered:
    """Which columns of a table act on which, as far as one method can tell.

    Methods for observational data use the rows without a lesion; the others (`gies`, `ut-igsp`, `jci-pc`) use
    all.

    Args:
        data: One row per example, or per example and lesion; one column per node.
        method: A key of `METHODS`.
        knowledge: What is known beforehand. The result never contradicts it.
        targets: For each row, the columns that were switched off in it, by name; `""` or an empty collection for none.
        alpha: Level of each independence test (`pc`, `fci`, `ut-igsp`, `jci-pc`).
        penalty: Times the BIC's penalty per parameter (`ges`, `grasp`, `boss`, `gies`); more gives fewer edges.
        seed: Seeds the methods that draw at random (`grasp`, `boss`, `ut-igsp`).
    Returns:
        The graph; columns that do not vary are nodes without edges, and a note says so.
    Raises:
        GraphError: The method is unknown or its package is not installed, the table or the knowledge do not fit, or
            nothing is said of lesions to a method that needs them.
    """
    chosen = method_named(method)
    if not 0 < alpha < 1:
        raise GraphError(f"alpha is {alpha}; it must lie between 0 and 1, e.g. 0.01")
    if not penalty > 0:
        raise GraphError(f"penalty is {penalty}; it must be above 0, e.g. 1.0, the BIC's own")
    data, regimes = _rows_for(chosen, method, data, regimes_of(data, targets))
    table, notes = checked(data, regimes, knowledge or Knowledge())
    ends, corrections = enforce(chosen.run(table, alpha, penalty, seed), table.knowledge, chosen.kind)
    return Discovered.of(method, data.columns, ends, chosen.kind, [*notes, *corrections])


def method_named(name: str) -> Method:
    """A method whose package is installed.

    Raises:
        GraphError: There is no such method, or its package is missing.
    """
    if name not in METHODS:
        raise GraphError(f'no method "{name}"{nearest(name, METHODS)}; there are {", ".join(METHODS)}')
    chosen = METHODS[name]
    need(chosen.package, name, chosen.install)
    return chosen


def _rows_for(
    method: Method, name: str, data: pd.DataFrame, regimes: tuple[Regime, ...]
) -> tuple[pd.DataFrame, tuple[Regime, ...]]:
    if method.interventional:
        if not any(regimes):
            raise GraphError(f"{name} works on rows with lesions: say with targets=... what was off in each row")
        return data, regimes
    here = [not regime for regime in regimes]
    if not any(here):
        raise GraphError(f"{name} works on rows without a lesion, of which there are none")
    return data[here], tuple(regime for regime in regimes if not regime)
