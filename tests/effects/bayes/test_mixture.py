"""Mixtures of normals against scipy."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from causalablate.effects.bayes.mixture import mixture_cdf, mixture_quantile, mixture_sd

WEIGHTS = np.array([0.2, 0.7, 0.1])
MEAN = np.array([[0.0, -1.0], [1.0, 5.0], [9.0, 5.0]])
SD = np.array([[1.0, 0.1], [0.5, 2.0], [3.0, 1e-3]])


def test_one_component_is_a_normal():
    found = mixture_quantile(np.ones(1), MEAN[:1], SD[:1], 0.975)
    np.testing.assert_allclose(found, norm.ppf(0.975, MEAN[0], SD[0]), atol=1e-10)


@pytest.mark.parametrize("p", [1e-4, 0.025, 0.5, 0.975])
def test_quantiles_agree_with_a_root_of_the_cdf(p):
    found = mixture_quantile(WEIGHTS, MEAN, SD, p)
    for j in range(2):
        root = brentq(lambda x, j=j: WEIGHTS @ norm.cdf(x, MEAN[:, j], SD[:, j]) - p, -60, 60, xtol=1e-13)
        assert found[j] == pytest.approx(root, abs=1e-9)
    np.testing.assert_allclose(mixture_cdf(WEIGHTS, MEAN, SD, found), p, atol=1e-9)


def test_sd_is_that_of_the_mixture():
    rng = np.random.default_rng(0)
    part = rng.choice(3, 400_000, p=WEIGHTS)
    np.testing.assert_allclose(mixture_sd(WEIGHTS, MEAN, SD), rng.normal(MEAN[part], SD[part]).std(axis=0), rtol=0.01)


def test_a_component_without_spread_is_a_point():
    zero = np.zeros((1, 1))
    assert [mixture_cdf(np.ones(1), zero, zero, at)[0] for at in (-1e-9, 0.0, 1e-9)] == [0.0, 1.0, 1.0]
