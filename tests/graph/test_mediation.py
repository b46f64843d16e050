import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

import causalablate as ca
from causalablate.errors import CausalAblateError, GraphError, LesionError, OutcomeError
from causalablate.graph.mediation import mediate
from causalablate.graph.shares import FIELLER, NEAR_ZERO, fieller
from causalablate.offs import Value

EXACT = {"rtol": 0, "atol": 1e-6}
WEIGHT = np.array([[0, 1.5, 0.5, 2], [0, 0, -3, 1], [0, 0, 0, 1.25], [0, 0, 0, 0]])


def noise(n, k, seed=0):
    """Eighths, of which sums and products of a few are exact in float32."""
    return torch.as_tensor(np.random.default_rng(seed).integers(-16, 17, size=(n, k)) / 8, dtype=torch.float32)


def spread(u):
    return ca.tensors(u, ["yes"] * len(u))


def effects(found, outcome=None):
    """(mediators, held, estimand) -> effect by example."""
    frame = found.frame if outcome is None else found.frame[found.frame["outcome"] == outcome]
    return {key: rows["effect"].to_numpy() for key, rows in frame.groupby(["mediators", "held", "estimand"])}


class Moderated(nn.Module):
    """a = u0; m = 1.5 a + u1; y = 2 a + 3 m + 0.5 a m + u2; k = u1 is no descendant of a."""

    def __init__(self):
        super().__init__()
        self.a, self.k, self.m, self.y = (nn.Identity() for _ in range(4))

    def forward(self, u):
        a, k = self.a(u[:, :1]), self.k(u[:, 1:2])
        m = self.m(1.5 * a + k)
        y = self.y(2 * a + 3 * m + 0.5 * a * m + u[:, 2:])
        return torch.cat((torch.zeros_like(y), y), 1)


@pytest.fixture(scope="module")
def moderated():
    u = noise(30, 3)
    return ca.wrap(Moderated(), {x: x for x in "akmy"}, answers=["no", "yes"]), spread(u), u.double().numpy().T


def test_closed_forms_of_a_linear_model(planted):
    model, _ = planted(WEIGHT)
    u = noise(25, 4)
    found = effects(mediate(model, spread(u), "x0", ["x1", "x2"], off="zero", outcomes=["logit_difference"], stack=1))
    x0 = u[:, 0].double().numpy()
    total = np.linalg.inv(np.eye(4) - WEIGHT)[0, 3]
    through_1 = 1.5 * (1 - 3 * 1.25)
    through_2 = (0.5 - 1.5 * 3) * 1.25
    np.testing.assert_allclose(found["", "", "total"], -total * x0, **EXACT)
    for mediators, indirect in [("x1", through_1), ("x2", through_2), ("x1 & x2", 1.5 + through_2)]:
        for nie in ("nie", "tie"):
            np.testing.assert_allclose(found[mediators, "", nie], -indirect * x0, **EXACT)
        for nde in ("nde", "tde"):
            np.testing.assert_allclose(found[mediators, "", nde], -(total - indirect) * x0, **EXACT)
        np.testing.assert_array_equal(found[mediators, "", "nde"] + found[mediators, "", "nie"], found["", "", "total"])
        np.testing.assert_array_equal(found[mediators, "", "mediated_interaction"], 0)


def test_closed_forms_where_treatment_and_mediator_interact(moderated):
    model, examples, (a, k, _) = moderated
    levels = [ca.do("m", off=Value.of(0.5)), ca.do("m", off="zero"), ca.do("m", off="patch")]
    found = effects(mediate(model, examples, "a", "m", off="zero", held=levels, outcomes=["logit_difference"]))
    m = 1.5 * a + k
    total = -2 * a - 4.5 * a - 0.5 * a * m
    wanted = {
        ("", "", "total"): total,
        ("m", "", "nde"): -2 * a - 0.5 * a * m,
        ("m", "", "tde"): -2 * a - 0.5 * a * k,
        ("m", "", "nie"): -4.5 * a - 0.75 * a * a,
        ("m", "", "tie"): -4.5 * a,
        ("m", "", "mediated_interaction"): 0.75 * a * a,
        ("m", "m=value(0.5)", "cde"): -2.25 * a,
        ("m", "m=value(0.5)", "reference_interaction"): -0.5 * a * (m - 0.5),
        ("m", "m=zero", "cde"): -2 * a,
        ("m", "m=zero", "reference_interaction"): -0.5 * a * m,
        ("m", "m=patch", "cde"): -2 * a - 0.5 * a * m,
        ("m", "m=patch", "reference_interaction"): 0 * a,
    }
    assert found.keys() == wanted.keys()
    for key, effect in wanted.items():
        np.testing.assert_allclose(found[key], effect, **EXACT, err_msg=str(key))
    four = ("m", "m=value(0.5)", "cde"), ("m", "m=value(0.5)", "reference_interaction")
    parts = [found[key] for key in (*four, ("m", "", "mediated_interaction"), ("m", "", "nie"))]
    np.testing.assert_allclose(sum(parts), total, **EXACT)


