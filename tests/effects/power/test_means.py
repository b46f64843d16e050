import numpy as np
import pytest
from scipy import integrate, stats
from statsmodels.stats.power import TTestPower

from causalablate.effects.clustered import two_way_t
from causalablate.effects.power.means import Claim, Precision, mean_power, t_power


def one_part(variance, df, n=1):
    zero, full = np.zeros(n), np.ones(n)
    return Precision(variance * full, zero, zero, zero, full, df * full, full)


def two_parts(seed, item, cell, *, n, n_seeds):
    """Precision of n examples under n_seeds from variances of single values."""
    full = np.ones(1)
    c = cell / n / n_seeds
    return Precision(
        (item / n + c) * full, (seed / n_seeds + c) * full, c * full, 0 * full, full, (n - 1.0) * full, n_seeds * full
    )


def detect(precision, effect, alpha=0.05):
    return float(mean_power(precision, Claim.EFFECT, np.array([effect]), np.ones(1), alpha, one_sided=False)[0])


@pytest.mark.parametrize("n", [3, 10, 200, 5_000])
@pytest.mark.parametrize("d", [0.02, 0.3, 1.5])
def test_one_part_is_the_power_of_the_t_test(n, d):
    expected = TTestPower().power(d, n, 0.05)
    assert detect(one_part(1 / n, n - 1), d) == pytest.approx(expected, abs=1e-10)
    assert detect(one_part(1 / n, n - 1), -d) == pytest.approx(expected, abs=1e-10)


def test_one_sided_power():
    found = mean_power(one_part(1 / 20, 19), Claim.EFFECT, np.array([0.8]), np.array([0.3]), 0.05, one_sided=True)
    assert found[0] == pytest.approx(TTestPower().power(0.5, 20, 0.05, alternative="larger"), abs=1e-10)
    better = mean_power(
        one_part(1 / 20, 19), Claim.NON_INFERIORITY, np.zeros(1), np.array([0.5]), 0.05, one_sided=False
    )
    assert better[0] == pytest.approx(found[0], abs=1e-12)


@pytest.mark.parametrize("n", [4, 12, 300])
def test_equivalence_integrates_over_the_variance_that_will_be_seen(n):
    margin, effect = 5 / np.sqrt(n), 0.5 / np.sqrt(n)
    critical = stats.t.ppf(0.95, n - 1)

    def given(variance):
        room = margin - critical * np.sqrt(variance / n)
        inside = stats.norm.cdf((room - effect) * np.sqrt(n)) - stats.norm.cdf((-room - effect) * np.sqrt(n))
        return max(inside, 0.0) * stats.chi2.pdf(variance * (n - 1), n - 1) * (n - 1)

    most = margin**2 * n / critical**2
    expected = integrate.quad(given, 0, most, limit=200, points=[min(1.0, most / 2)])[0]
    found = mean_power(
        one_part(1 / n, n - 1), Claim.EQUIVALENCE, np.array([effect]), np.array([margin]), 0.05, one_sided=False
    )
    assert found[0] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize(("n_seeds", "seed_sds"), [(3, 3.3), (5, 1.7)])
def test_what_few_seeds_can_detect(n_seeds, seed_sds):
    """Three to five seeds detect only differences of 3.3 to 1.7 paired SDs between seeds."""
    endless = two_parts(1.0, 1.0, 1.0, n=1e12, n_seeds=n_seeds)
    exact = TTestPower().solve_power(nobs=n_seeds, alpha=0.05, power=0.8)
    assert exact == pytest.approx(seed_sds, abs=0.05)
    assert detect(endless, exact) == pytest.approx(0.8, abs=0.005)


@pytest.mark.parametrize(("seed", "item", "cell", "n", "n_seeds"), [(0.04, 1, 1, 100, 5), (0.0, 1, 0.5, 40, 3)])
def test_power_of_the_two_way_t_is_what_simulation_shows(seed, item, cell, n, n_seeds):
    rng, repeats, effect = np.random.default_rng(1), 4_000, 0.4
    of_seeds = np.sqrt(seed) * rng.normal(size=(repeats, n_seeds, 1))
    of_items = np.sqrt(item) * rng.normal(size=(repeats, 1, n))
    noise = np.sqrt(cell) * rng.normal(size=(repeats, n_seeds, n))
    values = (effect + of_seeds + of_items + noise).reshape(repeats, -1)
    spread = two_way_t(values, np.tile(np.arange(n), n_seeds), np.repeat(np.arange(n_seeds), n))
    simulated = (np.abs(spread.center) > spread.half_width(0.95)).mean()
    assert detect(two_parts(seed, item, cell, n=n, n_seeds=n_seeds), effect) == pytest.approx(simulated, abs=0.03)


def test_large_degrees_of_freedom_are_normal():
    found = t_power(np.array([2.8]), np.ones(1), np.array([np.inf]), 0.025, True)
    assert found[0] == pytest.approx(stats.norm.cdf(2.8 - 1.959964) + stats.norm.cdf(-2.8 - 1.959964), abs=1e-6)
