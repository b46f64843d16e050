import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, trim_mean

from causalablate.effects import population_effects
from causalablate.effects.seeds import seed_effects
from causalablate.errors import EffectError


def crossed(seeds=4, n=30, lesions=1, seed=0, of_seeds=0.5, mean=0.0):
    rng = np.random.default_rng(seed)
    return (
        mean
        + rng.normal(size=(lesions, 1, n))
        + of_seeds * rng.normal(size=(lesions, seeds, 1))
        + rng.normal(size=(lesions, seeds, n))
    )


def test_one_row_holds_what_the_seeds_show(study):
    effect = crossed()
    found, means = seed_effects(study(effect)).iloc[0], effect[0].mean(axis=1)
    assert found["n_seeds"] == 4 and found["n_units"] == 30
    assert found["seed_mean"] == pytest.approx(means.mean(), abs=1e-6) == found["ate"]
    assert found["seed_sd"] == pytest.approx(means.std(ddof=1), abs=1e-6)
    assert found[["seed_min", "seed_max"]].tolist() == pytest.approx([means.min(), means.max()], abs=1e-6)
    assert found["iqm"] == pytest.approx(trim_mean(means, 0.25), abs=1e-6)
    assert found["seed_low"] < found["seed_mean"] < found["seed_high"]
    assert found["p_seeds_smallest"] == 0.125
    assert found[["share_example", "share_seed", "share_rest"]].sum() == pytest.approx(1)


def test_the_interval_is_that_of_population_effects(study):
    table = study(crossed(lesions=2))
    columns = ["outcome", "lesion", "group", "ate", "ci_low", "ci_high", "interval_method"]
    pd.testing.assert_frame_equal(seed_effects(table)[columns], population_effects(table)[columns])


def test_interquartile_means_pool_seeds_and_tasks(table, joined):
    rng = np.random.default_rng(0)
    groups = {"task": ["a"] * 10 + ["b"] * 10 + ["c"] * 10, "other": ["x", "y"] * 15}
    values = rng.normal(size=(5, 30)) + 0.5 * np.arange(5)[:, None]
    whole = joined(
        *(table({"score": np.zeros(30) + 0.5}, {"l": {"score": 0.5 + v}}, groups=groups, seed=s)
          for s, v in enumerate(values))
    )  # fmt: skip
    found = seed_effects(whole).set_index("group")
    scores = values.reshape(5, 3, 10).mean(axis=2)
    assert found.loc["all", "iqm"] == pytest.approx(trim_mean(scores.ravel(), 0.25), abs=1e-6)
    assert found["iqm_tasks"].to_dict() == {
        "all": 3, "task=a": 1, "task=b": 1, "task=c": 1, "other=x": 3, "other=y": 3
    }  # fmt: skip
    width = found["iqm_high"] - found["iqm_low"]
    assert width["all"] > (found["iqm_stratified_high"] - found["iqm_stratified_low"])["all"]
    other = seed_effects(whole, tasks="other")
    assert other["iqm_tasks"].iloc[0] == 2 and other.attrs["tasks"] == "other"


def test_three_seeds(study):
    found = seed_effects(study(crossed(3))).iloc[0]
    assert found["iqm"] == pytest.approx(found["seed_mean"])
    assert "the interquartile mean of 3 scores is their mean" in found["note"]
    assert "cannot fall below 0.25" in found["note"] and found["p_seeds_smallest"] == 0.25


def test_two_seeds_come_with_a_warning(study):
    found = seed_effects(study(crossed(2))).iloc[0]
    assert found["note"].startswith("2 seeds are too few")


def test_one_seed_is_undefined_and_says_so(study):
    found = seed_effects(study(crossed(1))).iloc[0]
    assert found["note"].startswith("undefined: one seed")
    undefined = ["seed_sd", "seed_low", "iqm_low", "prob_increase", "p_seeds_t", "p_seeds_signflip", "p_both"]
    assert found[[*undefined, "share_seed", "p_seeds_smallest"]].isna().all()
    assert found["holds_for"] == "" and np.isfinite(found["p_examples"])


def test_enough_seeds_and_no_trouble_need_no_note(study):
    assert seed_effects(study(crossed(8)))["note"].tolist() == [""]


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (crossed(8, mean=3.0, of_seeds=0.2), "new seeds and new examples"),
        (crossed(8, of_seeds=0.2, seed=4), "neither"),
        (np.array([1.5, -1.0, 2.0, -1.5, 0.5])[None, :, None] + 0.01 * crossed(5), "new examples, these seeds"),
        (np.array([4.0, -3.0, 5.0, -4.0, 1.5]) + 0.01 * crossed(5, 5), "new seeds, these examples"),
    ],
)
def test_what_a_claim_holds_for(study, effect, said):
    assert seed_effects(study(effect))["holds_for"].iloc[0] == said


def test_the_probability_of_an_increase(study):
    effect = np.array([1.0, 2.0, -1.0, 0.0])[None, :, None] * np.ones((1, 4, 6))
    found = seed_effects(study(effect, factual=np.arange(6))).iloc[0]
    assert found["prob_increase"] == 2.5 / 4
    assert found["prob_increase_low"] == pytest.approx(beta.ppf(0.025, 2.5, 2.5))
    up = seed_effects(study(np.ones((1, 3, 6)), factual=np.arange(6))).iloc[0]
    assert up["prob_increase"] == up["prob_increase_high"] == 1
    assert up["prob_increase_low"] == pytest.approx(0.025 ** (1 / 3))
    assert "undefined t over seeds" in up["note"] and np.isnan(up["p_seeds_t"]) and np.isnan(up["share_seed"])


def test_effects_of_one_sign(study):
    rng = np.random.default_rng(0)
    found = seed_effects(study(rng.gamma(1, size=(1, 3, 20)), "kl_to_factual", factual=np.zeros(20))).iloc[0]
    assert np.isnan(found["p_seeds_t"]) and np.isnan(found["prob_increase"]) and found["holds_for"] == ""
    assert "never negative" in found["note"] and np.isfinite(found["seed_low"])


def test_missing_cells(study):
    table = study(crossed(4))
    found = seed_effects(type(table)(table.frame.iloc[:-3])).iloc[0]
    assert "some examples lack some seeds" in found["note"] and np.isfinite(found["share_seed"])


def test_one_example_under_several_seeds(study):
    found = seed_effects(study(crossed(4, 1))).iloc[0]
    assert found["interval_method"] == "undefined: one cluster" and np.isnan(found["p_both"])
    assert np.isfinite(found["p_seeds_t"]) and np.isnan(found["share_seed"])
    assert "one example cannot show how they differ" in found["note"]


def test_same_seed_same_bytes_and_lesions_do_not_depend_on_each_other(study):
    effect = crossed(5, lesions=3)
    whole = seed_effects(study(effect), seed=3)
    pd.testing.assert_frame_equal(whole, seed_effects(study(effect), seed=3))
    alone = seed_effects(study(effect[:1]), seed=3)
    pd.testing.assert_frame_equal(whole[whole["lesion"] == "l0"], alone)
    few, other = (seed_effects(study(effect), resamples=20, seed=seed)["iqm_stratified_low"] for seed in (3, 4))
    assert (few != other).any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"level": 1.0}, "level is 1.0"),
        ({"resamples": 0}, "resamples is 0"),
        ({"tasks": "kind"}, "the table has no gro"),
    ],
)
def test_refused(study, arguments, said):
    with pytest.raises(EffectError, match=said):
        seed_effects(study(crossed()), **arguments)
