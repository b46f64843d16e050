"""Backups, silent parts, gates and loops whose graph is known."""

import numpy as np
import pytest
import torch

import causalablate as ca
from causalablate.errors import GraphError
from causalablate.graph import computational_graph, transfer
from causalablate.graph.dormant import dormant_edges
from causalablate.graph.edges import component_graph
from causalablate.graph.mediation import mediate
from causalablate.interactions import full, interaction_effects, interaction_table, repair_lesions, self_repair
from tests.graph.truth import circuits

Y = "logit_difference"


def pairs(found):
    """Who moved whom, to the bit."""
    return {
        (i, j)
        for a, i in enumerate(found.sources)
        for b, j in enumerate(found.targets)
        if i != j and found.direct[a, b].any()
    }


@pytest.fixture
def spare():
    return circuits.wrapped(circuits.Spare(), circuits.vectors(20, circuits.WIDTH))


def test_a_spare_is_found_only_while_the_primary_is_off(spare):
    awake = {("source", "primary"), ("primary", "spare"), ("primary", "reader"), ("reader", Y)}
    asleep = {("source", "spare"), ("spare", "reader")}
    assert computational_graph(*spare, outcomes=[Y]).pairs == awake | asleep

    factual = transfer(*spare, off="zero", outcomes=[Y], stack=1)
    assert pairs(factual) == awake
    context = transfer(*spare, off="zero", outcomes=[Y], context=ca.do("primary", off="zero"), stack=1)
    assert pairs(context) == {("source", "spare"), ("spare", "reader"), ("reader", Y)}

    found = dormant_edges(*spare, off="zero", outcomes=[Y])
    assert {(e.source, e.target) for e in found.edges if e.kind == "direct"} == awake
    assert {(e.source, e.target, e.context) for e in found.edges if e.kind == "dormant"} == {
        (*edge, "primary=zero") for edge in asleep
    }
    assert "never fires" in found.notes["spare"] and "primary=zero" in found.notes["spare"]


def test_a_spare_repairs_all_of_it(spare):
    model, examples = spare
    lesions = repair_lesions(ca.do("primary", off="zero"), ["spare"])
    table = ca.counterfactuals(model, examples, list(lesions), outcomes=[Y], stack=1)
    total, direct = (table.select(lesion=x.name).frame["effect"].to_numpy() for x in lesions)
    x = np.stack([next(iter(e.inputs.values())) for e in examples])
    np.testing.assert_allclose(total, 0, atol=1e-6)
    np.testing.assert_allclose(direct, -2 * x.sum(1), atol=1e-5)
    assert self_repair(total[None], direct[None], components=["primary"])["repaired_share"].item() == pytest.approx(1)

    found = mediate(model, examples, "primary", ["spare", "reader"], off="zero", outcomes=[Y], stack=1).frame
    by = {key: rows["effect"].to_numpy() for key, rows in found.groupby(["mediators", "estimand"])}
    np.testing.assert_allclose(by["spare", "nde"], -2 * x.sum(1), atol=1e-5)
    np.testing.assert_allclose(by["spare", "tie"], 2 * x.sum(1), atol=1e-5)
    np.testing.assert_allclose(by["reader", "tie"], 0, atol=1e-6)


def test_a_part_that_the_program_does_not_call_is_said_to_be_there():
    model, examples = circuits.wrapped(circuits.Branching(), circuits.vectors(5, circuits.WIDTH))
    graph = computational_graph(model, examples, outcomes=[Y])
    assert graph.order == ("source", "primary", "spare", Y) and "never comes by" in graph.notes["spare"]
    # Which way it goes is decided by what the primary says, so the outcome depends on that either way.
    assert graph.pairs == {("source", "primary"), ("primary", Y)}
    found = component_graph(transfer(model, examples, off="zero", outcomes=[Y], batch_size=1, stack=1))
    assert "spare" in found.order and "never comes by" in found.notes["spare"]


def test_examples_may_take_different_ways():
    x = torch.cat((torch.ones(2, circuits.WIDTH), -torch.ones(1, circuits.WIDTH)))
    model, examples = circuits.wrapped(circuits.Experts(both=False), x)
    truth = {("router", "one"), ("router", "other"), ("router", "reader"), ("router", Y)}
    truth |= {("one", "reader"), ("other", "reader"), ("reader", Y)}
    graph = computational_graph(model, examples, outcomes=[Y])
    assert graph.pairs == truth and not graph.notes
    assert "never comes by" in computational_graph(model, examples[:2]).notes["other"]


