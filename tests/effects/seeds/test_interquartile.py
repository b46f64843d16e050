import numpy as np
import pytest
from scipy.stats import t, trim_mean
from scipy.stats.mstats import trimmed_mean_ci

from causalablate.effects.seeds import iqm, iqm_interval, iqm_replicates
from causalablate.effects.seeds.interquartile import trimmed_quantile


def test_the_middle_half_is_averaged():
    assert iqm(np.array([0.0, 1.0, 3.0, 100.0])) == 2.0
    assert iqm(np.array([[8.0, 1, 2, 3, 4, 5, 6, 7]])) == pytest.approx([4.5])


def test_the_interquartile_mean_of_three_is_their_mean():
    scores = np.array([1.0, 2.0, 90.0])
    assert iqm(scores) == scores.mean() == trim_mean(scores, 0.25)


@pytest.mark.parametrize("whole_seeds", [True, False])
def test_replicates_are_interquartile_means_of_resampled_scores(whole_seeds):
    scores = np.random.default_rng(0).normal(size=(3, 4, 2))
    found = iqm_replicates(scores, whole_seeds=whole_seeds, resamples=50, seed=7)
    drawn = np.random.default_rng(7).integers(4, size=(50, 4, 1 if whole_seeds else 2))
    for r in range(50):
        columns = [scores[:, drawn[r, :, min(t, drawn.shape[2] - 1)], t] for t in range(2)]
        assert found[r] == pytest.approx(trim_mean(np.hstack(columns), 0.25, axis=1))


def test_seeds_with_all_their_tasks_vary_more_than_tasks_drawn_apart():
    """A seed that is good is good at every task: drawing tasks apart averages that away."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(1, 8, 1)) + 0.1 * rng.normal(size=(1, 8, 6))
    whole, apart = (iqm_replicates(scores, whole_seeds=w, resamples=500, seed=0).std() for w in (True, False))
    assert whole > 1.5 * apart


def test_lesions_do_not_depend_on_each_other_nor_on_blocks(monkeypatch):
    scores = np.random.default_rng(0).normal(size=(5, 4, 2))
    whole = iqm_replicates(scores, whole_seeds=False, resamples=20, seed=1)
    monkeypatch.setattr("causalablate.effects.seeds.interquartile.BLOCK_VALUES", 1)
    assert (iqm_replicates(scores, whole_seeds=False, resamples=20, seed=1) == whole).all()
    assert (iqm_replicates(scores[3:4], whole_seeds=False, resamples=20, seed=1)[:, 0] == whole[:, 3]).all()


def test_the_interval_of_three_seeds_is_that_of_their_mean():
    scores = np.array([1.0, 2.0, 4.0])
    low, high = iqm_interval(scores[None, :, None], 0.95)
    assert (low[0], high[0]) == pytest.approx(t(2, scores.mean(), scores.std(ddof=1) / np.sqrt(3)).interval(0.95))


def test_the_interval_of_eight_seeds_is_that_of_scipy_s_trimmed_mean():
    scores = np.random.default_rng(0).normal(size=8)
    low, high = iqm_interval(scores[None, :, None], 0.9)
    middle, half = trimmed_mean_ci(scores, (0.25, 0.25), alpha=0.1).mean(), (high[0] - low[0]) / 2
    assert (low[0] + high[0]) / 2 == pytest.approx(middle) == iqm(scores)
    # scipy divides by the share kept, Yuen by what is left of n - 1: 4 x 3 here, where scipy has 16 x 7 / 8.
    theirs = np.ptp(trimmed_mean_ci(scores, (0.25, 0.25), alpha=0.1)) / 2
    ours = trimmed_quantile(8, 0.9) / t(3).ppf(0.95)
    assert half == pytest.approx(theirs * np.sqrt(7 / 12 * 2) * ours)
    assert 1 < ours < 1.15


@pytest.mark.parametrize(("n", "least"), [(4, 0.945), (5, 0.945), (10, 0.945), (60, 0.94)])
def test_the_interval_of_normal_scores_is_exact(n, least):
    """With the t quantile: 0.937 at 5 scores."""
    low, high = iqm_interval(np.random.default_rng(3).normal(size=(40_000, n, 1)), 0.95)
    assert least <= np.mean((low <= 0) & (high >= 0)) <= 0.955


def test_the_interval_holds_where_seeds_are_few():
    """Whole seeds, good or bad at all of four tasks; the bootstrap of three seeds covers about 0.75."""
    rng = np.random.default_rng(1)
    for n_seeds in (3, 5, 10):
        scores = rng.normal(size=(2000, n_seeds, 1)) + 0.5 * rng.normal(size=(2000, n_seeds, 4))
        low, high = iqm_interval(scores, 0.95)
        assert 0.93 <= np.mean((low <= 0) & (high >= 0)) <= 0.985
