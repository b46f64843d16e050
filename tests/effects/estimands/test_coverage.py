"""Default intervals hold the truth about as often as they say. The lesions of one table are the repetitions."""

import numpy as np
import pytest
from scipy.stats import norm

from causalablate.effects import Kind
from causalablate.effects.estimands import ESTIMANDS, estimand
from causalablate.effects.estimands.tabulate import limits

REPEATS, N = 600, 200
AUTO = {"interval": "auto", "level": 0.95, "resamples": 400, "seed": 0}


def covered(what, data, truth):
    found = limits(what, data, **AUTO)
    return np.mean((found.low <= truth) & (truth <= found.high))


@pytest.fixture(scope="module")
def flips():
    """Accuracy 0.8; 10 % flip down, 4 % up."""
    rng = np.random.default_rng(1)
    factual = rng.random((REPEATS, N)) < 0.8
    change = rng.random((REPEATS, N))
    return factual, np.where(factual, change >= 0.1 / 0.8, change < 0.04 / 0.2)


BINARY = {
    "ate": -0.06,
    "risk_difference": -0.06,
    "relative_change": -0.06 / 0.8,
    "risk_ratio": 0.74 / 0.8,
    "odds_ratio": (0.74 / 0.26) / 4,
    "conditional_odds_ratio": 0.4,
    "flip_rate_down": 0.1,
    "flip_rate_up": 0.04,
    "flip_rate_up_if_wrong": 0.2,
    "pn": 0.125,
    "ps": 0.1 / 0.26,
    "pns": 0.1,
    "cohen_d": -0.06 / np.sqrt((0.16 + 0.74 * 0.26) / 2),
    "cohen_dz": -0.06 / np.sqrt(0.14 - 0.06**2),
    "hedges_g": -0.06 / np.sqrt((0.16 + 0.74 * 0.26) / 2),
}


def test_every_estimand_has_a_truth_here():
    assert set(BINARY) == {name for name, e in ESTIMANDS.items() if Kind.BINARY in e.kinds}


@pytest.mark.parametrize("name", BINARY)
def test_binary(paired, flips, name):
    assert 0.925 <= covered(ESTIMANDS[name], paired(*flips, Kind.BINARY), BINARY[name]) <= 0.99


@pytest.mark.parametrize("name", ["risk_ratio", "odds_ratio", "cohen_d", "pn"])
def test_rare_flips_one_way(paired, name):
    rng = np.random.default_rng(2)
    factual = rng.random((REPEATS, N)) < 0.8
    data = paired(factual, factual & (rng.random((REPEATS, N)) >= 0.01), Kind.BINARY)
    b = 0.8 * 0.99
    truth = {
        "risk_ratio": 0.99,
        "odds_ratio": b / (1 - b) / 4,
        "cohen_d": (b - 0.8) / np.sqrt((0.16 + b * (1 - b)) / 2),
        "pn": 0.01,
    }
    assert covered(ESTIMANDS[name], data, truth[name]) >= 0.93


REAL = [
    ("relative_change", 0.4 / 3),
    ("cohen_d", 0.4 / np.sqrt((1 + 1.64) / 2)),
    ("cohen_dz", 0.5),
    ("hedges_g", 0.4 / np.sqrt((1 + 1.64) / 2)),
    ("quantile(0.5)", 0.4),
    ("quantile(0.9)", 0.4 + 0.8 * norm.ppf(0.9)),
    ("quantile_treatment_effect(0.9)", 0.4 + norm.ppf(0.9) * (np.sqrt(1.64) - 1)),
]


@pytest.mark.parametrize(("what", "truth"), REAL)
def test_real(paired, what, truth):
    rng = np.random.default_rng(3)
    factual = rng.normal(3, 1, (REPEATS, N))
    data = paired(factual, factual + rng.normal(0.4, 0.8, (REPEATS, N)))
    assert 0.925 <= covered(estimand(what), data, truth) <= 0.995


@pytest.mark.parametrize(("what", "truth"), [r for r in REAL if r[0] != "hedges_g"])
def test_clusters(paired, what, truth):
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(40), 5)

    def correlated():
        return (rng.normal(size=(REPEATS, 40))[:, cluster] + rng.normal(size=(REPEATS, N))) / np.sqrt(2)

    factual = 3 + correlated()
    data = paired(factual, factual + 0.4 + 0.8 * correlated(), cluster=cluster)
    assert 0.92 <= covered(estimand(what), data, truth) <= 0.995


@pytest.mark.parametrize("name", ["pn", "ps", "flip_rate_down", "risk_ratio", "conditional_odds_ratio"])
def test_flips_in_clusters(paired, name):
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(40), 5)

    def correlated():
        return norm.cdf((rng.normal(size=(REPEATS, 40))[:, cluster] + rng.normal(size=(REPEATS, N))) / np.sqrt(2))

    factual, change = correlated() < 0.8, correlated()
    data = paired(factual, np.where(factual, change >= 0.125, change < 0.2), Kind.BINARY, cluster=cluster)
    assert covered(ESTIMANDS[name], data, BINARY[name]) >= 0.92


@pytest.mark.parametrize("name", ["cohen_d", "cohen_dz", "relative_change"])
def test_seeds(paired, name):
    rng = np.random.default_rng(6)
    unit, seed = np.tile(np.arange(100), 5), np.repeat(np.arange(5), 100)
    factual = 3 + rng.normal(size=(REPEATS, 100))[:, unit]
    of_seed = 0.3 * rng.normal(size=(REPEATS, 5))[:, seed]
    effect = 0.5 + rng.normal(size=(REPEATS, 100))[:, unit] + 0.5 * rng.normal(size=(REPEATS, 500)) + of_seed
    variance = 1 + 0.25 + 0.09
    truth = {
        "cohen_d": 0.5 / np.sqrt((2 + variance) / 2),
        "cohen_dz": 0.5 / np.sqrt(variance),
        "relative_change": 0.5 / 3,
    }
    data = paired(factual, factual + effect, cluster=unit, seed=seed, unit=unit)
    assert 0.925 <= covered(ESTIMANDS[name], data, truth[name]) <= 0.99
