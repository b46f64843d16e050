"""The table of shrunk effects: what it says, in which units, and what it does with degenerate tables."""

import json

import numpy as np
import pandas as pd
import pytest

from causalablate.effects import population_effects
from causalablate.effects.bayes import SHRUNK_COLUMNS, Prior, shrink, shrunk_effects
from causalablate.effects.bayes.estimates import estimates_of
from causalablate.effects.bayes.shrunk import CREDIBLE
from causalablate.effects.blocks import paired_blocks
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

N = 120
VAGUE = Prior(0.0, 1e3, 1e3, "half-normal", tails="normal")


def study(table, lesions=8, n=N, seed=0, **kwargs):
    """`correct` and `loss` under lesions of growing damage."""
    rng = np.random.default_rng(seed)
    correct, loss = (rng.random(n) < 0.8).astype(float), rng.gamma(2.0, 1.0, n)
    damaged = {}
    for j in range(lesions):
        flips = rng.random(n) < 0.03 * j
        after = loss + 0.1 * j + 0.4 * rng.normal(size=n)
        damaged[f"lesion {j}"] = {"correct": np.where(flips, 0, correct), "loss": after}
    return table({"correct": correct, "loss": loss}, damaged, **kwargs)


def of(frame, outcome, group="all"):
    return frame[(frame["outcome"] == outcome) & (frame["group"] == group)].set_index("lesion")


@pytest.mark.filterwarnings("error")
def test_the_table_holds_the_posterior_of_the_estimates(table):
    t = study(table)
    frame = shrunk_effects(t, level=0.9)
    assert list(frame.columns) == list(SHRUNK_COLUMNS) and len(frame) == 16
    assert list(frame["outcome"]) == ["correct"] * 8 + ["loss"] * 8 and list(frame["lesion"][:8]) == t.lesions
    block = next(b for b in paired_blocks(t) if b.outcome == "loss")
    estimates = estimates_of([block], 0.9)
    sd = block.factual[0].std(ddof=1)
    found = shrink(estimates.center, estimates.covariance, Prior(0.0, 0.4 * sd, 0.4 * sd))
    rows = of(frame, "loss")
    np.testing.assert_allclose(rows["posterior_mean"], found.mean)
    np.testing.assert_allclose(rows["posterior_sd"], found.sd)
    np.testing.assert_allclose(rows[["credible_low", "credible_high"]].to_numpy().T, found.interval(0.9))
    np.testing.assert_allclose(rows["shrinkage"], found.shrinkage)
    np.testing.assert_allclose(rows["family_mean"], found.weights @ found.mu[:, 0])
    np.testing.assert_allclose(rows["family_scale"], found.weights @ found.tau[:, 0])
    assert rows["log_evidence"].isna().all() and (rows["interval_method"] == CREDIBLE).all()
    assert json.loads(json.dumps(frame.attrs, allow_nan=False)) == frame.attrs
    assert frame.attrs["level"] == 0.9 and frame.attrs["kinds"] == {"correct": "binary", "loss": "real"}
    assert frame.attrs["prior"]["correct"]["tau_scale"] == 0.1 and frame.attrs["effective_nodes"] > 5


def test_probabilities_are_of_the_smallest_effect_of_interest(table):
    frame = shrunk_effects(study(table), sesoi={"correct": 0.05})
    rows = of(frame, "correct")
    np.testing.assert_allclose(rows["p_beyond"] + rows["p_within"], 1)
    assert (rows["p_below"] <= rows["p_beyond"] + 1e-12).all() and (rows["p_below"] <= rows["p_negative"]).all()
    np.testing.assert_allclose(rows["lfsr"], np.minimum(rows["p_negative"], 1 - rows["p_negative"]))
    assert rows["p_below"]["lesion 7"] > 0.99 and rows["p_within"]["lesion 0"] > 0.9
    assert frame.attrs["sesoi"]["correct"] == 0.05


def test_the_evidence_is_that_of_the_posterior(table):
    t, prior = study(table), Prior(0.0, 0.1, 0.1, tails="normal")
    estimates = estimates_of([next(b for b in paired_blocks(t) if b.outcome == "correct")], 0.95)
    found = shrink(estimates.center, estimates.covariance, prior)
    rows = of(shrunk_effects(t, prior={"correct": prior}), "correct")
    np.testing.assert_allclose(rows["log_evidence"], found.log_evidence)


