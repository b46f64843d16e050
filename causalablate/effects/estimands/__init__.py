"""Estimands as values: what can be asked of a table of counterfactuals, each with its default interval.

A new estimand is a value in a file and a row of `ESTIMANDS`; `estimate` and the tests take it from there.
"""

from causalablate.effects.estimands.base import Estimand
from causalablate.effects.estimands.family import DEFAULT, ESTIMANDS, QUANTILES, estimand
from causalablate.effects.estimands.quantiles import quantile, quantile_treatment_effect
from causalablate.effects.estimands.tabulate import COLUMNS, estimate

__all__ = [
    "COLUMNS",
    "DEFAULT",
    "ESTIMANDS",
    "QUANTILES",
    "Estimand",
    "estimand",
    "estimate",
    "quantile",
    "quantile_treatment_effect",
]
