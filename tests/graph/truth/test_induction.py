"""Transformers that complete `... A B ... A`: which heads matter, and along which edges, is known."""

import numpy as np
import pytest

import causalablate as ca
from causalablate.graph import computational_graph, transfer
from causalablate.graph.circuits import find_circuit
from causalablate.graph.edges import component_graph
from causalablate.graph.mediation import mediate
from causalablate.graph.path_effects import path_effects
from tests.graph.truth.induction import HEADS, INDUCTION, MUTE, PREVIOUS, UNUSED, attention_only, llama

Y = "answer_logprob"
CIRCUIT = {(PREVIOUS, INDUCTION), (INDUCTION, Y)}


@pytest.fixture(scope="module", params=[attention_only, llama])
def made(request):
    return request.param()


def test_only_the_two_heads_matter(made):
    table = ca.counterfactuals(*made, HEADS, off="zero", outcomes=["correct"])
    correct = table.frame.groupby("lesion")[["factual", "counterfactual"]].mean()
    assert (correct["factual"] == 1).all()
    right = {head: correct.loc[f"{head}=zero", "counterfactual"] for head in HEADS}
    assert right[UNUSED] == right[MUTE] == 1 and max(right[PREVIOUS], right[INDUCTION]) < 0.3


def test_the_circuit_is_all_that_acts(made):
    found = transfer(*made, ["**.heads.*"], off="zero", outcomes=[Y], stack=1)
    by = {node: i for i, node in enumerate(found.targets)}
    graph = component_graph(found)
    assert graph.pairs == CIRCUIT
    assert set(graph.notes) == {MUTE} and "never fires" in graph.notes[MUTE]  # the unused one does fire
    assert not found.direct[by[UNUSED], by[INDUCTION]].any() and found.direct[by[UNUSED], by[UNUSED]].all()


def test_the_ways_of_data_are_those_of_the_code():
    graph = computational_graph(*attention_only(), outcomes=[Y])
    assert graph.pairs == CIRCUIT | {(PREVIOUS, MUTE), (MUTE, Y)}
    assert graph.d_separated(PREVIOUS, Y, [INDUCTION, MUTE]) and not graph.d_separated(PREVIOUS, Y, [INDUCTION])


def test_the_ways_of_data_in_a_llama_are_complete():
    model, examples = llama()
    nodes = ["**.heads.*", "**.mlp"]
    graph = computational_graph(model, examples, nodes, outcomes=[Y])
    heads, order = [h for h in graph.order if "heads" in h], graph.order
    side_by_side = {(heads[0], heads[1]), (heads[2], heads[3])}
    assert graph.pairs == {(i, j) for a, i in enumerate(order) for j in order[a + 1 :]} - side_by_side
    graph = component_graph(transfer(model, examples, nodes, off="zero", outcomes=[Y]))
    assert graph.pairs == CIRCUIT and set(graph.notes) == {MUTE, "layers.0.mlp", "layers.1.mlp"}


def test_all_of_the_effect_goes_along_one_path(made):
    model, examples = made
    graph = computational_graph(model, examples, ["**.heads.*"], outcomes=[Y])
    found = path_effects(model, examples, graph, PREVIOUS, Y, off="zero", stack=1)
    mean = found.summary().set_index("path")["ate"]
    assert mean["total"] < -2
    assert mean[f"{PREVIOUS} -> {INDUCTION} -> {Y}"] == pytest.approx(mean["total"], rel=1e-3)
    others = mean.drop(["total", f"{PREVIOUS} -> {INDUCTION} -> {Y}"])
    assert len(others) and np.abs(others).max() < 1e-3 * -mean["total"]

    by = mediate(model, examples, PREVIOUS, [INDUCTION], off="zero", outcomes=[Y], stack=1).summary()
    by = by.set_index("estimand")["ate"]
    assert by["tie"] == pytest.approx(by["total"], rel=1e-3) and abs(by["nde"]) < 1e-3 * -by["total"]


def test_the_llama_completes_any_sequence():
    for seed in range(3):
        frame = ca.counterfactuals(*llama(n=32, seed=seed), [PREVIOUS], off="zero", outcomes=["correct"]).frame
        assert (frame["factual"] == 1).all()


@pytest.mark.parametrize("search", ["removal", "addition", "exact"])
def test_the_smallest_circuit_is_the_two_heads(made, search):
    found = find_circuit(*made, HEADS, off="zero", outcome="answer_logprob", search=search)
    assert set(found.circuit) == {PREVIOUS, INDUCTION} and set(found.others) == {UNUSED, MUTE}
