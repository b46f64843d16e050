"""Signs, labels, intervals and tests, on gates through the engine and on tables that are made up."""

import numpy as np
import pandas as pd
import pytest

import causalablate as ca
from causalablate.effects import UNDECIDED
from causalablate.errors import EffectError
from causalablate.interactions import (
    INDEPENDENCE,
    INTERACTION,
    REDUNDANCY,
    SYNERGY,
    additivity,
    factorial,
    full,
    interaction_effects,
    interaction_table,
)
from causalablate.interactions.effects import COLUMNS
from causalablate.table import COLUMNS as TABLE_COLUMNS
from causalablate.table import Counterfactuals

BOTH = np.ones((12, 2))


def measured(made, outcomes=("logit_difference",), order=2, base=None):
    model, examples, lesions = made
    design = factorial(lesions, order=order, base=base)
    return ca.counterfactuals(model, examples, design.lesions, outcomes=list(outcomes)), design


@pytest.mark.parametrize(
    ("name", "value", "label"), [("and", 1, SYNERGY), ("or", -1, REDUNDANCY), ("xor", -2, REDUNDANCY), ("sum", 0, None)]
)
def test_gates_whose_inputs_are_both_on(gate, name, value, label):
    table, design = measured(gate(name, BOTH))
    (row,) = interaction_effects(table, design).itertuples()
    assert row.value == value == row.ci_low == row.ci_high and row.interaction == "p0 x p1"
    assert row.label == (label or UNDECIDED)  # without variation of the factual outcome nothing is too small
    assert interaction_effects(table, design, sesoi={"logit_difference": 0.01})["label"].item() == (
        label or INDEPENDENCE
    )


def test_correct_answers_of_an_xor_need_both(gate):
    """The sign is that of the outcome: of the XOR itself two lost inputs cancel, of a right answer they are needed."""
    inputs = np.array([[0, 1], [1, 0], [0, 0], [1, 1]] * 32)
    answers = ["yes" if a != b else "no" for a, b in inputs]
    table, design = measured(gate("xor", inputs, answers), ["correct", "logit_difference"])
    each = interaction_table(table, design).query("outcome == 'correct'")["value"].to_numpy()
    assert np.array_equal(each[:4], [0, 0, 0, 2])
    effects = interaction_effects(table, design).set_index("outcome")
    assert effects.loc["correct", "value"] == 0.5 and effects.loc["correct", "label"] == SYNERGY


def test_majority_of_three(gate):
    """Any two back each other up where the third is on; of the three together the sign says nothing."""
    table, design = measured(gate("majority", np.ones((8, 3))), order=3)
    found = interaction_effects(table, design, order=(1, 2, 3)).set_index("interaction")
    assert (found["value"].iloc[:3] == 0).all() and (found["value"].iloc[3:6] == -1).all()
    assert set(found["label"].iloc[3:6]) == {REDUNDANCY}
    assert found.loc["p0 x p1 x p2", "value"] == 1 - 3 + 0 - 0 and found.loc["p0 x p1 x p2", "label"] == INTERACTION


@pytest.mark.parametrize("name", ["and3", "or3"])
def test_and_and_or_of_three_have_the_same_sign(gate, name):
    table, design = measured(gate(name, np.ones((8, 3))), order=3)
    (row,) = interaction_effects(table, design, order=3).itertuples()
    assert row.value == 1 and row.label == INTERACTION


def test_in_the_context_of_another_lesion_a_backup_is_the_only_one_left(gate):
    table, design = measured(gate("majority", np.ones((8, 3))))
    model, examples, lesions = gate("majority", np.ones((8, 3)))
    base = lesions.pop("p2")
    without, context = measured((model, examples, lesions), base=base)
    assert interaction_effects(table, design)["value"].iloc[0] == -1
    found = interaction_effects(without, context)
    assert found["value"].item() == 1 and found["label"].item() == SYNERGY and found.attrs["base"] == "p2=zero"


