import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr
from scipy.stats import ttest_rel
from statsmodels.stats.multitest import multipletests

from causalablate.effects import COLUMNS, EFFECT, UNDECIDED, WITHIN_NOISE, population_effects
from causalablate.effects.intervals import INTERVALS
from causalablate.effects.maxt import maxt_p
from causalablate.effects.population import CORRECTIONS
from causalablate.effects.tests_by_name import TESTS
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals, Units, rows

N = 2000


@pytest.fixture(scope="module")
def study() -> Counterfactuals:
    """One binary, one real, one distance and one categorical outcome under four lesions of known effect."""
    rng = np.random.default_rng(0)
    units = Units(
        [f"e{i}" for i in range(N)],
        [f"e{i}" for i in range(N)],
        {"question_type": np.where(np.arange(N) % 4 == 0, "color", "count").tolist()},
    )
    correct = (rng.random(N) < 0.9).astype(float)
    logprob = -rng.exponential(0.5, N)
    answer = rng.integers(0, 5, N).astype(float)
    color = np.arange(N) % 4 == 0
    flipped = {"inert": np.zeros(N, bool), "harmful": rng.random(N) < 0.2, "color": color & (rng.random(N) < 0.5)}
    flipped = {lesion: hit & (correct > 0) for lesion, hit in flipped.items()}
    # As many right answers turn wrong as wrong ones right.
    flipped["slight"] = ((correct > 0) & (np.cumsum(correct > 0) <= 40)) | (
        (correct == 0) & (np.cumsum(correct == 0) <= 40)
    )
    parts = []
    for lesion, hit in flipped.items():
        parts.append(
            rows(
                units,
                study="s",
                model="m",
                seed=0,
                lesion=lesion,
                factual={"correct": correct, "logprob": logprob, "kl_to_factual": np.zeros(N), "answer": answer},
                counterfactual={
                    "correct": np.where(hit, 1 - correct, correct),
                    "logprob": logprob - np.where(hit, rng.exponential(1, N), 0),
                    "kl_to_factual": np.where(hit, rng.exponential(1, N), 0),
                    "answer": np.where(hit, (answer + 1) % 5, answer),
                },
                fired=np.full(N, lesion != "inert"),
                change_norm=np.full(N, 0.0 if lesion == "inert" else 3.0),
                categorical=("answer",),
            )
        )
    return Counterfactuals(pd.concat(parts, ignore_index=True), {"answer": list("abcde")})


@pytest.fixture(scope="module")
def effects(study) -> pd.DataFrame:
    return population_effects(study)


def at(effects, outcome, lesion, group="all"):
    found = effects[(effects["outcome"] == outcome) & (effects["lesion"] == lesion) & (effects["group"] == group)]
    assert len(found) == 1
    return found.iloc[0]


def test_one_row_per_outcome_lesion_and_group_in_order(effects, study):
    assert tuple(effects.columns) == COLUMNS
    groups = ["all", "question_type=color", "question_type=count"]
    expected = [(o, name, g) for o in study.outcomes for name in study.lesions for g in groups]
    assert list(effects[["outcome", "lesion", "group"]].itertuples(index=False, name=None)) == expected


def test_means_and_counts_are_those_of_the_table(effects, study):
    frame = study.select(lesion="harmful", outcome="correct").frame
    row = at(effects, "correct", "harmful")
    assert row["factual_mean"] == pytest.approx(frame["factual"].mean())
    assert row["counterfactual_mean"] == pytest.approx(frame["counterfactual"].mean())
    assert row["ate"] == pytest.approx(row["counterfactual_mean"] - row["factual_mean"])
    assert row["n_flips_down"] == (frame["effect"] == -1).sum()
    assert row["n_flips_up"] == 0
    assert (row["n_units"], row["n_clusters"], row["n_seeds"]) == (N, N, 1)
    assert row["pns"] == pytest.approx(row["n_flips_down"] / N)
    assert row["ci_low"] < row["ate"] < row["ci_high"] < 0
    assert row["p_mcnemar"] == row["p_signflip"] < 1e-50


def test_labels(effects):
    for outcome in ("correct", "logprob", "kl_to_factual", "answer"):
        assert at(effects, outcome, "harmful")["label"] == EFFECT
        assert at(effects, outcome, "inert")["label"] == WITHIN_NOISE
    assert at(effects, "correct", "slight")["label"] == UNDECIDED


