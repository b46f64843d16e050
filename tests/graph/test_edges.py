import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import causalablate as ca
from causalablate.effects import benjamini_hochberg, benjamini_yekutieli, holm
from causalablate.effects.kinds import Kind
from causalablate.errors import GraphError
from causalablate.graph import ComponentGraph, transfer
from causalablate.graph.edges import ADJUST, COLUMNS, component_graph, edge_table
from causalablate.graph.matrices import Transfer
from causalablate.graph.thresholds import floors, full_change
from tests.graph.planted import Instrument, fdp_and_power, inner, plant, random_dag

OFF = {"off": "zero", "outcomes": ["logit_difference"]}


def arrays(direct, sham=None, cluster=None, kinds=()):
    """Effects of a on b and y, and of b on y, shape (2, 3, n), as a transfer."""
    n = direct.shape[2]
    graph = ComponentGraph.of_pairs("aby", [("a", "b"), ("b", "y")], "y")
    ids = tuple(map(str, range(n)))
    return Transfer(
        graph, ("a", "b"), ("a", "b", "y"), direct, direct, ids, ids if cluster is None else cluster, "", sham, kinds
    )


def of_sizes(ab, n=40, seed=0):
    """a and b change by about 1 when they are off, a changes b by `ab`, b changes y by -0.5."""
    rng = np.random.default_rng(seed)
    direct = np.zeros((2, 3, n))
    direct[0, 0], direct[1, 1], direct[1, 2] = 1.0, rng.uniform(0.5, 1.5, n), rng.normal(-0.5, 0.3, n)
    direct[0, 1] = ab
    return arrays(direct)


@pytest.mark.parametrize(("p", "seed"), [(10, 0), (10, 1), (20, 2), (40, 3)])
def test_planted_graphs_are_recovered_exactly(p, seed):
    planted = plant(random_dag(p, seed=seed), 200, seed)
    found = transfer(planted.model, planted.examples, "x*", totals=False, **OFF)
    assert len(found.graph.pairs) == p * (p - 1) / 2 + 1  # data could go everywhere; the last node is the outcome
    graph = component_graph(found, resamples=100)
    assert inner(graph) == planted.edges
    assert graph.parents("logit_difference") == (f"x{p - 1}",)
    assert all(edge.kind == "direct" and edge.stability == 1 for edge in graph.edges)
    assert all(edge.p < 1e-6 for edge in graph.edges if edge.target not in graph.outcomes)


def test_weights_are_shares_of_the_targets_own_change():
    planted = plant(random_dag(10, seed=4), 50, 4)
    graph = component_graph(transfer(planted.model, planted.examples, "x*", totals=False, **OFF))
    noise = np.stack([next(iter(e.inputs.values())) for e in planted.examples])
    size = np.abs(noise @ np.linalg.inv(np.eye(10) - planted.weight)).mean(axis=0)
    for edge in graph.edges:
        i, j = int(edge.source[1:]), edge.target
        if j in graph.outcomes:
            continue
        assert edge.weight == pytest.approx(abs(planted.weight[i, int(j[1:])]) * size[i] / size[int(j[1:])], rel=1e-4)
        assert edge.low < edge.weight < edge.high


@pytest.mark.parametrize(("p", "sigma"), [(10, 0.1), (20, 0.2)])
def test_under_noise_few_edges_are_false_and_few_are_missed(p, sigma):
    rates = []
    for seed in range(4):
        planted = plant(random_dag(p, seed=seed), 200, seed)
        found = transfer(planted.model, planted.examples, "x*", totals=False, **OFF)
        for draw in range(5):
            seen = Instrument(planted, sigma, [seed, draw]).transfer(found)
            rates.append(fdp_and_power(inner(component_graph(seen, exact=False, resamples=0)), planted.edges))
    false, power = np.mean(rates, axis=0)
    assert false <= 0.05 and power >= 0.9


