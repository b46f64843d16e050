"""On models that learned, or could have: against direct runs, against attributions, and in the shipped model."""

import numpy as np
import pytest

import causalablate as ca
from causalablate.interactions import (
    INDEPENDENCE,
    REDUNDANCY,
    SYNERGY,
    factorial,
    full,
    interaction_effects,
    interaction_table,
    self_repair,
)
from causalablate.interactions.designs import repair_lesions

PARTS = ["scorers.propositional", "scorers.perspectival", "passes.fine", "lm.layers.1"]


def test_interactions_are_those_of_the_lesioned_model_itself(model, examples, reference):
    one, other = ca.do("lm.layers.0.mlp", off="zero"), ca.do("passes.fine", off="mean")
    design = factorial({"mlp": one, "fine": other})
    table = ca.counterfactuals(model, examples, design.lesions, reference=reference, stack=1)
    runs = [
        ca.counterfactuals(model, examples, x, reference=reference, stack=1).frame for x in (one, other, one & other)
    ]
    effect = [run.query("outcome == 'answer_logprob'")["effect"].to_numpy() for run in runs]
    found = interaction_table(table, design).query("outcome == 'answer_logprob'")
    np.testing.assert_allclose(found["value"], effect[2] - effect[0] - effect[1], atol=1e-5)
    assert found["example"].tolist() == [e.id for e in examples] and np.abs(found["value"]).max() > 1e-4


def test_shapley_values_are_those_of_attributions(model, examples, reference):
    lesions = {name: ca.do(name, off="mean") for name in PARTS}
    design = full(lesions)
    table = ca.counterfactuals(model, examples, design.lesions, outcomes=["answer_logprob"], reference=reference)
    ours = interaction_table(table, design, index="SV")
    theirs = ca.attribute(model, examples, lesions, method="exact", reference=reference).frame
    both = ours.merge(theirs, left_on=["interaction", "example"], right_on=["player", "example"])
    assert len(both) == len(PARTS) * len(examples)
    np.testing.assert_allclose(both["value"], both["attribution"], atol=2e-6)


def test_moebius_coefficients_of_a_model_are_what_it_was_built_from(polynomial):
    every = np.array([[i >> j & 1 for j in range(4)] for i in range(16)], bool)
    coefficients = np.random.default_rng(0).normal(size=(5, 16))
    model, examples, lesions = polynomial(every, coefficients)
    design = full(lesions)
    table = ca.counterfactuals(model, examples, design.lesions, outcomes=["logit_difference"])
    found = interaction_table(table, design, index="moebius", order=(1, 2, 3, 4))
    for name, each in found.groupby("interaction"):
        code = sum(1 << int(part[1:]) for part in name.split(" x "))
        np.testing.assert_allclose(each["value"], coefficients[:, code], atol=2e-6)
    off, intact = (interaction_table(table, design, index=i, order=(1, 2, 3)) for i in ("moebius-off", "intact"))
    np.testing.assert_array_equal(off["value"], (-1.0) ** off["order"] * intact["value"])
    first = intact.query("interaction == 'p0'")["value"].to_numpy()
    np.testing.assert_allclose(first, -table.select(lesion="p0=zero").frame["effect"], atol=1e-6)


def test_the_shipped_model_is_labelled():
    shipped, reference = ca.load("shipped"), ca.digits(32, split="validation")
    design = factorial([ca.do(name, off="mean") for name in PARTS[1:]])
    table = ca.counterfactuals(shipped, ca.digits(48), design.lesions, reference=reference)
    found = interaction_effects(table, design)
    assert len(found[found["group"] == "all"]) == 3 * 2 and np.isfinite(found.query("group == 'all'")["ci_low"]).all()
    assert set(found["label"]) <= {SYNERGY, REDUNDANCY, INDEPENDENCE, "undecided"}


@pytest.mark.parametrize("later", [["lm.layers.1"], ["lm.layers.1.heads.*", "lm.layers.1.mlp"]])
def test_self_repair_of_a_layer(model, examples, later):
    pair = repair_lesions(ca.do("lm.layers.0.mlp", off="zero"), later)
    table = ca.counterfactuals(model, examples, list(pair), outcomes=["logit_difference"], stack=1)
    total, direct = (table.select(lesion=x.name).frame["effect"].to_numpy() for x in pair)
    found = self_repair(total[None], direct[None], components=["lm.layers.0.mlp"])
    assert np.abs(total - direct).max() > 0
    assert found["repaired"].item() == pytest.approx((total - direct).mean(), abs=1e-6)