def test_inert_lesion(effects):
    for outcome in ("correct", "logprob", "kl_to_factual", "answer"):
        row = at(effects, outcome, "inert")
        assert row["ate"] == 0
        assert row["ci_low"] <= 0 <= row["ci_high"]
        assert row["p_holm"] == 1
        assert row["fired"] == 0
        assert row["change_norm"] == 0


def test_groups_show_where_the_effect_is(effects):
    assert at(effects, "correct", "color", "question_type=color")["ate"] < -0.4
    assert at(effects, "correct", "color", "question_type=color")["label"] == EFFECT
    assert at(effects, "correct", "color", "question_type=count")["ate"] == 0
    assert at(effects, "correct", "color", "question_type=color")["n_units"] == N // 4


def test_groups_average_to_the_whole(effects):
    parts = [at(effects, "logprob", "harmful", f"question_type={g}") for g in ("color", "count")]
    total = sum(p["ate"] * p["n_units"] for p in parts) / N
    assert total == pytest.approx(at(effects, "logprob", "harmful")["ate"])


def test_families_are_lesions_within_outcome_and_group(effects):
    for _, family in effects[effects["outcome"] == "correct"].groupby("group"):
        expected = multipletests(family["p_mcnemar"], method="holm")[1]
        np.testing.assert_allclose(family["p_holm"], expected, rtol=1e-10)
        np.testing.assert_allclose(family["p_bh"], multipletests(family["p_mcnemar"], method="fdr_bh")[1], rtol=1e-10)
        np.testing.assert_allclose(family["p_by"], multipletests(family["p_mcnemar"], method="fdr_by")[1], rtol=1e-10)
        np.testing.assert_allclose(family["p_bonferroni"], np.minimum(4 * family["p_mcnemar"], 1), rtol=1e-10)


def test_categorical_share(effects, study):
    row = at(effects, "answer", "harmful")
    assert row["ate"] == pytest.approx(study.select(lesion="harmful", outcome="answer").frame["effect"].mean())
    assert (row["interval_method"], row["test_method"]) == (
        "Agresti-Coull",
        "binomial, exact, above the smallest effect of interest",
    )
    assert np.isnan([row["p_mcnemar"], row["p_signflip"], row["factual_mean"], row["pn"], row["d"]]).all()


def test_tiny_certain_effects_are_within_noise(table):
    rng = np.random.default_rng(1)
    factual = rng.normal(0, 1, 300)
    made = table({"loss": factual}, {"rounding": {"loss": factual + rng.normal(1e-4, 1e-5, 300)}})
    row = population_effects(made).iloc[0]
    assert row["p_holm"] < 0.001
    assert row["label"] == WITHIN_NOISE


def test_equivalence_is_tested_at_alpha_on_each_side(table):
    # 540 examples without a flip: an effect of 0.005 has a standard error of 0.00304, and 0.005 is 1.647 of those.
    row = population_effects(table({"correct": [1] * 540}, {"a": {"correct": [1] * 540}})).iloc[0]
    assert row["p_equivalence"] == pytest.approx(ndtr(-0.005 / np.sqrt(0.005 * 0.995 / 540)))
    assert row["label"] == WITHIN_NOISE
    row = population_effects(table({"correct": [1] * 530}, {"a": {"correct": [1] * 530}})).iloc[0]
    assert row["label"] == UNDECIDED


def test_sesoi_decides_what_is_noise(study):
    loose = population_effects(study, sesoi={"correct": 0.05, "kl_to_factual": 5.0})
    assert at(loose, "correct", "slight")["label"] == WITHIN_NOISE
    assert at(loose, "kl_to_factual", "harmful")["label"] == WITHIN_NOISE
    assert loose.attrs["sesoi"]["correct"] == 0.05
    assert loose.attrs["sesoi"]["answer"] == 0.005


def test_attrs_say_how_the_table_was_made(effects):
    assert effects.attrs["kinds"] == {
        "correct": "binary",
        "logprob": "real",
        "kl_to_factual": "distance",
        "answer": "categorical",
    }
    assert (effects.attrs["level"], effects.attrs["seed"], effects.attrs["n_permutations"]) == (0.95, 0, 9_999)
    json.dumps(effects.attrs)