@pytest.mark.parametrize("stack", [None, 1])
def test_an_additive_model_has_no_interactions(gate, stack):
    rng = np.random.default_rng(0)
    model, examples, lesions = gate("sum", rng.integers(0, 9, (30, 4)))
    design = full(lesions)
    table = ca.counterfactuals(model, examples, design.lesions, outcomes=["logit_difference"], stack=stack)
    for index in ("intact", "average", "moebius", "SII", "STI", "FSI", "BII"):
        found = interaction_effects(table, design, index=index, order=(2, 3) if index != "FSI" else 2)
        assert found["value"].abs().max() <= (0 if index != "FSI" else 1e-12)
        assert set(found["label"]) == {INDEPENDENCE}
    values = interaction_table(table, design, index="SV")["value"].to_numpy().reshape(4, 30)
    np.testing.assert_allclose(values, np.stack([e.inputs["0"] for e in examples], axis=1), atol=1e-12)


def test_a_backup_is_redundant_though_alone_it_does_nothing(backup):
    model, examples = backup(0.7, np.linspace(1, 3, 20))
    design = factorial([ca.do("primary", off="zero"), ca.do("backup", off="zero")])
    table = ca.counterfactuals(model, examples, design.lesions, outcomes=["logit_difference"])
    alone = table.select(lesion="backup=zero").frame["effect"]
    found = interaction_effects(table, design)
    assert not alone.any() and found["label"].item() == REDUNDANCY
    assert found["value"].item() == pytest.approx(-0.7 * 2, abs=1e-6)


def test_outcomes_of_which_less_is_better_turn_the_words_around(gate):
    table, design = measured(gate("or", BOTH), ["logit_difference", "loss", "kl_to_factual"])
    found = interaction_effects(table, design).set_index("outcome")
    assert found.loc["logit_difference", "value"] < 0 < found.loc["loss", "value"]
    assert set(found["label"]) == {REDUNDANCY}


def made_up(values, *, cluster=None, outcome="score", seeds=1, group=None):
    """A table of the runs a, b, a & b on rows whose values are given, shape (4, rows): nothing, a, b, both off."""
    design = factorial({"a": ca.do("a", off="zero"), "b": ca.do("b", off="zero")})
    values = np.asarray(values, np.float32)
    n = values.shape[1] // seeds
    example = np.array([f"e{i}" for i in range(n)] * seeds)
    frames = []
    for run, lesion in zip(("a=zero", "b=zero", "a=zero & b=zero"), values[1:], strict=True):
        frame = pd.DataFrame({"lesion": run, "example": example, "factual": values[0], "counterfactual": lesion})
        frame["seed"] = np.repeat(np.arange(seeds), n)
        frame["cluster"] = example if cluster is None else np.tile(cluster, seeds)
        if group is not None:
            frame["group.kind"] = np.tile(group, seeds)
        frames.append(frame)
    frame = pd.concat(frames, ignore_index=True)
    frame["effect"] = frame["counterfactual"] - frame["factual"]
    frame = frame.assign(study="", model="m", precision="float32", outcome=outcome, fired=True, change_norm=1.0)
    return Counterfactuals(frame[[*TABLE_COLUMNS, *(["group.kind"] if group is not None else [])]]), design


def runs_with(interaction, rng):
    """Values of four runs whose interaction is what is given, whatever the effects."""
    n = len(interaction)
    v, a, b = rng.normal(size=(3, n))
    return np.stack([v, v + a, v + b, v + a + b + interaction])


def test_examples_and_population_by_hand():
    table, design = made_up([[1, 2, 3], [0, 2, 1], [1, 1, 0], [-3, 1, 2]])
    each = interaction_table(table, design)
    assert each["value"].tolist() == [1 - 0 - 1 - 3, 2 - 2 - 1 + 1, 3 - 1 - 0 + 2]
    assert each["example"].tolist() == ["e0", "e1", "e2"] and each["interaction"].unique().tolist() == ["a x b"]
    found = interaction_effects(table, design)
    assert list(found.columns) == list(COLUMNS)
    assert found["value"].item() == pytest.approx(1 / 3)
    assert found["se"].item() == pytest.approx(np.std([-3, 0, 4], ddof=1) / np.sqrt(3))


