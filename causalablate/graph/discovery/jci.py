"""JCI-PC: what was switched off is part of the table, as context variables that nothing in the system acts on."""

from itertools import combinations

import numpy as np

from causalablate.errors import GraphError
from causalablate.graph.discovery.constraint import pc_of
from causalablate.graph.discovery.knowledge import Knowledge
from causalablate.graph.discovery.result import Ends, Pair
from causalablate.graph.discovery.table import Table


def jci_pc(table: Table, alpha: float, penalty: float, seed: int) -> Ends:
    """PC on all rows together, with one context variable per lesion: 1 in its rows, else 0.

    Contexts are exogenous, and act on what their lesion switches off and on nothing else. Tests are linear, so a lesion
    is seen by what it does to means; one by the mean of the component itself is hardly seen.

    Raises:
        GraphError: No rows without a lesion.

    Source: Mooij, Magliacane & Claassen (2020), JMLR 21(99), assumptions 1 to 3, with known targets.
    """
    regimes = table.by_regime
    if frozenset() not in regimes:
        raise GraphError("jci-pc needs rows without a lesion, to compare the others with; there are none")
    lesioned = [regime for regime in regimes if regime]
    contexts = [f"do({', '.join(sorted(regime))})" for regime in lesioned]
    which = np.zeros((len(table.values), len(lesioned)))
    for i, regime in enumerate(lesioned):
        which[regimes[regime], i] = 1
    known = table.knowledge & _exogenous(table.names, dict(zip(contexts, lesioned, strict=True)))
    ends = pc_of((*table.names, *contexts), np.hstack([table.values, which]), known, alpha)
    return {pair: mark for pair, mark in ends.items() if not {*pair} & {*contexts}}


def _exogenous(names: tuple[str, ...], contexts: dict[str, frozenset[str]]) -> Knowledge:
    forbidden: set[Pair] = {(name, context) for name in names for context in contexts}
    forbidden |= {(context, name) for context, acts_on in contexts.items() for name in names if name not in acts_on}
    forbidden |= {pair for a, b in combinations(contexts, 2) for pair in ((a, b), (b, a))}
    return Knowledge(frozenset(forbidden), frozenset((c, name) for c, acts_on in contexts.items() for name in acts_on))
