import numpy as np
import pytest

from causalablate.effects import Kind
from causalablate.effects.effect_size import cohen_d, cohen_dz, hedges_g
from causalablate.effects.estimands.base import replicates, value
from causalablate.effects.estimands.standardised import COHEN_D, COHEN_DZ, HEDGES_G
from causalablate.effects.estimands.tabulate import limits

AUTO = {"interval": "auto", "level": 0.95, "resamples": 400, "seed": 0}
PAIRS = [(COHEN_D, cohen_d), (COHEN_DZ, cohen_dz), (HEDGES_G, hedges_g)]


@pytest.mark.parametrize(("what", "function"), PAIRS)
@pytest.mark.parametrize("shift", [0, 1e5])
def test_the_values_of_effect_size(paired, what, function, shift):
    factual, counterfactual = np.random.default_rng(0).normal(size=(2, 4, 30)) + shift
    data = paired(factual, counterfactual)
    assert value(what, data) == pytest.approx(function(data), rel=1e-9)
    binary = paired(factual > shift, counterfactual > shift, Kind.BINARY)
    assert value(what, binary) == pytest.approx(function(binary), rel=1e-9)


@pytest.mark.parametrize(("what", "function"), PAIRS[:2])
def test_replicates_are_the_values_of_the_resampled_rows(paired, what, function):
    from causalablate.effects.bootstrap import multiplicities

    data = paired(*np.random.default_rng(0).normal(size=(2, 2, 30)))
    got = replicates(what, data, resamples=20, seed=3)
    for times, expected in zip(
        next(iter(multiplicities(data.cluster, data.seed, method="rows", resamples=20, seed=3))), got, strict=True
    ):
        drawn = np.repeat(np.arange(30), times.astype(int))
        assert function(paired(data.factual[:, drawn], data.counterfactual[:, drawn])) == pytest.approx(expected)


def test_standard_error_of_dz_for_normal_effects(paired):
    # Var d_z = (1 + d_z^2 / 2) / n, as noncentral t says.
    effect = np.random.default_rng(0).normal(0.8, 1, size=20_000)
    data = paired(np.random.default_rng(1).normal(size=20_000) * 0, effect)
    found = limits(COHEN_DZ, data, **AUTO)
    assert (found.high - found.low)[0] == pytest.approx(2 * 1.96 * np.sqrt((1 + 0.32) / 20_000), rel=0.03)


def test_standard_error_of_d_for_normal_worlds(paired):
    # Bonett (2008), equation for two paired means.
    factual, other = np.random.default_rng(2).normal(size=(2, 20_000))
    counterfactual = 0.7 + 0.5 * factual + 1.5 * other
    data = paired(factual, counterfactual)
    v1, v2, cov = 1, 2.5, 0.5
    s2, d = (v1 + v2) / 2, 0.7 / np.sqrt((v1 + v2) / 2)
    se = np.sqrt(d**2 * (v1**2 + v2**2 + 2 * cov**2) / (8 * s2**2) + (v1 + v2 - 2 * cov) / s2) / np.sqrt(20_000)
    found = limits(COHEN_D, data, **AUTO)
    assert (found.high - found.low)[0] == pytest.approx(2 * 1.96 * se, rel=0.03)


def test_flips_one_way_leave_room(paired):
    data = paired(np.ones(100), np.arange(100) >= 2, Kind.BINARY)
    found = limits(COHEN_D, data, **AUTO)
    assert found.low[0] < -0.4 and found.high[0] > 0


def test_undefined(paired):
    for what in (COHEN_D, COHEN_DZ, HEDGES_G):
        found = limits(what, paired([1.0, 1, 1], [2.0, 2, 2]), **AUTO)
        assert found.method[0] == "undefined: nothing varies to divide by, or there are too few rows"
