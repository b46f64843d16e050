import numpy as np
import pytest

from causalablate.effects.bootstrap import METHODS, multiplicities, resampling_of
from causalablate.errors import EffectError

CLUSTER, SEED = np.array([0, 0, 1, 2, 2, 2] * 2), np.repeat([0, 1], 6)


def drawn(method, resamples=500, seed=0):
    return np.concatenate(list(multiplicities(CLUSTER, SEED, method=method, resamples=resamples, seed=seed)))


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_draws(method):
    assert drawn(method).tobytes() == drawn(method).tobytes()
    assert not np.array_equal(drawn(method), drawn(method, seed=1))
    assert drawn(method).shape == (500, 12)


@pytest.mark.parametrize("method", METHODS)
def test_every_row_is_drawn_once_on_average(method):
    assert drawn(method, 20_000).mean(axis=0) == pytest.approx(1, abs=0.06)


def test_rows_are_drawn_with_replacement():
    times = drawn("rows", 20_000)
    assert (times.sum(axis=1) == 12).all()
    assert times.var(axis=0) == pytest.approx(11 / 12, abs=0.05)
    assert np.cov(times[:, 0], times[:, 1])[0, 1] == pytest.approx(-1 / 12, abs=0.03)


def test_clusters_are_drawn_whole():
    times = drawn("clusters")
    assert np.array_equal(times[:, [1, 4, 5]], times[:, [0, 3, 3]])
    assert np.array_equal(times[:, :6], times[:, 6:])
    assert (times[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_hierarchical_draws_are_products():
    times = drawn("hierarchical").reshape(500, 2, 6)[:, :, [0, 2, 3]]
    by_seed, by_cluster = times.sum(axis=2) / 3, times.sum(axis=1) / 2
    assert np.array_equal(times, by_seed[:, :, None] * by_cluster[:, None, :])
    assert (by_seed.sum(axis=1) == 2).all() and (by_cluster.sum(axis=1) == 3).all()
    assert abs(np.corrcoef(by_seed[:, 0], by_cluster[:, 0])[0, 1]) < 0.15


@pytest.mark.parametrize("method", METHODS)
def test_blocks_do_not_change_the_draws(method, monkeypatch):
    whole = drawn(method)
    monkeypatch.setattr("causalablate.effects.bootstrap.draws.BLOCK_VALUES", 100)
    assert len(list(multiplicities(CLUSTER, SEED, method=method, resamples=500, seed=0))) == 63
    assert np.array_equal(drawn(method), whole)


def test_refused():
    with pytest.raises(EffectError, match=r'no resampling "cluster" \(did you mean clusters\?\)'):
        multiplicities(CLUSTER, SEED, method="cluster", resamples=10, seed=0)
    with pytest.raises(EffectError, match="resamples is 0; it must be at least 1"):
        multiplicities(CLUSTER, SEED, method="rows", resamples=0, seed=0)


def test_what_is_drawn_follows_from_what_rows_share(effects_of):
    assert resampling_of(effects_of(np.zeros(4))) == "rows"
    assert resampling_of(effects_of(np.zeros(4), cluster=[0, 0, 1, 1])) == "clusters"
    assert resampling_of(effects_of(np.zeros(4), cluster=[0, 1, 0, 1], seed=[0, 0, 1, 1])) == "hierarchical"