def test_estimates_move_towards_the_mean_of_their_family(table):
    rows = of(shrunk_effects(study(table, n=40), prior=Prior(0.0, 0.1, 0.02, tails="normal")), "correct")
    raw, shrunk = rows["ate"] - rows["family_mean"], rows["posterior_mean"] - rows["family_mean"]
    extreme = raw.abs() > 0.05
    assert extreme.any() and (shrunk.abs() < raw.abs())[extreme].all()
    assert (rows["posterior_sd"] < rows["se"]).all()
    assert rows["shrinkage"].between(0.3, 1).all()


def test_a_vague_prior_gives_the_intervals_of_population_effects_about_the_mean_effect(table):
    t = study(table)
    effects = population_effects(t, n_permutations=9)
    frame = shrunk_effects(
        t, prior={"correct": VAGUE, "loss": VAGUE}, families={f"lesion {j}": str(j) for j in range(8)}
    )
    for outcome in ("correct", "loss"):
        raw, rows = of(effects, outcome), of(frame, outcome)
        np.testing.assert_allclose(rows[["ci_low", "ci_high"]], raw[["ci_low", "ci_high"]])
        about = rows["ate"] - raw[["ci_low", "ci_high"]].mean(axis=1)
        for end in ("low", "high"):
            moved = raw[f"ci_{end}"] + about
            np.testing.assert_allclose(rows[f"credible_{end}"], moved, atol=0.02 * rows["se"].max())
        # Bonett-Price's centre lies nearer zero than the mean effect, t intervals have it in the middle.
        assert (about.abs() > 1e-3).any() == (outcome == "correct")


def test_each_family_has_its_own_mean(table):
    rng, prior = np.random.default_rng(1), Prior(0.0, 5.0, 1.0, tails="normal")
    lesions = {f"head {j}": {"margin": rng.normal(0.1 * j, 1, 60)} for j in range(4)}
    lesions |= {f"mlp {j}": {"margin": rng.normal(0.1 * j - 4, 1, 60)} for j in range(4)}
    t = table({"margin": rng.normal(size=60)}, lesions)
    families = {name: name.split()[0] for name in t.lesions}
    apart, joined = shrunk_effects(t, families=families, prior=prior), shrunk_effects(t, prior=prior)
    means = apart.groupby("family")["family_mean"].first()
    assert means["head"] == pytest.approx(0.15, abs=0.4) and means["mlp"] == pytest.approx(-3.85, abs=0.4)
    assert set(joined["family"]) == {"all lesions"}
    assert apart["log_evidence"].iloc[0] > joined["log_evidence"].iloc[0] + 2
    assert (apart["shrinkage"] > joined["shrinkage"]).all()


