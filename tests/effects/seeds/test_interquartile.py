import numpy as np
import pytest
from scipy.stats import trim_mean

from causalablate.effects.seeds import iqm, iqm_replicates


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
