import numpy as np
import pytest

from causalablate.effects.comparisons import compare_rankings
from causalablate.effects.comparisons.rank import BOOTSTRAP, FEW, TOO_FEW, TWO_SAMPLES
from causalablate.effects.rankings import rank_agreement
from causalablate.errors import EffectError

RNG = np.random.default_rng(0)
NAMES = [f"l{i}" for i in range(6)]


def made(table, effects, **kwargs):
    return table(
        {"y": np.zeros(effects.shape[1])}, dict(zip(NAMES, ({"y": e} for e in effects), strict=True)), **kwargs
    )


def test_same_examples_are_the_rank_agreement_of_their_effects(table):
    a = RNG.normal(size=(6, 100)) + np.arange(6)[:, None]
    b = RNG.normal(size=(6, 100)) + np.arange(6)[:, None]
    row = compare_rankings(made(table, a), made(table, b), k=3, resamples=200).iloc[0]
    expected = rank_agreement(np.float32(a), np.float32(b), np.arange(100), k=3, resamples=200, reflected=True)
    assert (row["spearman"], row["spearman_low"], row["spearman_high"]) == pytest.approx(
        (expected.spearman.value, expected.spearman.low, expected.spearman.high), abs=1e-6
    )
    assert (row["overlap"], row["k"], row["n_lesions"]) == (expected.overlap.value, 3, 6)
    assert row["interval_method"] == BOOTSTRAP


def test_few_clusters_have_no_limits(table):
    effects = RNG.normal(size=(6, 99)) + np.arange(6)[:, None]
    row = compare_rankings(made(table, effects), made(table, -effects), resamples=100).iloc[0]
    assert row["interval_method"] == FEW and np.isfinite([row["spearman"], row["overlap"]]).all()
    assert np.isnan([row[f"{name}_{end}"] for name in ("spearman", "overlap") for end in ("low", "high")]).all()


def test_two_samples_have_no_interval(table):
    a = np.arange(6.0)[:, None] + RNG.normal(size=(6, 20)) / 100
    other = made(table, -a)
    other.frame["example"] = other.frame["cluster"] = "x" + other.frame["example"]
    row = compare_rankings(made(table, a), other, k=2).iloc[0]
    assert row["spearman"] == pytest.approx(-1) and row["overlap"] == 1
    assert np.isnan(row["spearman_low"]) and row["interval_method"] == TWO_SAMPLES


def test_seeds_are_averaged_and_two_lesions_have_no_ranking(table, joined):
    tables = [made(table, RNG.normal(size=(2, 8)), seed=s) if False else made_two(table, s) for s in range(2)]
    row = compare_rankings(joined(*tables), joined(*tables)).iloc[0]
    assert np.isnan(row["spearman"]) and row["interval_method"] == TOO_FEW and row["overlap"] == 1


def made_two(table, seed):
    y = RNG.normal(size=(2, 8))
    return table({"y": np.zeros(8)}, {"l0": {"y": y[0]}, "l1": {"y": y[1]}}, seed=seed)


def test_refused(table):
    with pytest.raises(EffectError, match="k is 0"):
        compare_rankings(made_two(table, 0), made_two(table, 0), k=0)