def test_what_the_treatment_is_set_to_need_not_be_off(moderated):
    model, examples, (a, k, _) = moderated
    found = effects(mediate(model, examples, ca.do("a", off=Value.of(1.0)), "m", outcomes=["logit_difference"]))
    np.testing.assert_allclose(found["m", "", "tie"], (3 + 0.5) * 1.5 * (1 - a), **EXACT)
    np.testing.assert_allclose(found["m", "", "nde"], (1 - a) * (2 + 0.5 * (1.5 * a + k)), **EXACT)


def test_nothing_goes_through_what_nothing_reaches(moderated):
    model, examples, _ = moderated
    found = mediate(model, examples, "a", ["k"], off="zero", outcomes=["logit_difference"], stack=1)
    by = effects(found)
    assert not by["k", "", "nie"].any() and not by["k", "", "tie"].any()
    np.testing.assert_array_equal(by["k", "", "nde"], by["", "", "total"])
    assert not found.frame.loc[found.frame["mediators"] == "k", "change_norm"].any()


def test_a_component_as_the_outcome(moderated):
    model, examples, (a, k, _) = moderated
    found = mediate(model, examples, "a", "m", off="zero", outcomes=["y", "logit_difference"])
    node, number = effects(found, "y"), effects(found, "logit_difference")
    for key in node:
        np.testing.assert_allclose(node[key], number[key], rtol=1e-6, atol=1e-6)
    frame = found.frame.query("outcome == 'y' and estimand == 'nde'")
    m = 1.5 * a + k
    np.testing.assert_allclose(frame["counterfactual"] - frame["factual"], -2 * a - 0.5 * a * m, rtol=1e-6, atol=1e-6)
    assert (frame["factual"] != 0).any()


@pytest.fixture(scope="module")
def shipped():
    return ca.load("shipped"), ca.digits(8), ca.digits(16, split="validation")


