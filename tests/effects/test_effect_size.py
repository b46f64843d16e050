import numpy as np
import pytest
from scipy.stats import ttest_rel

from causalablate.effects import Kind
from causalablate.effects.effect_size import cohen_d, cohen_dz, hedges_correction, hedges_g


def test_by_hand(paired):
    # SDs: factual 1, counterfactual 3; effect mean 1, SD 2.
    data = paired([1.0, 2, 3], [0.0, 3, 6])
    assert cohen_d(data)[0] == pytest.approx(1 / np.sqrt(5))
    assert cohen_dz(data)[0] == pytest.approx(1 / 2)


def test_dz_is_t_over_root_n(paired):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40))
    assert cohen_dz(paired(a, b))[0] == pytest.approx(ttest_rel(b, a).statistic / np.sqrt(40))


def test_undefined_without_variation(paired):
    constant = paired([1.0, 1.0, 1.0], [2.0, 2.0, 2.0])
    assert np.isnan(cohen_d(constant)[0])
    assert np.isnan(cohen_dz(constant)[0])
    assert np.isnan(cohen_d(paired([1.0], [2.0]))[0])


@pytest.mark.parametrize("kind", [Kind.DISTANCE, Kind.CATEGORICAL])
def test_undefined_for_one_sided_kinds(paired, kind):
    assert np.isnan(cohen_d(paired([0, 0, 0], [1, 2, 4], kind))[0])
    assert np.isnan(cohen_dz(paired([0, 0, 0], [1, 2, 4], kind))[0])
    assert np.isnan(hedges_g(paired([0, 0, 0], [1, 2, 4], kind))[0])


def test_hedges_correction_by_hand(paired):
    # Perfectly correlated worlds of equal variance: df = n - 1 = 4, J = Gamma(2) / (sqrt(2) Gamma(3/2)).
    same = paired([1.0, 2, 3, 4, 5], [2.0, 3, 4, 5, 6])
    assert hedges_correction(same)[0] == pytest.approx(1 / (np.sqrt(2) * np.sqrt(np.pi) / 2))
    # Uncorrelated ones: df = 2 (n - 1) = 6, J = Gamma(3) / (sqrt(3) Gamma(5/2)).
    apart = paired([1.0, 1, -1, -1], [1.0, -1, 1, -1])
    assert hedges_correction(apart)[0] == pytest.approx(2 / (np.sqrt(3) * 0.75 * np.sqrt(np.pi)))


def test_hedges_correction_counts_clusters(paired):
    factual, counterfactual = np.random.default_rng(0).normal(size=(2, 12))
    rows = hedges_correction(paired(factual, counterfactual))
    clusters = hedges_correction(paired(factual, counterfactual, cluster=np.repeat(np.arange(4), 3)))
    assert clusters[0] < rows[0] < 1


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_g_is_right_on_average_where_d_is_too_large(paired, correlation):
    rng = np.random.default_rng(0)
    factual, other = rng.normal(size=(2, 20_000, 8))
    data = paired(factual, 1 + correlation * factual + np.sqrt(1 - correlation**2) * other)
    assert cohen_d(data).mean() > 1.04
    assert hedges_g(data).mean() == pytest.approx(1, abs=0.02)


def test_hedges_g_undefined(paired):
    assert np.isnan(hedges_g(paired([1.0], [2.0]))[0])
    assert np.isnan(hedges_g(paired([1.0, 1, 1], [2.0, 2, 2]))[0])
    # Two perfectly correlated rows leave one degree of freedom, at which the correction is zero.
    assert np.isnan(hedges_g(paired([1.0, 2], [2.0, 3]))[0])
