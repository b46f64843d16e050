import numpy as np
import pytest
from scipy.stats import ttest_rel

from causalablate.effects import Kind
from causalablate.effects.effect_size import cohen_d, cohen_dz


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