def test_intervals_cover_with_clusters_and_p_values_keep_their_level():
    rng = np.random.default_rng(2)
    cluster, covered, found_any = np.repeat(np.arange(20), 3).astype(str), [], []
    for _ in range(80):
        noise = rng.normal(size=20).repeat(3) + 0.5 * rng.normal(size=60)
        table, design = made_up(runs_with(0.4 + noise, rng), cluster=cluster)
        row = interaction_effects(table, design).iloc[0]
        covered.append(row.ci_low <= 0.4 <= row.ci_high)
        table, design = made_up(runs_with(noise, rng), cluster=cluster)
        found_any.append(interaction_effects(table, design)["p"].item() < 0.05)
    assert 0.90 <= np.mean(covered) <= 0.99 and np.mean(found_any) <= 0.1


def test_intervals_of_rare_binary_interactions_do_not_collapse():
    """2 % of examples need both: with 60 examples a t interval is a point at zero every third time."""
    rng, covered = np.random.default_rng(1), []
    for _ in range(80):
        both = rng.random(60) < 0.02
        values = np.stack([np.ones(60), 1 - both, 1 - both, 1 - both]).astype(float)
        values[:, :2] = [[1, 1], [1, 0], [1, 1], [1, 0]]  # somebody varies
        table, design = made_up(values, outcome="correct")
        row = interaction_effects(table, design).iloc[0]
        truth = 0.02 * 58 / 60
        covered.append(row.ci_low <= truth <= row.ci_high)
        assert row.ci_high > row.ci_low and "Bonett" in row.interval_method
    assert np.mean(covered) >= 0.93


def test_several_seeds_groups_and_corrections():
    rng = np.random.default_rng(0)
    values = runs_with(1 + 0.1 * rng.normal(size=80), rng)
    table, design = made_up(values, seeds=4, group=["x", "y"] * 10)
    found = interaction_effects(table, design, better={"score": 1}).set_index("group")
    assert set(found.index) == {"all", "kind=x", "kind=y"} and set(found["n_seeds"]) == {4}
    assert found.loc["all", "interval_method"] == "two-way t" and set(found["label"]) == {SYNERGY}
    assert found.loc["kind=x", "n_units"] == 10
    each = interaction_table(table, design)
    assert each["seed"].value_counts().tolist() == [20] * 4 and set(each["group.kind"]) == {"x", "y"}


def test_families_are_the_interactions_of_an_outcome(polynomial):
    sets = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0]], bool)
    rng = np.random.default_rng(0)
    model, examples, lesions = polynomial(sets, np.column_stack([rng.normal(0.5, 1, (30, 2)), np.ones(30)]))
    table, design = measured((model, examples, lesions))
    found = interaction_effects(table, design, correction="bonferroni")
    np.testing.assert_allclose(found["p_bonferroni"], np.minimum(1, 3 * found["p"]))


def test_which_way_is_better_has_to_be_known():
    table, design = made_up(runs_with(np.ones(12), np.random.default_rng(0)))
    assert interaction_effects(table, design)["label"].item() == INTERACTION
    assert interaction_effects(table, design, better={"score": 1})["label"].item() == SYNERGY
    assert interaction_effects(table, design, better={"score": -1})["label"].item() == REDUNDANCY


def test_one_example_tells_nothing():
    table, design = made_up([[1.5], [0.5], [0.5], [0.25]])
    found = interaction_effects(table, design)
    assert found["value"].item() == 0.75 and np.isnan(found["ci_low"].item()) and found["label"].item() == UNDECIDED
    assert found["interval_method"].item() == "undefined: one cluster"


