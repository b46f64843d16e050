import numpy as np
import pytest

from causalablate.errors import GraphError
from causalablate.graph.abstraction import abstraction, measure_pairs
from causalablate.graph.abstraction.observed import observational
from causalablate.graph.abstraction.predict import additive, largest, structural, total_from_direct
from causalablate.graph.abstraction.scores import scores

CHAIN = np.zeros((5, 5))
CHAIN[0, 1], CHAIN[1, 2], CHAIN[0, 3], CHAIN[2, 4], CHAIN[3, 4] = 1.5, 2.0, -1.0, 1.0, 0.5


@pytest.fixture(scope="module")
def worlds(planted):
    model, examples = planted(CHAIN, n=40)
    return measure_pairs(model, examples, "x*", off="zero", outcome="logit_difference")


def by_hand(n=40, seed=0):
    """Pair effects of the linear model: intervened equations, solved again."""
    noise = np.random.default_rng(seed).normal(size=(n, 5))

    def outcome(off):
        values = np.zeros((n, 5))
        for j in range(5):
            values[:, j] = 0 if j in off else noise[:, j] + values @ CHAIN[:, j]
        return values[:, 4]

    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    return np.stack([outcome(pair) - outcome(()) for pair in pairs])


def test_the_truth_is_the_exact_pair(worlds):
    np.testing.assert_allclose(worlds.joint, by_hand(), atol=1e-4)
    assert worlds.dominated.tolist() == [False, False, False, True, True, False, True, False, True, True]
    assert worlds.connected.tolist() == [True, True, True, True, True, False, True, False, True, True]


def test_undone_is_the_share_of_the_second_lesions_own_change(worlds):
    noise = np.random.default_rng(0).normal(size=(40, 5))
    x = noise @ np.linalg.inv(np.eye(5) - CHAIN)
    np.testing.assert_allclose(worlds.undone[0, 1], 1.5 * x[:, 0] / x[:, 1], rtol=1e-2, atol=1e-3)
    assert not worlds.undone[1, 3].any() and not worlds.undone[2, 0].any()


def test_the_graph_is_exact_where_additivity_is_not(worlds):
    i, j = worlds.pairs.T
    first, second = worlds.single[i], worlds.single[j]
    # In a linear model, but where signs differ, of which the structural prediction makes a bound.
    way = worlds.undone[i, j] * second
    plain = worlds.dominated[:, None] | ((way * first >= 0) & (np.abs(way) <= np.abs(first)))
    np.testing.assert_allclose(structural(worlds)[plain], worlds.joint[plain], rtol=1e-3, atol=1e-3)
    assert plain.mean() > 0.6
    assert np.abs(additive(worlds) - worlds.joint).mean() > 5 * np.abs(structural(worlds) - worlds.joint).mean()
    assert (np.abs(largest(worlds)) >= np.maximum(np.abs(first), np.abs(second))).all()


def test_watching_is_enough_in_a_linear_model_of_scalars(worlds):
    single, joint = observational(worlds)
    # Half the examples fit 5 coefficients with noise, so not to the bit.
    assert np.corrcoef(joint.ravel(), worlds.joint.ravel())[0, 1] > 0.95
    assert np.corrcoef(single.ravel(), worlds.single.ravel())[0, 1] > 0.95


def test_total_from_direct_by_hand(worlds):
    # x3 reaches the outcome only by way of x4, of which it changes a share of |0.5 x3 / x4|.
    values = np.random.default_rng(0).normal(size=(40, 5)) @ np.linalg.inv(np.eye(5) - CHAIN)
    share = np.minimum(np.abs(0.5 * values[:, 3] / values[:, 4]), 1)
    np.testing.assert_allclose(total_from_direct(worlds)[3], -share * values[:, 4], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("hold_out", ["pairs", "lesions"])
def test_scores_beside_the_additive_baseline(worlds, hold_out):
    found = abstraction(worlds, hold_out=hold_out, folds=3, observed=False)
    table = found.scores.set_index("method")
    assert list(table.index) == ["additive", "largest", "graph", "graph, fitted"]
    assert table.loc["graph", "gain_low"] > 0 and table.loc["additive", "gain"] == 0
    np.testing.assert_allclose(table.loc["additive", "mae"], np.abs(additive(worlds) - worlds.joint).mean())
    assert (table["r2_low"] <= table["r2"]).all() and (table["r2"] <= table["r2_high"]).all()
    assert set(found.pairs["relation"]) == {"dominated", "connected", "apart"}
    assert found.lesions["method"].tolist() == ["none", "direct", "graph"]


def test_no_held_out_truth_enters_a_prediction(worlds):
    """What is fitted for a pair on one half of the examples does not move when its truth there does."""
    from dataclasses import replace

    from causalablate.graph.abstraction.fitted import _splits, fitted, halves

    before = fitted(worlds, folds=3)
    half = halves(worlds, 0)
    _, test = next(_splits(worlds.pairs, 5, 3, "pairs", 0))
    at = np.ix_(test, half)
    joint = worlds.joint.copy()
    joint[at] += 100
    np.testing.assert_array_equal(fitted(replace(worlds, joint=joint), folds=3)[at], before[at])


def test_scores_by_hand():
    truth = np.array([[0.0, 1.0, 0.0, 2.0], [1.0, 3.0, 2.0, 1.0]])
    table = scores({"a": truth * 0, "b": truth}, truth, np.arange(4), "a", 0.95).set_index("method")
    assert table.loc["b", "r2"] == 1 and table.loc["b", "mae"] == 0 and table.loc["b", "gain"] == 1.25
    assert table.loc["b", "spearman"] == 1 and np.isnan(table.loc["a", "spearman"])  # a constant has no ranks
    np.testing.assert_allclose(table.loc["a", "r2"], 1 - 20 / ((truth - 1.25) ** 2).sum())


def test_a_draw_of_pairs_and_refusals(planted, worlds):
    model, examples = planted(CHAIN, n=4)
    some = measure_pairs(model, examples, "x*", off="zero", outcome="logit_difference", n_pairs=3)
    assert some.joint.shape == (3, 4)
    for asked, message in [({"n_pairs": 11}, "11 pairs of 5"), ({"outcome": "predicted_answer"}, "category")]:
        with pytest.raises(GraphError, match=message):
            measure_pairs(model, examples, "x*", off="zero", **{"outcome": "logit_difference", **asked})
    for asked, message in [({"folds": 1}, "folds"), ({"level": 2}, "level"), ({"hold_out": "x"}, "hold out")]:
        with pytest.raises(GraphError, match=message):
            abstraction(worlds, **asked)


def test_watching_draws_nothing(worlds):
    state = np.random.get_state()[1].copy()
    np.testing.assert_array_equal(observational(worlds)[1], observational(worlds)[1])
    np.testing.assert_array_equal(np.random.get_state()[1], state)
