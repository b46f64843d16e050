import numpy as np
import pandas as pd
import pytest

import causalablate as ca
from causalablate.errors import GraphError
from causalablate.graph.circuits import circuit_curve, find_circuit
from causalablate.graph.circuits.search import closeness, exact

# x0 -> x1 -> x4 carry everything; x2 and x3 say nothing that matters.
WEIGHT = np.zeros((5, 5))
WEIGHT[0, 1], WEIGHT[1, 4] = 3.0, 2.0
ASKED = {"off": "zero", "outcome": "logit_difference"}


@pytest.mark.parametrize("search", ["removal", "addition", "exact"])
def test_the_known_circuit(planted, search):
    model, examples = planted(WEIGHT, n=16)
    found = find_circuit(model, examples, search=search, keep=0.95, **ASKED)
    assert found.circuit == ("x0", "x1", "x4") and found.others == ("x2", "x3")
    here = found.curve[found.curve["size"] == 3].iloc[0]
    assert here["nodes"] == found.circuit and here["faithfulness"] == 1 and here["left"] == 0
    last = found.curve.iloc[-1]
    assert last["size"] == 5 and last["faithfulness"] == 1 and last["closeness"] == 1 and last["left"] == 0
    assert not found.curve.iloc[0]["faithfulness"]


def test_shares_by_hand(planted):
    weight = np.zeros((3, 3))
    weight[0, 2] = weight[1, 2] = 1.0
    model, examples = planted(weight, n=12)
    noise = np.stack([next(iter(e.inputs.values())) for e in examples])
    found = circuit_curve(model, examples, ["x2", "x0", "x1"], **ASKED)
    total = noise.sum()
    kept = [0, noise[:, 2].sum() / total, noise[:, [0, 2]].sum() / total, 1]
    np.testing.assert_allclose(found["faithfulness"], kept, rtol=1e-4)
    np.testing.assert_allclose(found["left"], [1, 0, 0, 0], atol=1e-6)
    size = np.abs(noise.sum(1)).mean()
    np.testing.assert_allclose(found["closeness"][1], 1 - np.abs(noise[:, :2].sum(1)).mean() / size, rtol=1e-4)
    assert found["nodes"][2] == ("x2", "x0")


def test_a_backup_shows_in_the_absence_of_what_it_backs_up():
    def value(sets):
        there = (sets[:, 0] | sets[:, 1]) & sets[:, 2]
        return np.outer(there, np.array([1.0, 2.0, 3.0, 4.0]))

    from causalablate.graph.circuits.scores import members

    found = members(np.array([True, True, True]), value, value, ["a", "b", "c"], np.arange(4), 0.95).set_index("node")
    assert found.loc["a", "contribution"] == 0 and found.loc["a", "given"] == "b"
    assert found.loc["a", "given_contribution"] == 1 and found.loc["c", "contribution"] == 1
    sets = exact(value, 3, 0.9)
    assert [row.sum() for row in sets] == [0, 1, 2, 3] and closeness(value, sets)[2] == 1


def test_reported_on_others_than_searched(planted):
    model, examples = planted(WEIGHT, n=16)
    one = find_circuit(model, examples, keep=0.6, **ASKED)
    again = find_circuit(model, examples, keep=0.6, **ASKED)
    pd.testing.assert_frame_equal(one.curve, again.curve)
    assert (one.curve["searched"] != one.curve["closeness"]).any() and one.n_sets >= 15
    assert (one.members["contribution"] > 0).all() and set(one.members["node"]) == set(one.circuit)


def test_refusals(planted):
    model, examples = planted(WEIGHT, n=16)
    for asked, message in [
        ({"search": "removel"}, "removal"),
        ({"keep": 1.5}, "keep is 1.5"),
        ({"level": 0.3}, "level"),
        ({"outcome": "predicted_answer"}, "category"),
        ({"nodes": ["x2", "x3"]}, "no behaviour"),
    ]:
        with pytest.raises(GraphError, match=message):
            find_circuit(model, examples, **{**ASKED, **asked})
    with pytest.raises(GraphError, match="clusters"):
        find_circuit(model, examples[:3], **ASKED)
    with pytest.raises(GraphError, match="ranked twice"):
        circuit_curve(model, examples, ["x1", "x1"], **ASKED)
    with pytest.raises(GraphError, match="exact search"):
        exact(lambda sets: np.outer(sets.all(axis=1), np.ones(2)), 40, 0.9)


def test_the_shipped_model_needs_no_more_than_a_part():
    model, reference = ca.load("shipped"), ca.digits(16, split="validation")
    found = find_circuit(
        model,
        ca.digits(16),
        ["passes.*", "scorers.*", "lm.layers.*#2"],
        keep=0.5,
        search="addition",
        reference=reference,
    )
    assert found.circuit and len(found.curve) == 9