def test_same_seed_same_bytes(study, effects):
    pd.testing.assert_frame_equal(population_effects(study), effects, check_exact=True)


def test_row_order_of_the_table_does_not_matter(study, effects):
    shuffled = Counterfactuals(study.frame.sample(frac=1, random_state=1), study.labels)
    keys = ["outcome", "lesion", "group"]
    one, other = (e.sort_values(keys).reset_index(drop=True) for e in (population_effects(shuffled), effects))
    exact = ["ate", "ci_low", "ci_high", "p_mcnemar", "label", "n_flips_down"]
    pd.testing.assert_frame_equal(one[keys + exact], other[keys + exact], rtol=1e-9)


def test_a_lesion_does_not_depend_on_its_company(study, effects):
    alone = population_effects(study.select(lesion="harmful"))
    joint = {"p_bonferroni", "p_holm", "p_maxt", "p_bh", "p_by", "band_low", "band_high", "label"}
    columns = [c for c in COLUMNS if c not in joint]
    both = effects[effects["lesion"] == "harmful"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone[columns], both[columns])


def test_unfinished_lesions_are_estimated_on_what_they_have(study):
    frame = study.frame
    partly = Counterfactuals(
        frame[(frame["lesion"] != "harmful") | (frame["example"].str.len() < 4)].reset_index(drop=True), study.labels
    )
    got = population_effects(partly)
    assert at(got, "correct", "harmful")["n_units"] == 100
    assert at(got, "correct", "inert")["n_units"] == N
    assert got["lesion"].unique().tolist() == study.lesions


def test_clusters_and_seeds(table, joined):
    rng = np.random.default_rng(2)
    cluster = [f"image{i // 4}" for i in range(80)]
    factual = {"correct": np.ones(80), "loss": rng.normal(size=80)}

    def world(seed):
        lesioned = {"correct": (rng.random(80) < 0.5).astype(float), "loss": factual["loss"] + rng.normal(1, 1, 80)}
        return table(factual, {"a": lesioned}, cluster=cluster, seed=seed, model=f"m{seed}")

    one = population_effects(world(0))
    assert one["n_clusters"].tolist() == [20, 20]
    assert one["interval_method"].tolist() == ["cluster-robust t, Bonett-Price adjusted", "cluster-robust t"]
    assert one["p_mcnemar"].isna().all()
    three = population_effects(joined(world(1), world(2), world(3)))
    assert three["n_seeds"].tolist() == [3, 3]
    assert three["n_units"].tolist() == [80, 80]
    assert three["interval_method"].tolist() == ["two-way t, Bonett-Price adjusted", "two-way t"]
    assert three["p_signflip"].isna().all()
    assert three["p_holm"].notna().all()
    assert (three["label"] == EFFECT).all()


def test_controls_have_their_own_family(table):
    rng = np.random.default_rng(3)
    n, correct = 400, np.ones(400)
    worlds = {f"random{i}": {"correct": (rng.random(n) > 0.005).astype(float)} for i in range(30)}
    worlds["head"] = {"correct": (rng.random(n) > 0.03).astype(float)}
    made = table({"correct": correct}, worlds)
    got = population_effects(made, controls={"head": [f"random{i}" for i in range(30)]})
    head = got[got["lesion"] == "head"].iloc[0]
    assert head["p_holm"] == head["p_mcnemar"], "thirty controls must not weaken the one lesion under study"
    assert head["n_controls"] == 30
    assert head["p_control"] == pytest.approx(1 / 31)
    assert head["control_mean"] == pytest.approx(got.loc[got["lesion"] != "head", "ate"].mean())
    other = population_effects(made)
    assert other.loc[other["lesion"] == "head", "p_holm"].iloc[0] == pytest.approx(31 * head["p_mcnemar"])


def test_primary_p_and_its_name(effects):
    row = at(effects, "correct", "harmful")
    assert (row["p"], row["test_method"]) == (row["p_mcnemar"], "McNemar, exact")
    row = at(effects, "logprob", "slight")
    assert (row["p"], row["test_method"]) == (row["p_signflip"], "sign flip")


