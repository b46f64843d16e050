"""Published values: Fagerland, Lydersen & Laake (2013), BMC Med. Res. Methodol. 13:91, and their 2017 book."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from causalablate.effects import mcnemar_exact, mcnemar_mid_p


@pytest.mark.parametrize(
    ("down", "up", "exact", "mid"),
    [(1, 7, 0.0703, 0.0391), (6, 16, 0.052479, 0.034690)],
    ids=["airway hyper-responsiveness, Bentur 2009", "complete response, Cavo 2012"],
)
def test_published(down, up, exact, mid):
    assert mcnemar_exact(down, up) == pytest.approx(exact, abs=5e-5)
    assert mcnemar_mid_p(down, up) == pytest.approx(mid, abs=5e-5)
    assert mcnemar_exact(up, down) == mcnemar_exact(down, up)


@pytest.mark.parametrize(("down", "up"), [(0, 0), (0, 5), (3, 3), (40, 12), (500, 431)])
def test_exact_is_that_of_statsmodels(down, up):
    expected = mcnemar([[0, down], [up, 0]], exact=True).pvalue if down + up else 1.0
    assert mcnemar_exact(down, up) == pytest.approx(expected, rel=1e-10)


def test_mid_p_without_flips_and_with_a_tie():
    assert mcnemar_mid_p(0, 0) == 1
    assert mcnemar_mid_p(2, 2) == pytest.approx(1 - 0.5 * 6 / 16)


def test_level_is_kept_under_the_null():
    rng = np.random.default_rng(0)
    down, up, _ = rng.multinomial(200, [0.03, 0.03, 0.94], size=20000).T
    assert np.mean(mcnemar_exact(down, up) < 0.05) <= 0.05
    assert np.mean(mcnemar_mid_p(down, up) < 0.05) <= 0.055