def test_an_edge_into_an_outcome_has_the_effect_that_the_table_of_effects_has(model, examples, reference):
    last = "lm.layers.1#2"
    found = transfer(model, examples, ["lm.layers.*"], outcomes=["answer_logprob", "correct"], reference=reference)
    table = edge_table(found).set_index(["source", "target"])
    run = ca.counterfactuals(model, examples, [ca.do(last, off="mean")], reference=reference)
    effects = ca.population_effects(run).query("group == 'all'").set_index("outcome")
    assert found.kinds == (Kind.REAL, Kind.BINARY)
    for outcome in ("answer_logprob", "correct"):
        mine, theirs = table.loc[(last, outcome)], effects.loc[outcome]
        assert [mine["weight"], mine["ci_low"], mine["ci_high"]] == pytest.approx(
            [theirs["ate"], theirs["ci_low"], theirs["ci_high"]], abs=1e-5
        )


def test_one_example_proves_an_edge_and_rounding_none():
    once = np.zeros(40)
    once[3] = 0.1
    (row,) = edge_table(of_sizes(once)).query("target == 'b'").to_dict("records")
    assert row["found"] and row["share"] == 1 / 40 and row["p"] > 0.05 and tuple(row) == COLUMNS
    assert row["stability"] == pytest.approx(1 - (1 - 1 / 40) ** 40, abs=0.06)
    for tiny in (0.0, 1e-7):
        assert component_graph(of_sizes(tiny)).pairs == {("b", "y")}


def test_the_floor_is_what_the_sham_and_structure_show():
    found = of_sizes(0.01)
    sham = np.zeros((3, 40))
    sham[1, 7] = 0.02
    assert component_graph(replace(found, sham=sham)).pairs == {("b", "y")}
    direct = found.direct.copy()
    direct[1, 0, 5] = 5e-4  # b is computed after a
    np.testing.assert_allclose(floors(replace(found, direct=direct, sham=sham))[:2], [5e-4, 0.02])
    direct[1, 0, 5] = 0.01
    with pytest.raises(GraphError, match="switching b off moves a"):
        edge_table(replace(found, direct=direct))


def test_the_smallest_edge_of_interest():
    for size, there in ((0.2, True), (0.05, False)):
        rng = np.random.default_rng(1)
        graph = component_graph(of_sizes(size * rng.uniform(0.5, 1.5, 40)), sesoi=0.1)
        assert (("a", "b") in graph.pairs) is there
    assert ("b", "y") in graph.pairs


def test_p_and_interval_of_a_ratio_by_hand():
    rng = np.random.default_rng(2)
    found = of_sizes(rng.uniform(0, 0.4, 40))
    row = edge_table(found, sesoi=0.15).query("target == 'b'").iloc[0]
    effect, own = found.direct[0, 1], found.direct[1, 1]
    assert row["p"] == pytest.approx(stats.ttest_1samp(effect - 0.15 * own, 0, alternative="greater").pvalue)
    ratio = effect.mean() / own.mean()
    half = stats.t.ppf(0.975, 39) * np.std(effect - ratio * own, ddof=1) / np.sqrt(40) / own.mean()
    assert [row["weight"], row["ci_low"], row["ci_high"]] == pytest.approx([ratio, ratio - half, ratio + half])


def test_intervals_cover():
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        row = edge_table(of_sizes(rng.exponential(0.3, 40), seed=seed), resamples=0).query("target == 'b'").iloc[0]
        covered.append(row["ci_low"] <= 0.3 <= row["ci_high"])
    assert 0.90 <= np.mean(covered) <= 0.985


def test_corrections():
    weight = random_dag(8, seed=1)
    truth = plant(weight, 60, 1)
    seen = Instrument(truth, 0.5, 0).transfer(transfer(truth.model, truth.examples, "x*", totals=False, **OFF))
    table = edge_table(seen, exact=False)
    np.testing.assert_allclose(table["p_holm"], holm(table["p"].to_numpy()))
    np.testing.assert_allclose(table["p_bh"], benjamini_hochberg(table["p"].to_numpy()))
    np.testing.assert_allclose(table["p_by"], benjamini_yekutieli(table["p"].to_numpy()))
    assert (table["found"] == (table["p_by"] < 0.05)).all(), "whatever the dependence of tests that share readings"
    graphs = {name: component_graph(seen, exact=False, correction=name, resamples=20) for name in ADJUST}
    assert graphs["by"].pairs < graphs["bh"].pairs and graphs["holm"].pairs < graphs["bh"].pairs


