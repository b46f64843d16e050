import numpy as np
import pytest
from scipy.special import betainc
from scipy.stats import binom

from causalablate.effects import Kind
from causalablate.effects.intervals import effective_size, spread_of
from causalablate.effects.power.means import Claim
from causalablate.effects.power.pilot import pilot_of
from causalablate.effects.power.reach import Aim, name_of_test, power_of
from causalablate.effects.power.shares import effective_share_power, share_power
from causalablate.effects.proportion import p_share_greater


def test_the_power_of_the_binomial_test_adds_up_its_rejections():
    counts = np.arange(61)
    rejected = p_share_greater(counts, np.full(61, 60.0), 0.05) < 0.05
    found = share_power(np.array([60.9]), np.array([0.12]), np.array([0.05]), 0.05)
    assert found[0] == pytest.approx(binom.pmf(counts, 60, 0.12)[rejected].sum())


def test_fractional_counts_agree_with_the_test_and_lie_between_whole_ones():
    n, share, null = np.array([60.9]), np.array([0.12]), np.array([0.05])
    draws = np.random.default_rng(0).beta(1, 1, 4_000) * n
    shown = draws[p_share_greater(draws, np.full(draws.shape, n[0]), null) < 0.05].min()
    power = effective_share_power(n, share, null, 0.05)
    assert power[0] == pytest.approx(betainc(shown, n[0] - shown + 1, 0.12), abs=0.01)
    assert share_power(n, share, null, 0.05)[0] < power[0] < share_power(n, share, null, 0.1)[0]
    assert effective_share_power(np.array([3.5]), np.array([0.9]), np.array([0.6]), 0.05)[0] == 0


def changed(paired, rng, repeats, clusters, seeds, share=0.1):
    """Answers changed for images of 4 questions under several seeds; half of the draws are shared within an image."""
    n = 4 * clusters
    shared = rng.random((repeats, 1, clusters)).repeat(4, axis=2)
    draws = np.where(rng.random((repeats, seeds, n)) < 0.5, shared, rng.random((repeats, seeds, n)))
    effect = (draws < share).astype(float).reshape(repeats, -1)
    unit = np.tile(np.arange(n), seeds)
    return paired(np.zeros_like(effect), effect, Kind.CATEGORICAL, unit // 4, np.repeat(np.arange(seeds), n), unit)


@pytest.mark.parametrize("seeds", [1, 3])
def test_dependent_shares_simulation_agrees(paired, seeds):
    rng = np.random.default_rng(0)
    pilot = pilot_of(changed(paired, rng, 1, 3_000, seeds))
    studies = changed(paired, rng, 3_000, 70, seeds)
    n = effective_size(studies, spread_of(studies), 0.95)
    simulated = (p_share_greater(studies.effect.mean(axis=1) * n, n, 0.05) < 0.05).mean()
    aim = Aim(Claim.EFFECT, np.array([0.1]), np.array([0.05]), 0.05)
    assert 0.5 < simulated < 0.95
    assert power_of(pilot, aim, 70, seeds)[0] == pytest.approx(simulated, abs=0.04)
    assert name_of_test(pilot, Claim.EFFECT) == "binomial at the effective sample size"


def test_examples_without_number_settle_a_share_under_one_seed(paired):
    pilot = pilot_of(changed(paired, np.random.default_rng(0), 1, 50, 1))
    above, below = (Aim(Claim.EFFECT, np.array([share]), np.array([0.05]), 0.05) for share in (0.1, 0.04))
    assert power_of(pilot, above, np.inf, 1)[0] == 1 and power_of(pilot, below, np.inf, 1)[0] == 0.05