def test_maxt_is_computed_on_joint_effects(effects, study):
    frame = study.select(outcome="logprob").frame
    for group, rows_of in (("all", frame), ("question_type=count", frame[frame["group.question_type"] == "count"])):
        sums = np.stack([rows_of[rows_of["lesion"] == name]["effect"] for name in study.lesions]).astype(float)
        expected = maxt_p(sums, n_permutations=9_999, seed=0)
        found = [at(effects, "logprob", name, group)["p_maxt"] for name in study.lesions]
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert effects.loc[effects["outcome"].isin(["kl_to_factual", "answer"]), "p_maxt"].isna().all()


def test_bands_are_wider_than_intervals_and_narrower_than_bonferroni(effects, study):
    assert (effects["band_high"] >= effects["ci_high"]).all()
    assert (effects["band_low"] <= effects["ci_low"]).all()
    harmful = effects[effects["lesion"] == "harmful"]
    assert (harmful["band_high"] - harmful["band_low"] > 1.1 * (harmful["ci_high"] - harmful["ci_low"])).all()
    row = at(effects, "logprob", "harmful")
    widest = at(population_effects(study, level=1 - 0.05 / 4), "logprob", "harmful")
    assert row["band_high"] < widest["ci_high"]


def test_equivalence_p_is_that_of_the_label(effects):
    small = effects["p_equivalence"] < 0.05
    assert ((effects["label"] == WITHIN_NOISE) == small).all()
    row, half = at(effects, "logprob", "slight"), effects.attrs["sesoi"]["logprob"]
    assert row["p_equivalence"] == pytest.approx(ndtr(-(half - abs(row["ate"])) / row["se"]), rel=0.02)


def test_noninferiority_follows_the_direction_of_the_outcome(study, effects):
    harmful = {o: at(effects, o, "harmful")["p_noninferior"] for o in study.outcomes}
    assert harmful["correct"] > 0.999 and harmful["kl_to_factual"] > 0.999
    assert np.isnan([harmful["logprob"], harmful["answer"]]).all()
    told = population_effects(study, margin={"correct": 0.5, "logprob": 2.0}, better={"logprob": 1, "answer": -1})
    assert at(told, "correct", "harmful")["p_noninferior"] < 1e-10
    assert at(told, "logprob", "harmful")["p_noninferior"] < 1e-10
    assert at(told, "answer", "harmful")["p_noninferior"] > 0.999
    assert told.attrs["margin"]["correct"] == 0.5
    assert told.attrs["better"] == {"correct": 1, "logprob": 1, "kl_to_factual": -1, "answer": -1}
    mirrored = population_effects(study, margin=0.05, better={"logprob": -1})
    assert at(mirrored, "logprob", "harmful")["p_noninferior"] < 1e-10, "less is better, and it fell"


def test_interval_and_test_by_name(study, effects):
    got = population_effects(study, interval="newcombe", test="paired-t")
    row = at(got, "correct", "harmful")
    assert row["interval_method"] == "Newcombe, method 10"
    before, after = (study.select(lesion="harmful", outcome="correct").frame[c] for c in ("factual", "counterfactual"))
    assert row["p"] == pytest.approx(ttest_rel(after, before).pvalue, rel=1e-5)
    assert row["p_mcnemar"] == at(effects, "correct", "harmful")["p_mcnemar"]
    assert (
        got.loc[got["outcome"] == "logprob", "interval_method"].eq("undefined: newcombe is for binary outcomes").all()
    )
    assert got.loc[got["outcome"] == "logprob", ["ci_low", "band_high", "se"]].isna().all(axis=None)
    assert (got.attrs["interval"], got.attrs["test"]) == ("newcombe", "paired-t")


def test_a_method_for_no_outcome_is_refused(study, table):
    with pytest.raises(EffectError, match="did you mean newcombe"):
        population_effects(study, interval="newcomb")
    with pytest.raises(
        EffectError, match='test "two-way-t" fits no outcome of this table: two-way-t is for several seeds'
    ):
        population_effects(study, test="two-way-t")
    made = table({"correct": [1, 0, 1, 0]}, {"a": {"correct": [1, 1, 1, 0]}}, cluster=["x", "x", "y", "y"])
    with pytest.raises(EffectError, match=r"mcnemar is for independent examples.*Choose auto or one of sign-flip"):
        population_effects(made, test="mcnemar")


