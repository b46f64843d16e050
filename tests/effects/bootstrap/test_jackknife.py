import numpy as np
import pytest
from scipy import stats

from causalablate.effects.bootstrap import acceleration, jackknife_means

VALUES = np.random.default_rng(0).exponential(size=(2, 12))


def test_means_without_each_row_and_each_cluster():
    by_row = jackknife_means(VALUES, np.arange(12))
    assert by_row[1, 4] == pytest.approx(np.delete(VALUES[1], 4).mean())
    cluster = np.repeat([0, 1, 2], [6, 2, 4])
    assert jackknife_means(VALUES, cluster)[0, 1] == pytest.approx(VALUES[0, cluster != 1].mean())


def test_acceleration_of_a_mean_is_its_skewness():
    expected = stats.skew(VALUES, axis=1) / (6 * np.sqrt(12))
    assert acceleration(jackknife_means(VALUES, np.arange(12))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("values", [np.ones((1, 5)), np.array([[1.0]]), np.zeros((1, 3))])
def test_unknown_where_nothing_varies(values):
    assert np.isnan(acceleration(jackknife_means(values, np.arange(values.size)))[0])