def test_the_share_of_false_edges_is_controlled_where_tests_share_their_readings():
    """Many sources, of which few act, into targets with one sham each: null p values are uniform, and err together."""
    rng, n, p, acting, names = np.random.default_rng(0), 40, 24, 6, [f"x{i}" for i in range(26)]
    pairs = [(names[i], names[j]) for j in (p, p + 1) for i in range(p)]
    graph, ids = ComponentGraph.of_pairs(names, pairs), tuple(map(str, range(n)))
    rates, nulls = {name: [] for name in ADJUST}, []
    for _ in range(40):
        here = rng.normal(size=(p + 2, n))
        direct = np.abs(rng.normal(size=(p, p + 2, n)) - here)
        direct[:acting, p:] += 3.0
        sham = np.abs(rng.normal(size=(p + 2, n)) - here)
        found = Transfer(graph, tuple(names[:p]), tuple(names), direct, direct, ids, ids, "", sham, ())
        table = edge_table(found, exact=False, resamples=0)
        false = ~table["source"].isin(names[:acting])
        nulls.append(table.loc[false, "p"])
        for name in ADJUST:
            claimed = table[f"p_{name}"] < 0.05
            rates[name].append(((claimed & false).sum() / max(claimed.sum(), 1), claimed[~false].mean()))
    assert np.mean(np.concatenate(nulls) < 0.05) == pytest.approx(0.05, abs=0.02)
    share = {name: np.mean(each, axis=0) for name, each in rates.items()}
    assert share["by"][0] <= 0.05 / 2 and share["by"][1] > 0.99
    assert share["bh"][0] > share["by"][0]


def test_nodes_that_never_fire_are_noted_not_dropped():
    found = of_sizes(0.0)
    direct = found.direct.copy()
    direct[0, 0] = 0
    graph = component_graph(replace(found, direct=direct))
    assert graph.order == ("a", "b", "y") and "never fires" in graph.notes["a"] and "b" not in graph.notes


def test_what_has_no_change_of_its_own_is_measured_by_the_largest():
    found = of_sizes(0.3)
    direct = found.direct.copy()
    direct[1, 1] = 0
    np.testing.assert_allclose(full_change(replace(found, direct=direct))[1], 0.3)
    (weight,) = (e.weight for e in component_graph(replace(found, direct=direct)).edges if e.target == "b")
    assert weight == pytest.approx(1)


def test_what_cannot_be_estimated_is_said():
    found = of_sizes(0.3)
    with pytest.raises(GraphError, match="without a sham"):
        component_graph(found, exact=False)
    with pytest.raises(GraphError, match="other examples"):
        component_graph(found, [replace(found, example=tuple("abc"))])
    with pytest.raises(GraphError, match="did you mean holm"):
        component_graph(found, correction="hol")
    with pytest.raises(GraphError, match="at least 0"):
        component_graph(found, sesoi=-1)


def test_one_cluster_proves_edges_but_not_how_large():
    found = replace(of_sizes(0.3), cluster=("only",) * 40)
    table = edge_table(found)
    assert table["found"].all() and table[["ci_low", "p"]].isna().all(axis=None)
    assert not edge_table(found, sesoi=0.01)["found"].any()


def test_the_python_of_the_page_on_graphs_runs():
    page, names = (Path(__file__).parents[2] / "docs" / "graph.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/graph.md", "exec"), names)
    assert names["graph"].pairs <= names["found"].graph.pairs and names["under_it"].context == "lm.layers.1#1=mean"
    assert ("scorers.participatory", "allocator") in names["woken"].pairs
    assert all(f"`{column}`" in page for column in (*COLUMNS, *names["pairs"].columns, *names["fit"].table.columns))
