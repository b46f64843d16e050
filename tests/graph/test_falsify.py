import numpy as np
import pytest

import causalablate as ca
from causalablate.errors import GraphError
from causalablate.graph import ComponentGraph, computational_graph
from causalablate.graph.falsify import falsify

# x0 -> x1 -> x3 -> x4, x2 -> x3; x5 would be behind the outcome's node, so the outcome is read from x4 alone.
WEIGHT = np.zeros((5, 5))
WEIGHT[0, 1], WEIGHT[1, 3], WEIGHT[2, 3], WEIGHT[3, 4] = 2.0, 1.0, -1.5, 1.0
ORDER = ("x0", "x1", "x2", "x3", "x4", "logit_difference")
PAIRS = [("x0", "x1"), ("x1", "x3"), ("x2", "x3"), ("x3", "x4"), ("x4", "logit_difference")]


def graph_of(pairs):
    return ComponentGraph.of_pairs(ORDER, pairs, outcomes=["logit_difference"])


def test_the_true_graph_stands(planted):
    model, examples = planted(WEIGHT, n=60)
    table = falsify(graph_of(PAIRS), model, examples, off="zero")
    assert set(table["rule"]) == {1, 2, 3} and not (table["verdict"] == "falsified").any()
    exact = table[table["rule"] > 1]
    assert (exact["observed"] == 0).all() and (exact["verdict"] == "holds").all()
    assert "logit_difference under do(x0, x1) is logit_difference under do(x1)" in set(table["statement"])
    assert "logit_difference under do(x1 = as seen under do(x0)) is logit_difference under do(x0)" in set(
        table["statement"]
    )
    assert (table.loc[table["rule"] == 1, "verdict"] == "not falsified").all()


@pytest.mark.parametrize(
    ("missing", "rule", "statement"),
    [
        (("x2", "x3"), 3, "logit_difference under do(x2) is logit_difference"),
        (("x0", "x1"), 1, "x0 tells nothing of x1, given nothing"),
    ],
)
def test_a_missing_edge_is_found_out(planted, missing, rule, statement):
    model, examples = planted(WEIGHT, n=60)
    table = falsify(graph_of([p for p in PAIRS if p != missing]), model, examples, off="zero").set_index("statement")
    assert table.loc[statement, "verdict"] == "falsified" and table.loc[statement, "rule"] == rule


def test_a_path_past_a_node_is_found_out(planted):
    weight = WEIGHT.copy()
    weight[0, 4] = 1.0
    model, examples = planted(weight, n=20)
    table = falsify(graph_of(PAIRS), model, examples, off="zero").set_index("statement")
    both = table.loc["logit_difference under do(x0, x1) is logit_difference under do(x1)"]
    noise = np.stack([next(iter(e.inputs.values())) for e in examples])
    assert both["verdict"] == "falsified"
    np.testing.assert_allclose(both["observed"], np.abs(noise[:, 0]).max(), rtol=1e-4)
    seen = table.loc["logit_difference under do(x1 = as seen under do(x0)) is logit_difference under do(x0)"]
    np.testing.assert_allclose(seen["observed"], np.abs(noise[:, 0]).max(), rtol=1e-4)


def test_too_few_examples_leave_independences_undecided(planted):
    model, examples = planted(WEIGHT, n=3)
    table = falsify(graph_of(PAIRS), model, examples, off="zero")
    assert table.loc[table["rule"] == 1, "verdict"].str.startswith("undecided").all()


def test_refusals(planted):
    model, examples = planted(WEIGHT, n=4)
    with pytest.raises(GraphError, match="no outcome"):
        falsify(ComponentGraph.of_pairs(ORDER[:-1], PAIRS[:-1]), model, examples)


def test_the_paths_of_the_shipped_model_hold_to_the_bit():
    model, examples = ca.load("shipped"), ca.digits(4)
    graph = computational_graph(model, examples, ["texture.*", "scorers.*", "allocator"], outcomes=["answer_logprob"])
    table = falsify(graph, model, examples, n_pairs=10, reference=ca.digits(8, split="validation"))
    exact = table[table["rule"] > 1]
    assert len(exact) > 10 and (exact["verdict"] == "holds").all()