@pytest.mark.parametrize("treatment", ["passes.coarse", "query.dynamic"])
def test_the_parts_sum_to_the_total_on_a_real_model(shipped, treatment):
    model, examples, reference = shipped
    found = mediate(
        model,
        examples,
        treatment,
        ["allocator", "passes.fine", "scorers.propositional"],
        off="resample",
        held=ca.do("allocator", "passes.fine", "scorers.propositional", off="mean"),
        outcomes=["answer_logprob", "logit_difference", "vision.layers.1#2"],
        reference=reference,
        stack=1,
    )
    for outcome in ("answer_logprob", "logit_difference", "vision.layers.1#2"):
        by = effects(found, outcome)
        total = by["", "", "total"]
        assert np.abs(total).max() > 0.1
        for way in (
            "allocator",
            "passes.fine",
            "scorers.propositional",
            "allocator & passes.fine & scorers.propositional",
        ):
            nde, tie, tde, nie, mixed = (by[way, "", x] for x in ("nde", "tie", "tde", "nie", "mediated_interaction"))
            np.testing.assert_allclose(nde + tie, total, rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(tde + nie, total, rtol=1e-6, atol=1e-6)
            (held,) = {h for w, h, _ in by if w == way and h}
            four = by[way, held, "cde"] + by[way, held, "reference_interaction"] + mixed + nie
            np.testing.assert_allclose(four, total, rtol=1e-5, atol=1e-5)
        assert not by["scorers.propositional", "", "nie"].any() and not by["scorers.propositional", "", "tie"].any()
    assert not effects(found, "vision.layers.1#2")["passes.fine", "", "nie"].any()  # comes behind the outcome


def test_noise_is_the_same_in_every_world(shipped):
    model, examples, _ = shipped
    noisy = ca.do("query.dynamic", off={"kind": "noise", "std": 2.0})
    reference = ca.digits(8, split="validation")
    found = mediate(model, examples, noisy, "passes.fine", reference=reference, stack=1)
    by = effects(found)
    assert np.abs(by["", "", "total"]).max() > 0.1
    np.testing.assert_allclose(by["passes.fine", "", "nie"], by["", "", "total"], atol=1e-6)  # all goes through it
    assert not by["passes.fine", "", "nde"].any()


def test_the_total_is_the_ordinary_effect(shipped):
    model, examples, reference = shipped
    lesion = ca.do("query.dynamic", off="mean")
    outcomes = ["answer_logprob", "correct"]
    found = mediate(model, examples, lesion, "allocator", outcomes=outcomes, reference=reference).summary(level=0.9)
    plain = ca.counterfactuals(model, examples, lesion, outcomes=outcomes, reference=reference)
    wanted = ca.population_effects(plain, level=0.9)
    total = found[found["estimand"] == "total"]
    assert total["group"].tolist() == wanted["group"].tolist() and len(total) > 2
    for column in ("ate", "se", "ci_low", "ci_high", "n_units"):
        np.testing.assert_allclose(total[column], wanted[column], rtol=1e-5, atol=1e-6)
    assert (total["share"].isna() | (total["share"] == 1)).all()
    assert total["interval_method"].tolist() == wanted["interval_method"].tolist()
    first = found.query("outcome == 'answer_logprob' and group == 'all'").set_index("estimand")
    assert first.loc["nde", "share"] + first.loc["tie", "share"] == pytest.approx(1)


def test_fieller_is_the_inversion_of_the_t_test():
    rng = np.random.default_rng(3)
    whole = rng.normal(1, 1, 40)
    parts = np.stack([0.4 * whole + rng.normal(0, 0.3, 40), rng.normal(0, 1, 40)])
    found = fieller(parts, whole, np.arange(40), 0.9)
    np.testing.assert_allclose(found.value, parts.mean(1) / whole.mean())
    for part, low, high in zip(parts, found.low, found.high, strict=True):
        for end in (low, high):
            assert stats.ttest_1samp(part - end * whole, 0).pvalue == pytest.approx(0.1)
    assert set(found.method) == {FIELLER}


def test_fieller_respects_clusters():
    rng = np.random.default_rng(4)
    whole = rng.normal(2, 1, 15)
    part = 0.5 * whole + rng.normal(0, 0.5, 15)
    one = fieller(part[None], whole, np.arange(15), 0.95)
    three = fieller(np.tile(part, 3)[None], np.tile(whole, 3), np.tile(np.arange(15), 3), 0.95)
    np.testing.assert_allclose([three.low, three.high], [one.low, one.high])


@pytest.mark.parametrize(
    ("whole", "cluster", "reason"),
    [
        ([1.0, -1.0, 0.5, -0.4], [0, 1, 2, 3], NEAR_ZERO),
        ([0.0] * 4, [0, 1, 2, 3], NEAR_ZERO),
        ([1.0] * 4, [0] * 4, "one cluster"),
    ],
)
def test_shares_that_are_undefined_say_why(whole, cluster, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fieller(np.ones((1, 4)), np.array(whole), np.array(cluster), 0.95)
    assert np.isnan([found.low, found.high]).all() and reason in found.method[0]


def test_a_treatment_without_effect_has_no_shares(moderated):
    model, examples, _ = moderated
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mediate(model, examples, ca.do("a", off="patch"), "m", outcomes=["correct", "y"]).summary()
    assert found["share"].isna().all() and found["share_method"].str.startswith("undefined").all()
    assert (found["ate"] == 0).all()


def test_one_example(moderated):
    model, examples, _ = moderated
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mediate(model, examples[:1], "a", "m", off="zero", outcomes=["logit_difference"]).summary()
    assert found["ci_low"].isna().all() and np.isfinite(found["ate"]).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"treatment": "a", "mediators": "m", "off": None}, LesionError, "say how the treatment is off"),
        ({"treatment": ca.do("a", off="zero"), "mediators": "m"}, LesionError, "leave off="),
        ({"treatment": ca.do({}), "mediators": "m", "off": None}, LesionError, "empty lesion"),
        ({"treatment": "a", "mediators": ["m", "a"]}, GraphError, "both treatment and mediator"),
        ({"treatment": "a", "mediators": []}, GraphError, "no nodes"),
        ({"treatment": "a", "mediators": "mm"}, CausalAblateError, 'no component "mm"'),
        ({"treatment": "a", "mediators": "m", "held": ca.do("k", off="zero")}, GraphError, "the mediators are m"),
        ({"treatment": "a", "mediators": "m", "outcomes": ["m"]}, GraphError, "mediator besides"),
        ({"treatment": "a", "mediators": "m", "outcomes": ["predicted_answer"]}, OutcomeError, "category"),
        ({"treatment": "a", "mediators": "m", "outcomes": ["logit_diference"]}, OutcomeError, "mean logit_difference"),
        ({"treatment": "a", "mediators": "m", "outcomes": []}, OutcomeError, "no outcomes"),
    ],
)
def test_what_cannot_be_is_said(moderated, arguments, error, message):
    model, examples, _ = moderated
    with pytest.raises(error, match=message):
        mediate(model, examples, **{"off": "zero", "outcomes": ["logit_difference"]} | arguments)


def test_a_mediator_inside_the_treatment_is_refused(shipped):
    model, examples, _ = shipped
    with pytest.raises(GraphError, match="overlap"):
        mediate(model, examples, "lm.layers.1", "lm.layers.1.mlp", off="zero")


def test_the_page_runs_and_names_every_column():
    page, names = (Path(__file__).parents[2] / "docs" / "mediation.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/mediation.md", "exec"), names)
    tables = [names["found"].summary(), names["along"].summary(), names["found"].frame, names["along"].frame]
    columns = {c for table in tables for c in table if not c.startswith("group.")}
    assert all(f"`{column}`" in page for column in columns)
    assert all(f"`{estimand}`" in page for estimand in names["found"].frame["estimand"].unique())
    rows = names["summary"].query("group == 'all'").set_index(["mediators", "estimand"])
    assert abs(rows.loc[("passes.fine", "nde"), "share"]) < 1e-5  # what the page says of the reference model
    size, rest = names["size"], names["paths"].query("group == 'all' and path == 'remainder'").iloc[0]
    assert size["remainder"] > size["total"] / 3 and rest["ci_low"] < 0 < rest["ci_high"]
    taken = ca.population_effects(ca.Counterfactuals(names["found"].frame))
    assert set(taken["lesion"]) == set(names["found"].frame["lesion"])
