"""GES and GIES: graphs by greedy steps between equivalence classes that raise a Gaussian BIC."""

import contextlib
import io
import warnings

import numpy as np

from causalablate.errors import GraphError
from causalablate.graph.discovery.constraint import ends_from
from causalablate.graph.discovery.result import Ends, Mark
from causalablate.graph.discovery.table import Table

BIC = 0.5
"""The BIC takes half the logarithm of the number of rows off the log-likelihood, per parameter."""


def ges(table: Table, alpha: float, penalty: float, seed: int) -> Ends:
    """Greedy equivalence search, through causal-learn.

    Source: Chickering (2002), JMLR 3.
    """
    from causallearn.search.ScoreBased.GES import ges as search

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = search(table.values, node_names=list(table.names), lambda_value=BIC * penalty)
    return ends_from(found["G"], table.names)


def gies(table: Table, alpha: float, penalty: float, seed: int) -> Ends:
    """Greedy interventional equivalence search, through the package of the same name.

    It centres the rows of each lesion by themselves, so that what lesions do to means is not seen, only what they do
    to variances and covariances.

    Raises:
        GraphError: A column was off in every row.

    Source: Hauser & Bühlmann (2012), JMLR 13.
    """
    from gies import fit
    from gies.scores.gauss_int_l0_pen import GaussIntL0Pen

    regimes, number = table.by_regime, {name: i for i, name in enumerate(table.names)}
    if always := frozenset.intersection(*regimes):
        raise GraphError(f"{min(always)} was off in every row, so nothing can be told of what acts on it")
    data = [table.values[rows] for rows in regimes.values()]
    targets = [sorted(number[name] for name in regime if name in number) for regime in regimes]
    found, _ = fit(GaussIntL0Pen(data, targets, lmbda=penalty * BIC * np.log(len(table.values))))
    marks: Ends = {}
    for a, b in np.argwhere(found + found.T != 0):
        mark: Mark = "arrow" if found[a, b] and not found[b, a] else "tail"
        marks[table.names[a], table.names[b]] = mark
    return marks