def test_groups_are_shrunk_on_their_own_rows(table):
    groups = {"type": ["colour", "place"] * (N // 2)}
    t = study(table, groups=groups)
    frame = shrunk_effects(t)
    assert list(dict.fromkeys(frame["group"])) == ["all", "type=colour", "type=place"]
    part = Counterfactuals(t.frame[t.frame["group.type"] == "colour"].drop(columns="group.type").reset_index(drop=True))
    alone = of(shrunk_effects(part), "correct")
    rows = of(frame, "correct", "type=colour")
    np.testing.assert_allclose(rows["posterior_mean"], alone["posterior_mean"])
    assert (rows["n_units"] == N // 2).all()


def test_the_order_of_lesions_changes_nothing_and_the_seed_repeats(table):
    t = study(table)
    families = {f"lesion {j}": "even" if j % 2 == 0 else "odd" for j in range(8)}
    backwards = Counterfactuals(t.frame.sort_values(["lesion", "outcome"], ascending=False).reset_index(drop=True))
    keys = ["outcome", "lesion", "group"]
    for kwargs in ({}, {"families": families}):
        one, other = (shrunk_effects(x, **kwargs).set_index(keys).sort_index() for x in (t, backwards))
        pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-9)
    pd.testing.assert_frame_equal(shrunk_effects(t, families=families), shrunk_effects(t, families=families))


def test_lesions_measured_on_different_examples_share_their_family(table):
    t = study(table)
    later = t.frame["lesion"].isin(["lesion 6", "lesion 7"]) & t.frame["example"].isin([f"e{i}" for i in range(60)])
    unfinished = Counterfactuals(
        t.frame[~t.frame["lesion"].isin(["lesion 6", "lesion 7"]) | later].reset_index(drop=True)
    )
    rows = of(shrunk_effects(unfinished), "correct")
    assert rows["n_units"].to_dict() == {f"lesion {j}": 60 if j > 5 else N for j in range(8)}
    assert rows["family_mean"].nunique() == 1 and rows["family_scale"].nunique() == 1


@pytest.mark.filterwarnings("error")
def test_one_example(table):
    t = table(
        {"correct": [1], "loss": [0.5]}, {"a": {"correct": [0], "loss": [0.9]}, "b": {"correct": [1], "loss": [0.2]}}
    )
    frame = shrunk_effects(t)
    binary, real = of(frame, "correct"), of(frame, "loss")
    assert np.isfinite(binary[["posterior_mean", "credible_low", "p_beyond"]].to_numpy(float)).all()
    assert real["posterior_mean"].isna().all() and real["p_below"].isna().all()
    assert real["interval_method"].str.startswith("undefined: ").all()
    loss = Counterfactuals(t.frame[t.frame["outcome"] == "loss"].reset_index(drop=True))
    assert shrunk_effects(loss).attrs["effective_nodes"] is None


@pytest.mark.filterwarnings("error")
def test_inert_lesions_are_uncertain_where_binary_and_exact_where_real(table):
    rng = np.random.default_rng(0)
    correct, loss = (rng.random(40) < 0.8).astype(float), rng.normal(size=40)
    noise = {"correct": np.where(rng.random(40) < 0.2, 0, correct), "loss": loss + rng.normal(size=40)}
    t = table({"correct": correct, "loss": loss}, {"inert": {"correct": correct, "loss": loss}, "other": noise})
    frame = shrunk_effects(t)
    binary, real = of(frame, "correct").loc["inert"], of(frame, "loss").loc["inert"]
    assert binary["posterior_sd"] > 0.01 and binary["p_within"] < 0.5
    assert (real["posterior_mean"], real["posterior_sd"], real["shrinkage"], real["p_within"]) == (0, 0, 0, 1)
    assert real["interval_method"] == "all effects equal, not shrunk" and real["lfsr"] == 1
    alone = shrunk_effects(Counterfactuals(t.frame[t.frame["lesion"] == "other"].reset_index(drop=True)))
    assert of(frame, "loss").loc["other", "posterior_mean"] == of(alone, "loss").loc["other", "posterior_mean"]


@pytest.mark.filterwarnings("error")
def test_constant_outcomes_and_flips_all_one_way(table):
    ones, zeros = np.ones(30), np.zeros(30)
    t = table({"correct": ones, "same": ones * 3}, {
        "none": {"correct": ones, "same": ones * 3},
        "all": {"correct": zeros, "same": ones * 3 + np.arange(30)},
    })  # fmt: skip
    frame = shrunk_effects(t)
    flips = of(frame, "correct").loc["all"]
    assert flips["p_below"] > 0.999 and flips["credible_low"] == -1 and -0.95 < flips["credible_high"] < -0.7
    same = of(frame, "same")
    assert same.loc["all", "interval_method"].startswith("undefined: the factual values do not vary")
    assert np.isnan(same.loc["all", "posterior_mean"]) and same.loc["none", "posterior_mean"] == 0
    given = of(shrunk_effects(t, prior={"same": Prior(0, 10, 10)}), "same").loc["all"]
    assert given["posterior_mean"] == pytest.approx(14.5, abs=2) and np.isnan(given["p_beyond"])
    assert given["p_negative"] < 1e-3


@pytest.mark.filterwarnings("error")
def test_identical_lesions_and_more_lesions_than_examples(table):
    rng = np.random.default_rng(2)
    loss = rng.normal(size=10)
    after = loss + rng.normal(size=10)
    lesions = {f"copy {j}": {"loss": after} for j in range(3)}
    lesions |= {f"l{j:02}": {"loss": loss + rng.normal(size=10)} for j in range(30)}
    rows = of(shrunk_effects(table({"loss": loss}, lesions)), "loss")
    copies = rows[rows.index.str.startswith("copy")]
    assert np.ptp(copies["posterior_mean"]) < 0.1 * copies["posterior_sd"].max()
    assert np.isfinite(rows[["posterior_mean", "posterior_sd", "credible_low", "credible_high"]]).all(axis=None)


@pytest.mark.filterwarnings("error")
def test_categories_distances_seeds_and_groups_of_one(table, joined):
    rng = np.random.default_rng(3)
    tables = []
    for seed in range(3):
        answer, kl = rng.integers(0, 3, 20).astype(float), np.zeros(20)
        changed = np.where(rng.random(20) < 0.3, 2.0, answer)
        lesions = {
            "a": {"answer": changed, "kl_to_factual": rng.gamma(1, 0.1, 20)},
            "b": {"answer": answer, "kl_to_factual": kl},
        }
        groups = {"type": ["lonely"] + ["many"] * 19}
        tables.append(
            table(
                {"answer": answer, "kl_to_factual": kl},
                lesions,
                labels={"answer": ["x", "y", "z"]},
                groups=groups,
                cluster=[f"c{i // 2}" for i in range(20)],
                seed=seed,
                model=f"m{seed}",
            )
        )
    frame = shrunk_effects(joined(*tables))
    whole = frame[frame["group"] == "all"].set_index(["outcome", "lesion"])
    assert whole.loc[("answer", "a"), "posterior_mean"] > 0.1
    assert whole.loc[("answer", "b"), "posterior_sd"] > 0.01
    assert whole.loc[("kl_to_factual", "a"), "posterior_mean"] > 0
    lonely = frame[frame["group"] == "type=lonely"]
    assert len(lonely) == 4 and (lonely["n_units"] == 1).all()
    assert lonely["interval_method"].str.startswith("undefined").any()


def test_duplicated_examples_in_one_cluster_are_not_counted_twice(table):
    rng = np.random.default_rng(4)
    correct = (rng.random(60) < 0.8).astype(float)
    lesions = {f"l{j}": {"correct": np.where(rng.random(60) < 0.3, 0, correct)} for j in range(3)}
    doubled = {name: {"correct": np.tile(v["correct"], 2)} for name, v in lesions.items()}
    names = [f"c{i}" for i in range(60)]
    once = of(shrunk_effects(table({"correct": correct}, lesions, cluster=names)), "correct")
    twice = of(shrunk_effects(table({"correct": np.tile(correct, 2)}, doubled, cluster=names * 2)), "correct")
    np.testing.assert_allclose(twice["posterior_sd"], once["posterior_sd"], rtol=0.15)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"level": 1.5}, "level is 1.5; it must lie between 0.5 and 1"),
        (
            {"families": {"lesion 0": "a"}},
            r'7 of 8 lesions have no family, e.g. "lesion 1" \(did you mean lesion 0\?\)',
        ),
        ({"sesoi": -1}, "smallest effect of interest"),
        ({"prior": {"los": VAGUE}}, r'no outcome "los" to give a prior \(did you mean loss\?\)'),
    ],
)
def test_bad_requests_are_refused(table, kwargs, message):
    with pytest.raises(EffectError, match=message):
        shrunk_effects(study(table, n=12), **kwargs)


def test_unpaired_and_not_finite_tables_are_refused(table):
    t = study(table, n=12)
    with pytest.raises(EffectError, match="occurs more than once"):
        shrunk_effects(Counterfactuals(pd.concat([t.frame, t.frame.iloc[:1]])))
    broken = t.frame.copy()
    broken.loc[3, "effect"] = np.nan
    with pytest.raises(EffectError, match="not finite"):
        shrunk_effects(Counterfactuals(broken))
    with pytest.raises(EffectError, match="no rows"):
        shrunk_effects(Counterfactuals(t.frame.iloc[:0]))
