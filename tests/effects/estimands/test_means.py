import numpy as np
import pytest

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.estimands.base import value
from causalablate.effects.estimands.means import ATE, RELATIVE_CHANGE, RISK_DIFFERENCE
from causalablate.effects.estimands.ratios import RISK_RATIO
from causalablate.effects.estimands.tabulate import limits

AUTO = {"interval": "auto", "level": 0.95, "resamples": 400, "seed": 0}


def test_by_hand(paired):
    data = paired([-4.0, -2, -3, -3], [-5.0, -3, -2, -4])
    assert value(ATE, data)[0] == -0.5
    assert value(RELATIVE_CHANGE, data)[0] == pytest.approx(-0.5 / 3)
    binary = paired([1, 1, 1, 0], [0, 0, 1, 1], Kind.BINARY)
    assert value(RISK_DIFFERENCE, binary)[0] == -0.25
    assert value(RELATIVE_CHANGE, binary)[0] == pytest.approx(-1 / 3)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("cluster", [None, np.repeat(np.arange(20), 2)])
def test_mean_effects_have_the_intervals_of_population_effects(paired, kind, cluster):
    rng = np.random.default_rng(0)
    factual, counterfactual = rng.integers(0, 2, (2, 3, 40)) * (kind is not Kind.DISTANCE or np.array([[[0]], [[1]]]))
    data = paired(factual, counterfactual, kind, cluster=cluster)
    expected = mean_intervals(data, 0.9)
    for what in (ATE, RISK_DIFFERENCE):
        got = limits(what, data, **{**AUTO, "level": 0.9})
        assert np.array_equal(got.low, expected.low, equal_nan=True)
        assert np.array_equal(got.high, expected.high, equal_nan=True)
        assert got.method.tolist() == expected.method.tolist()


def test_of_accuracies_it_is_the_risk_ratio_less_one(paired):
    rng = np.random.default_rng(0)
    data = paired(*rng.integers(0, 2, (2, 3, 40)), Kind.BINARY)
    change, ratio = (limits(what, data, **AUTO) for what in (RELATIVE_CHANGE, RISK_RATIO))
    assert change.low == pytest.approx(ratio.low - 1)
    assert change.high == pytest.approx(ratio.high - 1)


def test_fieller_for_many_rows(paired):
    # With the factual mean far from zero, the roots of (mean of e - r f)^2 = t^2 var are the limits, to second order.
    from scipy.stats import t

    rng = np.random.default_rng(1)
    factual = 5 + rng.normal(size=2000)
    effect = 0.3 + rng.normal(size=2000)
    e, f, s, q = effect.mean(), factual.mean(), np.cov(effect, factual) / 2000, t.ppf(0.975, 1999) ** 2
    roots = np.sort(np.roots([f**2 - q * s[1, 1], 2 * (q * s[0, 1] - e * f), e**2 - q * s[0, 0]]))
    got = limits(RELATIVE_CHANGE, paired(factual, factual + effect), **AUTO)
    assert [got.low[0], got.high[0]] == pytest.approx(roots, abs=1e-4)
    assert got.method[0] == "paired t, linearised"


def test_negative_outcomes_keep_the_sign_of_the_effect(paired):
    rng = np.random.default_rng(1)
    factual = -5 + rng.normal(size=50)
    data = paired(factual, factual - 1 - rng.random(50))
    found = limits(RELATIVE_CHANGE, data, **AUTO)
    assert value(RELATIVE_CHANGE, data)[0] < 0 > found.high[0]


def test_undefined(paired):
    centred = np.random.default_rng(0).normal(size=50)
    data = paired([centred - centred.mean() + 0.01, np.zeros(50)], [centred + 1, centred])
    found = limits(RELATIVE_CHANGE, data, **AUTO)
    assert found.method.tolist() == ["undefined: the factual mean may be zero", "undefined: the factual mean is zero"]
    assert np.isnan(found.low).all() and np.isfinite(value(RELATIVE_CHANGE, data)[0])