@pytest.mark.parametrize("correction", ["holm", "maxt", "bonferroni", "bh", "by"])
def test_labels_stand_on_the_correction_asked_for(study, effects, correction):
    got = population_effects(study, correction=correction)
    assert got.attrs["correction"] == correction
    adjusted = got[f"p_{correction}"].fillna(got["p_holm"])
    null = got["outcome"].map({"kl_to_factual": got.attrs["sesoi"]["kl_to_factual"], "answer": 0.005}).fillna(0)
    shown = (adjusted < 0.05) & ((got["ci_low"] > null) | (got["ci_high"] < -null))
    expected = np.where(got["p_equivalence"] < 0.05, WITHIN_NOISE, np.where(shown, EFFECT, UNDECIDED))
    assert (got["label"] == expected).all()


def test_corrections_differ_where_they_should(table):
    rng = np.random.default_rng(6)
    n = 40
    shared = rng.normal(size=n)
    shared = 0.4 + (shared - shared.mean()) / shared.std(ddof=1)  # t = 2.5, p = 0.016
    made = table({"loss": np.ones(n)}, {f"l{i}": {"loss": 1 + shared + 0.02 * rng.normal(size=n)} for i in range(20)})
    labels = {c: population_effects(made, correction=c)["label"] for c in ("holm", "maxt")}
    assert (labels["maxt"] == EFFECT).all(), "twenty lesions that act alike are one"
    assert (labels["holm"] != EFFECT).any()


def test_unknown_arguments(study):
    with pytest.raises(EffectError, match="did you mean holm"):
        population_effects(study, correction="hol")
    with pytest.raises(EffectError, match="did you mean logprob"):
        population_effects(study, better={"logprobs": 1})
    with pytest.raises(EffectError, match="give 1 if more is better"):
        population_effects(study, better={"logprob": 0})
    with pytest.raises(EffectError, match="never negative"):
        population_effects(study, better={"answer": 1})
    with pytest.raises(EffectError, match="non-inferiority margin of correct"):
        population_effects(study, margin={"correct": -0.1})
    with pytest.raises(EffectError, match="resamples is 10"):
        population_effects(study, interval="bca", resamples=10)


def test_lesions_on_different_examples_share_the_error_of_their_family(study):
    frame = study.select(outcome="logprob").frame
    partly = frame[(frame["lesion"] != "harmful") | (frame["example"].str.len() < 4)].reset_index(drop=True)
    got = population_effects(Counterfactuals(partly))
    alone = population_effects(Counterfactuals(partly[partly["lesion"] == "harmful"]), level=0.975)
    row, own = at(got, "logprob", "harmful"), at(alone, "logprob", "harmful")
    assert row["p_maxt"] == pytest.approx(min(2 * own["p_maxt"], 1))
    assert (row["band_low"], row["band_high"]) == (pytest.approx(own["ci_low"]), pytest.approx(own["ci_high"]))


def test_duplicated_examples_must_share_a_cluster(table):
    """The same example under two ids says nothing new; sharing a cluster makes that known."""
    rng = np.random.default_rng(7)
    once = rng.normal(0.2, 1, 40)
    twice = np.repeat(once, 2)
    single = population_effects(table({"loss": np.ones(40)}, {"a": {"loss": 1 + once}}), sesoi={"loss": 0.9}).iloc[0]
    double = population_effects(
        table({"loss": np.ones(80)}, {"a": {"loss": 1 + twice}}, cluster=[f"c{i // 2}" for i in range(80)]),
        sesoi={"loss": 0.9},
    ).iloc[0]
    for column in ("ate", "ci_low", "ci_high", "band_low", "p_equivalence"):
        assert double[column] == pytest.approx(single[column], rel=1e-5)
    assert double["p_maxt"] == pytest.approx(single["p_maxt"], abs=0.02)


def test_groups_of_size_one(table):
    made = table(
        {"loss": np.arange(4.0), "correct": [1, 1, 0, 1]},
        {"a": {"loss": np.arange(4.0) ** 2, "correct": [0, 1, 0, 1]}, "b": {"loss": np.zeros(4), "correct": [1] * 4}},
        groups={"g": list("xxyz")},
    )
    got = population_effects(made)
    single = got[got["group"].isin(["g=y", "g=z"])]
    assert (single["n_units"] == 1).all()
    assert (single["p_maxt"] == 1).all()
    assert single.loc[single["outcome"] == "loss", ["ci_low", "band_low", "p_equivalence"]].isna().all(axis=None)
    assert (single["label"] == UNDECIDED).all()


