import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from causalablate.effects import benjamini_hochberg, holm
from causalablate.effects.corrections import adjust_families


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])


@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_both_agree_with_statsmodels(n):
    p = np.random.default_rng(n).random(n) ** 4
    p[: n // 3] = p[0]
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_nan_is_no_test(adjust):
    got = adjust(np.array([0.01, np.nan, 0.04]))
    assert np.isnan(got[1])
    assert got[[0, 2]].tolist() == adjust(np.array([0.01, 0.04])).tolist()
    assert np.isnan(adjust(np.array([np.nan]))).all()


def test_families_do_not_mix():
    p = pd.Series([0.02, 0.02, 0.02, 0.02])
    by_holm, by_bh = adjust_families(p, [pd.Series(["a", "a", "b", "b"]), pd.Series(["x", "x", "x", "y"])])
    assert by_holm.tolist() == pytest.approx([0.04, 0.04, 0.02, 0.02])
    assert by_bh.tolist() == pytest.approx([0.02, 0.02, 0.02, 0.02])
