"""Published worked examples are from Fagerland, Lydersen & Laake (2014), Stat. Med. 33(16), and their book."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from causalablate.effects import bonett_price, newcombe, wilson
from causalablate.effects.proportion import p_share_greater

CAVO = dict(both=59, first_only=6, second_only=16, neither=80)
"""Complete response before and after consolidation therapy, 161 patients (Cavo et al. 2012)."""


def test_bonett_price_published():
    spread = bonett_price(np.array([CAVO["first_only"]]), np.array([CAVO["second_only"]]), 161)
    low, high = spread.center - spread.half_width(0.95), spread.center + spread.half_width(0.95)
    # Published for first - second: -0.1195 to -0.0032.
    assert (-high[0], -low[0]) == (pytest.approx(-0.1195, abs=5e-5), pytest.approx(-0.0032, abs=5e-5))


def test_newcombe_published():
    low, high = newcombe(*(np.array([x]) for x in CAVO.values()), 0.95)
    # Published for first - second: -0.1186 to -0.0046.
    assert (-high[0], -low[0]) == (pytest.approx(-0.1186, abs=5e-5), pytest.approx(-0.0046, abs=5e-5))


def test_newcombe_with_an_empty_margin_is_finite():
    low, high = newcombe(*(np.array([x]) for x in (0, 0, 0, 20)), 0.95)
    assert low[0] == pytest.approx(-high[0])
    assert 0 < high[0] < 0.3


def test_bonett_price_by_hand():
    # 8 pairs, 1 down and 3 up: p = 2/10 and 4/10, centre 0.2, variance (0.6 - 0.04) / 10.
    spread = bonett_price(np.array([1]), np.array([3]), 8)
    assert spread.center[0] == pytest.approx(0.2)
    assert spread.se[0] == pytest.approx(np.sqrt(0.056))


def test_bonett_price_has_width_without_flips():
    spread = bonett_price(np.array([0]), np.array([0]), 1000)
    assert spread.center[0] == 0
    assert spread.half_width(0.95)[0] == pytest.approx(stats.norm.ppf(0.975) * np.sqrt(2 / 1002 / 1002))


def test_flips_mirrored_give_mirrored_intervals():
    one, other = (bonett_price(np.array([a]), np.array([b]), 50) for a, b in ((7, 2), (2, 7)))
    assert one.center[0] == -other.center[0]
    low, high = newcombe(*(np.array([x]) for x in (30, 7, 2, 11)), 0.9)
    mirrored_low, mirrored_high = newcombe(*(np.array([x]) for x in (30, 2, 7, 11)), 0.9)
    assert (low[0], high[0]) == (pytest.approx(-mirrored_high[0]), pytest.approx(-mirrored_low[0]))


def test_wilson_is_statsmodels_and_takes_fractions():
    assert [x[0] for x in wilson(np.array([3]), np.array([20]), 0.9)] == pytest.approx(
        proportion_confint(3, 20, 0.1, "wilson")
    )
    low, high = wilson(np.array([0.0, 2.5]), np.array([7.5, 7.5]), 0.95)
    assert low[0] == 0
    assert (low < high).all()


@pytest.mark.parametrize("successes", [0, 1, 7, 20])
def test_p_share_greater_is_the_exact_binomial_test(successes):
    expected = stats.binomtest(successes, 20, 0.1, "greater").pvalue
    assert p_share_greater(np.array([successes]), np.array([20]), 0.1)[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "down", "up"), [(50, 0.05, 0.02), (200, 0.01, 0.0), (200, 0.3, 0.1), (1000, 0.01, 0.0)])
def test_coverage_of_both_intervals(n, down, up):
    rng = np.random.default_rng(11)
    # Right answers are common and correlated between the two worlds, as with a lesioned model.
    cells = rng.multinomial(n, [0.6, down, up, 0.4 - down - up], size=4000)
    both, first, second, neither = cells.T
    truth = up - down
    spread = bonett_price(first, second, n)
    assert np.mean(np.abs(spread.center - truth) <= spread.half_width(0.95)) >= 0.94
    low, high = newcombe(both, first, second, neither, 0.95)
    assert np.mean((low <= truth) & (truth <= high)) >= 0.92
