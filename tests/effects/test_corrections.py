import numpy as np
import pandas as pd
import pytest

from causalablate.effects import holm
from causalablate.effects.corrections import ADJUSTED, adjust_families, benjamini_yekutieli, bonferroni


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])


def test_bonferroni_and_benjamini_yekutieli_by_hand():
    assert bonferroni(np.array([0.01, 0.04, 0.5])).tolist() == pytest.approx([0.03, 0.12, 1.0])
    # Benjamini-Hochberg gives 0.02 and 0.04; twice the harmonic sum 1 + 1/2.
    assert benjamini_yekutieli(np.array([0.01, 0.04])).tolist() == pytest.approx([0.03, 0.06])


@pytest.mark.parametrize("adjust", list(ADJUSTED.values()))
def test_nan_is_no_test(adjust):
    got = adjust(np.array([0.01, np.nan, 0.04]))
    assert np.isnan(got[1])
    np.testing.assert_array_equal(got[[0, 2]], adjust(np.array([0.01, 0.04])))
    assert np.isnan(adjust(np.array([np.nan]))).all()


def test_families_do_not_mix():
    p = pd.Series([0.02, 0.02, 0.02, 0.02])
    found = adjust_families(p, [pd.Series(["a", "a", "b", "b"]), pd.Series(["x", "x", "x", "y"])])
    assert found["p_holm"].tolist() == pytest.approx([0.04, 0.04, 0.02, 0.02])
    assert found["p_bh"].tolist() == pytest.approx([0.02, 0.02, 0.02, 0.02])
    assert found["p_bonferroni"].tolist() == pytest.approx([0.04, 0.04, 0.02, 0.02])
    assert found["p_by"].tolist() == pytest.approx([0.03, 0.03, 0.02, 0.02])


def test_the_order_of_lesions_does_not_matter():
    p = np.random.default_rng(0).random(20) ** 3
    order = np.random.default_rng(1).permutation(20)
    for adjust in ADJUSTED.values():
        np.testing.assert_array_equal(adjust(p[order]), adjust(p)[order])
