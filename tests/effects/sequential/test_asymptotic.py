import math

import numpy as np
import pytest
from scipy import integrate, stats

from causalablate.effects.sequential.asymptotic import PRIOR_UNITS, log_e_value, t_needed


@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 1.0, 4.0])
@pytest.mark.parametrize("n", [5.0, 300.0])
def test_with_many_degrees_of_freedom_it_is_the_half_normal_mixture(z, n):
    """E = integral over d > 0 of the likelihood ratio of d against 0, under the half-normal."""

    def integrand(d):
        return math.exp(d * z * math.sqrt(n) - d * d * n / 2) * 2 * stats.norm.pdf(d, scale=1 / math.sqrt(PRIOR_UNITS))

    expected = integrate.quad(integrand, 0, 6)[0]
    assert log_e_value(np.array(z), 1e9, n) == pytest.approx(math.log(expected), abs=1e-6)


@pytest.mark.parametrize("df", [7, 30, 500])
def test_t_is_turned_into_the_normal_deviate_of_the_same_chance(df):
    for t in (1.0, 3.0, 5.0):
        z = stats.norm.isf(stats.t.sf(t, df))
        assert log_e_value(np.array(t), df, 50.0) == pytest.approx(log_e_value(np.array(z), 1e9, 50.0), abs=0.05)


def test_evidence_grows_with_t_and_is_below_one_against_the_claim():
    found = log_e_value(np.linspace(-6, 6, 50), 20, 21.0)
    assert (np.diff(found) > 0).all() and found[0] < 0 < found[-1]


@pytest.mark.parametrize("df", [8, 100])
@pytest.mark.parametrize("log_e", [0.5, 3.7, 12.0])
def test_t_needed_is_the_inverse(log_e, df):
    assert log_e_value(np.array(t_needed(log_e, df, 80.0)), df, 80.0) == pytest.approx(log_e)


def test_more_evidence_and_fewer_degrees_of_freedom_need_more():
    assert t_needed(10, 20, 21) > t_needed(5, 20, 21) > t_needed(5, 2000, 21)