def test_one_example(table):
    made = table(
        {"correct": [1], "loss": [0.5], "kl_to_factual": [0], "answer": [1]},
        {"a": {"correct": [0], "loss": [1.5], "kl_to_factual": [0.3], "answer": [0]}},
        labels={"answer": ["x", "y"]},
    )
    got = population_effects(made).set_index("outcome")
    assert (got["label"].drop("answer") == UNDECIDED).all()
    # A share of at most 0.5 % would change one example of one with a chance of 0.5 %.
    assert got.loc["answer", "p_holm"] == pytest.approx(0.005)
    assert got.loc["correct", "ate"] == -1
    assert np.isnan(got.loc["loss", "ci_low"])
    assert got.loc["loss", "interval_method"] == "undefined: one cluster"
    assert got.loc["correct", "p_holm"] == 1


def test_all_flips_one_way(table):
    got = population_effects(table({"correct": [1] * 50}, {"a": {"correct": [0] * 50}})).iloc[0]
    assert (got["ate"], got["pn"], got["pns"], got["label"]) == (-1, 1, 1, EFFECT)
    assert got["ci_low"] == -1
    assert got["ci_high"] < -0.8


def test_false_claims_are_rare_over_a_family(table):
    """Twenty lesions without population effect, many times over: any label `effect` is a false claim."""
    rng = np.random.default_rng(4)
    false = 0
    for _ in range(60):
        n = 120
        correct = (rng.random(n) < 0.5).astype(float)
        loss = rng.normal(size=n)
        shared = rng.normal(size=n)
        worlds = {
            f"l{i}": {
                "correct": np.where(rng.random(n) < 0.1, (rng.random(n) < 0.5).astype(float), correct),
                "loss": loss + 0.7 * shared + rng.normal(size=n),
            }
            for i in range(20)
        }
        got = population_effects(table({"correct": correct, "loss": loss}, worlds), n_permutations=1999)
        false += (got.groupby("outcome")["label"].agg(lambda x: (x == EFFECT).any())).to_numpy()
    assert (false / 60 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)).all(), false


@pytest.mark.parametrize("level", [0, 0.5, 1, 95])
def test_level_out_of_range(study, level):
    with pytest.raises(EffectError, match=r"must lie between 0\.5 and 1"):
        population_effects(study, level=level)


def test_no_permutations(study):
    with pytest.raises(EffectError, match="at least 1"):
        population_effects(study, n_permutations=0)


def test_empty(study):
    with pytest.raises(EffectError, match="no rows"):
        population_effects(Counterfactuals(study.frame.iloc[:0], study.labels))


def test_unknown_control(study):
    with pytest.raises(EffectError, match="did you mean harmful"):
        population_effects(study, controls={"harmfull": ["inert"]})


def test_speed():
    rng = np.random.default_rng(5)
    n, n_lesions = 500, 60
    units = Units([str(i) for i in range(n)], [str(i) for i in range(n)], {"g": [str(i % 8) for i in range(n)]})
    loss = rng.normal(size=n)
    frame = pd.concat(
        [
            rows(
                units,
                study="s",
                model="m",
                seed=0,
                lesion=f"l{i}",
                factual={"loss": loss},
                counterfactual={"loss": loss + rng.normal(size=n)},
                fired=np.ones(n, bool),
                change_norm=np.ones(n),
            )
            for i in range(n_lesions)
        ]
    )
    table = Counterfactuals(frame)
    start = time.perf_counter()
    got = population_effects(table)
    assert len(got) == n_lesions * 9
    assert time.perf_counter() - start < 5, "a fraction of a second on an idle core"


def test_the_page_names_every_column_method_and_correction():
    page = (Path(__file__).parents[2] / "docs" / "effects.md").read_text()
    for name in (*COLUMNS, *INTERVALS, *TESTS):
        assert f"`{name}`" in page, name
    for name in CORRECTIONS:
        assert f"p_{name}" in page
