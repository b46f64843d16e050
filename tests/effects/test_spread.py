import numpy as np
import pytest
from scipy import stats

from causalablate.effects.spread import Spread


def test_one_part_is_the_t_interval():
    spread = Spread(np.array([1.0]), np.array([[0.25]]), (9.0,))
    low, high = stats.t.interval(0.9, 9, loc=1, scale=0.5)
    assert spread.half_width(0.9)[0] == pytest.approx((high - low) / 2, rel=1e-12)
    assert spread.p_two_sided()[0] == pytest.approx(2 * stats.t.sf(2, 9), rel=1e-12)
    assert spread.p_greater(0.5)[0] == pytest.approx(stats.t.sf(1, 9), rel=1e-12)
    assert spread.p_greater(1.5)[0] == pytest.approx(stats.t.cdf(1, 9), rel=1e-12)


def test_infinite_degrees_of_freedom_is_the_normal_interval():
    spread = Spread(np.array([1.0]), np.array([[0.25]]), (np.inf,))
    assert spread.half_width(0.95)[0] == pytest.approx(0.5 * stats.norm.ppf(0.975), rel=1e-12)
    assert spread.p_two_sided()[0] == pytest.approx(2 * stats.norm.sf(2), rel=1e-12)


def test_parts_are_squared_and_added():
    spread = Spread(np.array([3.0]), np.array([[0.04], [0.09]]), (2.0, 50.0))
    widths = [stats.t.ppf(0.975, df) * sd for df, sd in ((2, 0.2), (50, 0.3))]
    assert spread.half_width(0.95)[0] == pytest.approx(np.hypot(*widths), rel=1e-12)
    assert spread.se[0] == pytest.approx(np.sqrt(0.13))


@pytest.mark.parametrize("df", [(7.0,), (2.0, 199.0)])
@pytest.mark.parametrize("center", [0.3, 1.0, -4.0])
def test_p_is_where_the_interval_reaches_the_null(df, center):
    spread = Spread(np.array([center]), np.full((len(df), 1), 0.1), df)
    p = spread.p_two_sided()[0]
    assert spread.half_width(1 - p)[0] == pytest.approx(abs(center), rel=1e-6)


def test_no_variance_has_no_p():
    assert np.isnan(Spread(np.array([1.0]), np.zeros((1, 1)), (9.0,)).p_two_sided()[0])
