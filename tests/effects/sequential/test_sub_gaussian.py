import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from causalablate.effects.sequential.sub_gaussian import (
    TIGHTEST_AT,
    normal_mixture,
    sub_gaussian_sequence,
    tightest_prior,
)


def test_on_the_boundary_the_mixture_is_worth_one_over_alpha():
    """The supermartingale exp(s S - s^2 V / 2), averaged over s ~ N(0, 1 / rho), by numerical integration."""
    for variance, prior in ((1.0, 4.0), (50.0, 4.0), (300.0, 20.0)):
        at = float(normal_mixture(np.array(variance), 0.9, prior))
        worth, _ = quad(
            lambda s, at=at, v=variance, p=prior: np.exp(s * at - s * s * v / 2) * norm.pdf(s, scale=p**-0.5),
            -6, 6, limit=200,
        )  # fmt: skip
        assert worth == pytest.approx(10, rel=1e-4)


def test_the_prior_is_tightest_where_it_says():
    prior = tightest_prior(100.0, 0.95)
    best = normal_mixture(np.array(100.0), 0.95, prior)
    assert best < normal_mixture(np.array(100.0), 0.95, prior * 1.05)
    assert best < normal_mixture(np.array(100.0), 0.95, prior / 1.05)


def test_limits_by_hand_and_in_the_units_of_the_outcome():
    values, looks = np.random.default_rng(0).normal(size=(2, 50)), np.array([1, 10, 50])
    low, high = sub_gaussian_sequence(values, np.ones(50), looks, sigma=2.0, level=0.95, largest=1)
    prior = tightest_prior(TIGHTEST_AT * 4.0, 0.95)
    half = np.sqrt((200 + prior) * np.log((200 + prior) / (prior * 0.05**2))) / 50
    assert low[1, 2] == pytest.approx(values[1].mean() - half)
    assert high[1, 2] == pytest.approx(values[1].mean() + half)
    scaled = sub_gaussian_sequence(10 * values, np.ones(50), looks, sigma=20.0, level=0.95, largest=1)
    np.testing.assert_allclose(scaled[0], 10 * low)


def test_rows_of_a_unit_count_as_one_draw():
    values = np.random.default_rng(1).normal(size=(1, 40))
    single = sub_gaussian_sequence(values, np.ones(40), np.array([40]), sigma=1.0, level=0.95, largest=1)
    triple = sub_gaussian_sequence(3 * values, np.full(40, 3.0), np.array([40]), sigma=1.0, level=0.95, largest=3)
    np.testing.assert_allclose(single, triple)
