import numpy as np
import pytest
from statsmodels.stats.contingency_tables import Table2x2

from causalablate.effects import Kind
from causalablate.effects.estimands.base import value
from causalablate.effects.estimands.ratios import ODDS_RATIO, RISK_RATIO
from causalablate.effects.estimands.tabulate import limits

AUTO = {"interval": "auto", "level": 0.95, "resamples": 400, "seed": 0}


def cells(paired, n11, n10, n01, n00, **kwargs):
    counts = [n11, n10, n01, n00]
    return paired(np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts), Kind.BINARY, **kwargs)


def test_the_ratios_of_statsmodels(paired):
    data = cells(paired, 50, 20, 8, 22)
    table = Table2x2([[58, 42], [70, 30]])
    assert value(RISK_RATIO, data)[0] == pytest.approx(table.riskratio, abs=1e-10)
    assert value(ODDS_RATIO, data)[0] == pytest.approx(table.oddsratio, abs=1e-10)


def test_independent_worlds_have_the_textbook_standard_errors(paired):
    # Without correlation the log ratios of a large table have the variances of two independent samples.
    n = 40_000
    data = cells(paired, 0.3 * n, 0.2 * n, 0.3 * n, 0.2 * n)
    table = Table2x2([[24_000, 16_000], [20_000, 20_000]])
    for what, limits_of in ((RISK_RATIO, table.riskratio_confint()), (ODDS_RATIO, table.oddsratio_confint())):
        found = limits(what, data, **AUTO)
        assert [found.low[0], found.high[0]] == pytest.approx(limits_of, rel=2e-3)


def test_swapping_the_worlds_inverts_them(paired):
    down, up = cells(paired, 50, 20, 8, 22), cells(paired, 50, 8, 20, 22)
    for what in (RISK_RATIO, ODDS_RATIO):
        a, b = limits(what, down, **AUTO), limits(what, up, **AUTO)
        assert value(what, down)[0] == pytest.approx(1 / value(what, up)[0])
        assert [a.low[0], a.high[0]] == pytest.approx([1 / b.high[0], 1 / b.low[0]])


def test_swapping_right_and_wrong_inverts_odds(paired):
    a, b = (limits(ODDS_RATIO, cells(paired, *n), **AUTO) for n in ((50, 20, 8, 22), (22, 8, 20, 50)))
    assert [a.low[0], a.high[0]] == pytest.approx([1 / b.high[0], 1 / b.low[0]])


def test_the_interval_does_not_collapse_without_flips(paired):
    for what in (RISK_RATIO, ODDS_RATIO):
        found = limits(what, cells(paired, 50, 0, 0, 50), **AUTO)
        assert found.low[0] < 0.98 and found.high[0] > 1.02


def test_undefined(paired):
    assert np.isnan(value(RISK_RATIO, cells(paired, 0, 0, 3, 4)))
    assert np.isnan(value(ODDS_RATIO, cells(paired, 3, 0, 3, 0)))
    never_right = cells(paired, 0, 7, 0, 3)
    assert value(RISK_RATIO, never_right)[0] == value(ODDS_RATIO, never_right)[0] == 0
    assert limits(RISK_RATIO, never_right, **AUTO).method[0].startswith("undefined: the estimate lies at the end")