def test_a_floor_forces_interactions():
    values = np.zeros((4, 100))
    values[0, :90] = values[1, :30] = values[2, 60:90] = 1
    table, design = made_up(values, outcome="correct")
    (row,) = additivity(table, design).itertuples()
    assert (row.intact, row.first, row.second, row.joint) == pytest.approx((0.9, 0.3, 0.3, 0.0))
    assert row.additive == pytest.approx(-0.3) and row.value == pytest.approx(0.3) == pytest.approx(row.forced)
    table, design = made_up(values)
    assert additivity(table, design)["forced"].item() == pytest.approx(0.3)  # only 0 and 1: still an accuracy
    table, design = made_up(values - 0.5)
    assert additivity(table, design)["forced"].item() == 0
    assert additivity(table, design, limits={"score": (-0.5, 0.5)})["forced"].item() == pytest.approx(0.3)
    with pytest.raises(EffectError, match="no outcome"):
        additivity(table, design, limits={"scores": (0, 1)})


def test_shares_that_multiply_interact_on_the_additive_scale_alone():
    """Each lesion keeps a half, independently: 1, 1/2, 1/2, 1/4."""
    rng, covered = np.random.default_rng(0), []
    for _ in range(80):
        one, other = rng.random((2, 200)) < 0.5
        table, design = made_up(np.stack([np.ones(200), one, other, one & other]).astype(float), outcome="correct")
        (row,) = additivity(table, design).itertuples()
        covered.append(row.ratio_low <= 1 <= row.ratio_high)
        assert row.ratio == pytest.approx(row.joint * row.intact / (row.first * row.second))
    assert np.mean(covered) >= 0.91 and row.value == pytest.approx(0.25, abs=0.1)
    table, design = made_up(np.array([[1, 1], [1, 0], [0, 1], [0, 0]]), outcome="correct")
    (row,) = additivity(table, design).itertuples()
    assert np.isnan(row.ratio) and "end of its scale" in row.ratio_method


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"order": 3}, "sizes from 1 to 2"),
        ({"order": ()}, "sizes from 1 to 2"),
        ({"index": "SIII"}, "did you mean SII"),
        ({"level": 0.4}, "level is 0.4"),
        ({"correction": "holms"}, "did you mean holm"),
        ({"better": {"scores": 1}}, "no outcome"),
        ({"sesoi": -1.0}, "smallest interaction of interest"),
    ],
)
def test_what_cannot_be_asked(asked, words):
    table, design = made_up(runs_with(np.ones(5), np.random.default_rng(0)))
    with pytest.raises(EffectError, match=words):
        interaction_effects(table, design, **asked)


def test_tables_that_do_not_fit_the_design(gate):
    table, design = made_up(runs_with(np.ones(5), np.random.default_rng(0)))
    missing = Counterfactuals(table.frame[table.frame["lesion"] != "a=zero & b=zero"])
    with pytest.raises(EffectError, match="lacks 1 of 3 runs"):
        interaction_effects(missing, design)
    fewer = table.frame.drop(index=table.frame.index[-1])
    with pytest.raises(EffectError, match="different examples"):
        interaction_effects(Counterfactuals(fewer), design)
    mixed = table.frame.copy()
    mixed.loc[mixed.index[-1], ["factual", "counterfactual"]] += 1
    with pytest.raises(EffectError, match="differs between"):
        interaction_effects(Counterfactuals(mixed), design)
    category, both = measured(gate("or", BOTH), ["predicted_answer"])
    with pytest.raises(EffectError, match="category"):
        interaction_effects(category, both)
    three = gate("or3", np.ones((4, 3)))
    pairs, triples = measured(three), factorial(three[2], order=3)
    with pytest.raises(EffectError, match="no set of that order"):
        interaction_effects(*pairs, order=3)
    with pytest.raises(EffectError, match="has no run in which just"):
        interaction_effects(*pairs, index="SII")
    with pytest.raises(EffectError, match="not balanced"):
        interaction_effects(*pairs, index="average")
    with pytest.raises(EffectError, match="lacks 1 of 7"):
        interaction_effects(pairs[0], triples)


def test_the_table_may_hold_more_than_the_design(gate):
    table, design = measured(gate("and3", np.ones((8, 3))), order=3)
    pairs = factorial({f"p{i}": ca.do(f"p{i}", off="zero") for i in range(3)})
    assert (interaction_effects(table, pairs)["value"] == interaction_effects(table, design)["value"]).all()