def test_ways_against_each_other_are_refused():
    model, examples = circuits.wrapped(circuits.Experts(both=True), torch.tensor([[1.0] * 3, [-1.0] * 3]))
    with pytest.raises(GraphError, match="different order"):
        computational_graph(model, examples)
    assert computational_graph(model, examples[1:]).order == ("router", "other", "one", "reader", "outcome")


def test_a_component_that_never_fires_is_reported_not_dropped():
    model, examples = circuits.wrapped(circuits.Silent(), circuits.vectors(5, circuits.WIDTH))
    found = component_graph(transfer(model, examples, off="zero", outcomes=[Y]))
    assert found.order == ("speaks", "unheard", "mute", "uncalled", Y)
    assert set(found.notes) == {"mute", "uncalled"}
    assert "never fires" in found.notes["mute"] and "never comes by" in found.notes["uncalled"]
    assert found.pairs == {("speaks", "unheard"), ("speaks", Y)}  # mute hears speaks, and it makes no difference to it
    assert ("speaks", "mute") in computational_graph(model, examples).pairs


def test_a_cell_that_runs_twice_is_two_nodes():
    model, examples = circuits.wrapped(circuits.Loop(), circuits.vectors(9, circuits.WIDTH))
    truth = {
        ("input", "cell#1"),
        ("input", "cell#2"),
        ("cell#1", "probe"),
        ("cell#1", "cell#2"),
        ("cell#2", Y),
        ("probe", Y),
    }
    graph = computational_graph(model, examples, outcomes=[Y])
    assert graph.order == ("input", "cell#1", "probe", "cell#2", Y) and graph.pairs == truth
    found = transfer(model, examples, off="zero", outcomes=[Y], stack=1)
    assert pairs(found) == truth
    x = np.stack([next(iter(e.inputs.values())) for e in examples]).astype(float)
    w = model.module.cell.weight.detach().double().numpy()
    first = np.tanh(x) @ w.T
    second = np.tanh(first + x) @ w.T
    by = {name: i for i, name in enumerate(found.sources)}
    alone = np.tanh(x) @ w.T
    np.testing.assert_allclose(
        found.direct[by["cell#1"], by["cell#2"]], np.linalg.norm(alone - second, axis=1), atol=1e-5
    )
    np.testing.assert_allclose(found.total[by["cell#1"], -1], (alone - second - 0.5 * first).sum(1), atol=1e-5)


def test_who_takes_part_in_a_majority():
    bits = torch.tensor([[i >> k & 1 for k in range(3)] for i in range(8)], dtype=torch.float32)
    model, examples = circuits.wrapped(circuits.Majority(), bits)
    wiring = {(f"p{i}", f"pair{k}") for k in range(3) for i in (k, (k + 1) % 3)}
    wiring |= {(f"pair{k}", "gate") for k in range(3)} | {("gate", Y)}
    assert computational_graph(model, examples, outcomes=[Y]).pairs == wiring
    # With all three on, every pair says one and the gate needs but one of them: its edges sleep.
    on = ca.tensors(torch.ones(1, 3), ["yes"])
    whole = transfer(model, on, off="zero", outcomes=[Y], stack=1)
    assert pairs(whole) == {edge for edge in wiring if edge[1] != "gate"}
    assert pairs(transfer(model, examples, off="zero", outcomes=[Y], stack=1)) == wiring


@pytest.mark.parametrize(
    ("ends", "kind", "value"),
    [
        (("a", "b"), "synergy", 2),
        (("either", "both"), "independence", 0),
        (("a", "both"), "synergy", 1),
        (("a", "either"), "independence", 0),
    ],
)
def test_interactions_in_an_exclusive_or(ends, kind, value):
    """Both inputs are on, so the right answer is no; losing one input alone is what makes it wrong."""
    model, _ = circuits.wrapped(circuits.Exclusive(), torch.ones(1, 2))
    examples = ca.tensors(torch.ones(12, 2), ["no"] * 12)
    design = full({name: ca.do(name, off="zero") for name in ends})
    table = ca.counterfactuals(model, examples, design.lesions, outcomes=[Y])
    np.testing.assert_allclose(interaction_table(table, design, order=2)["value"], value, atol=1e-6)
    assert set(interaction_effects(table, design, sesoi={Y: 0.1})["label"]) == {kind}
