import numpy as np
import pytest
from scipy import stats

from causalablate.effects import Kind
from causalablate.effects.estimands import ESTIMANDS
from causalablate.effects.estimands.tabulate import limits

AUTO = {"interval": "auto", "level": 0.95, "resamples": 100, "seed": 0}
D, DZ = ESTIMANDS["cohen_d"], ESTIMANDS["cohen_dz"]


def test_dz_by_leaving_out_one_row_after_the_other(effects_of):
    effect = np.random.default_rng(0).normal(0.4, 1, 30)
    left = np.array([x.mean() / x.std(ddof=1) for i in range(30) for x in [np.delete(effect, i)]])
    se = np.sqrt(29 / 30 * ((left - left.mean()) ** 2).sum())
    found = limits(DZ, effects_of(effect), **AUTO)
    middle, half = effect.mean() / effect.std(ddof=1), stats.t(29).ppf(0.975) * se
    assert found.method[0] == "jackknife t, for skewness"
    # One limit is that of t, the other lies further out.
    assert min(middle - half - found.low[0], found.high[0] - middle - half) == pytest.approx(0, abs=2e-3)
    assert max(middle - half - found.low[0], found.high[0] - middle - half) > 2e-3


def test_rows_of_a_cluster_are_left_out_together(effects_of):
    effect = np.random.default_rng(1).normal(0.4, 1, 30)
    alone = limits(DZ, effects_of(effect), **AUTO)
    doubled = limits(DZ, effects_of(np.repeat(effect, 2), cluster=np.repeat(np.arange(30), 2)), **AUTO)
    assert doubled.high[0] - doubled.low[0] == pytest.approx(alone.high[0] - alone.low[0], rel=0.03)


def test_heavy_tails_are_covered(paired):
    rng = np.random.default_rng(2)
    factual = rng.normal(size=(800, 400))
    data = paired(factual, factual - 0.3 + rng.standard_t(3, factual.shape))
    for what, truth in ((DZ, -0.3 / np.sqrt(3)), (D, -0.3 / np.sqrt(2.5))):
        found = limits(what, data, **AUTO)
        assert 0.925 <= np.mean((found.low <= truth) & (truth <= found.high)) <= 0.98


def test_one_effect_that_is_not_zero_has_no_jackknife(effects_of, paired):
    found = limits(DZ, effects_of([0.0, 0, 0, 2]), **AUTO)
    assert found.method[0].startswith("undefined: the estimate is the same, or has no value") and np.isnan(found.low[0])
    assert limits(DZ, effects_of([1.0, 2, 3], cluster=[0, 0, 0]), **AUTO).method[0] == "undefined: one cluster"
    assert "linearised" in limits(DZ, paired([1, 1, 0, 0], [1, 0, 0, 1], Kind.BINARY), **AUTO).method[0]
