import numpy as np
import pytest
from scipy.stats import t

from causalablate.effects import Kind, mean_intervals
from causalablate.effects.bootstrap import jackknife_means
from causalablate.effects.estimands.linear import influence, linearised

RNG = np.random.default_rng(0)


def test_influence_of_a_ratio():
    x, y = RNG.normal(size=(2, 1, 30)) + 3
    ratio = x.mean() / y.mean()
    got = influence(np.stack([x, y]), lambda m: m[0] / m[1])
    assert got[0] == pytest.approx(ratio + (x - ratio * y)[0] / y.mean(), abs=1e-9)
    assert got.mean() == pytest.approx(ratio)


def test_constant_columns_do_not_matter():
    x = RNG.normal(size=(1, 30))
    got = influence(np.stack([x, np.zeros((1, 30))]), lambda m: m[0] * (1 + m[1]))
    assert got == pytest.approx(x, abs=1e-9)


@pytest.mark.parametrize(
    "structure",
    [
        {},
        {"cluster": np.repeat(np.arange(10), 4)},
        {"cluster": np.tile(np.arange(10), 4), "seed": np.repeat(range(4), 10)},
    ],
)
def test_a_mean_keeps_its_interval(effects_of, structure):
    data = effects_of(RNG.normal(size=(3, 40)), **structure)
    got, expected = linearised(data, 0.9, lambda p: p.effect[None], lambda m: m[0]), mean_intervals(data, 0.9)
    assert got.low == pytest.approx(expected.low, abs=1e-10)
    assert got.high == pytest.approx(expected.high, abs=1e-10)
    assert got.method.tolist() == [f"{name}, linearised" for name in expected.method]


def test_a_mean_of_flips_keeps_its_pseudo_flips(paired):
    cluster = np.repeat(np.arange(10), 4)
    data = paired(*RNG.integers(0, 2, (2, 3, 40)), Kind.BINARY, cluster=cluster)
    expected = mean_intervals(data, 0.9)
    got = linearised(data, 0.9, lambda p: p.effect[None], lambda m: m[0], flip=lambda m: np.ones(3))
    assert got.low == pytest.approx(expected.low, abs=1e-10)
    assert got.high == pytest.approx(expected.high, abs=1e-10)
    # In halves of a flip, twice as large.
    twice = linearised(data, 0.9, lambda p: p.effect[None], lambda m: 2 * m[0], flip=lambda m: np.full(3, 2.0))
    assert twice.high == pytest.approx(2 * got.high)


def test_the_standard_error_is_the_jackknife_s(paired):
    x, y = np.random.default_rng(3).exponential(size=(2, 400)) + 1
    data = paired(x, y)
    got = linearised(data, 0.95, lambda p: np.stack([p.factual, p.counterfactual]), lambda m: m[0] / m[1])
    without = jackknife_means(x[None], data.cluster) / jackknife_means(y[None], data.cluster)
    se = np.sqrt(399 / 400 * ((without - without.mean()) ** 2).sum())
    assert (got.high - got.low)[0] / 2 == pytest.approx(t.ppf(0.975, 399) * se, rel=0.01)


def test_no_scale_at_its_end(paired):
    data = paired([[1, 1, 1, 1], [1, 1, 0, 1]], [[0, 0, 0, 0], [1, 0, 1, 0]], Kind.BINARY)
    got = linearised(
        data, 0.95, lambda p: p.counterfactual[None], lambda m: np.log(m[0]), flip=lambda m: 1 / m[0], back=np.exp
    )
    assert np.isnan(got.low).tolist() == [True, False]
    assert got.method[0] == "undefined: the estimate lies at the end of its scale"
    assert got.method[1] == "paired t, Bonett-Price adjusted, linearised"
