from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

import causalablate as ca
from causalablate.errors import GraphError, OutcomeError
from causalablate.graph import ComponentGraph, computational_graph
from causalablate.graph.edge_effects import edge_effects
from causalablate.graph.path_effects import path_effects
from causalablate.graph.paths import all_paths, check_path, count_paths, edges_between

Y = "logit_difference"


def noise(n, k, seed=0):
    """Eighths, of which sums and products of a few are exact in float32."""
    return torch.as_tensor(np.random.default_rng(seed).integers(-16, 17, size=(n, k)) / 8, dtype=torch.float32)


def spread(u):
    return ca.tensors(u, ["yes"] * len(u))


def by_path(found):
    return {path: rows["effect"].to_numpy() for path, rows in found.frame.groupby("path")}


def random_weight(p, density, seed):
    rng = np.random.default_rng(seed)
    return np.triu(rng.choice([-1, -0.5, 0.5, 1], (p, p)) * (rng.random((p, p)) < density), 1)


@pytest.fixture(scope="module")
def linear(planted):
    """A model of seven nodes with many paths, its graph with an outcome behind the last, and x0 of each example."""
    weight = random_weight(7, 0.7, seed=1)
    model, _ = planted(weight)
    u = noise(12, 7)
    graph = computational_graph(model, spread(u), "x*", outcomes=[Y])
    return model, spread(u), graph, weight, u[:, 0].double().numpy()


def product(weight, path):
    nodes = [int(node[1:]) for node in path if node != Y]
    return np.prod([weight[a, b] for a, b in pairwise(nodes)])


def test_paths_of_a_linear_model_are_products_and_sum_to_the_total(linear):
    model, examples, graph, weight, x0 = linear
    found = path_effects(model, examples, graph, "x0", Y, off="zero", stack=1)
    by = by_path(found)
    assert len(found.paths) == count_paths(graph, "x0", Y) > 8
    for path in found.paths:
        np.testing.assert_allclose(by[" -> ".join(path)], -product(weight, path) * x0, rtol=0, atol=1e-6)
    reach = np.linalg.inv(np.eye(7) - weight)[0, 6]
    np.testing.assert_allclose(by["total"], -reach * x0, rtol=0, atol=1e-6)
    np.testing.assert_allclose(by["remainder"], 0, atol=1e-6)


def test_edges_of_a_linear_model_carry_the_paths_through_them(linear):
    model, examples, graph, weight, x0 = linear
    found = edge_effects(model, examples, graph, "x0", Y, off="zero", stack=1)
    by, paths = by_path(found), all_paths(graph, "x0", Y, limit=100)
    assert found.paths and "remainder" not in by
    for source, target in found.paths:
        through = [path for path in paths if (source, target) in pairwise(path)]
        wanted = sum(product(weight, path) for path in through)
        np.testing.assert_allclose(by[f"{source} -> {target}"], -wanted * x0, rtol=0, atol=1e-6)
    cut = sum(by[f"x0 -> {target}"] for source, target in found.paths if source == "x0")
    np.testing.assert_allclose(cut, by["total"], atol=1e-6)


def test_a_component_as_the_outcome(linear):
    model, examples, graph, weight, x0 = linear
    found = by_path(path_effects(model, examples, graph, "x0", "x5", off="zero"))
    np.testing.assert_allclose(found["total"], -np.linalg.inv(np.eye(7) - weight)[0, 5] * x0, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["remainder"], 0, atol=1e-6)
    edges = by_path(edge_effects(model, examples, graph, "x0", "x5", off="zero"))
    into = sum(effect for path, effect in edges.items() if path.endswith("-> x5"))
    np.testing.assert_allclose(into, found["total"], atol=1e-6)


class Meeting(nn.Module):
    """b = a + u1; c = tanh(a) + u2; d = b c."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d, self.idle = (nn.Identity() for _ in range(5))

    def forward(self, u):
        a = self.a(u[:, :1])
        b, c = self.b(a + u[:, 1:2]), self.c(torch.tanh(a) + u[:, 2:])
        d = self.d(b * c)
        return torch.cat((torch.zeros_like(d), d), 1)


def test_paths_that_meet_leave_a_remainder():
    u = noise(20, 3)
    model, examples = ca.wrap(Meeting(), {x: x for x in "abcd"}, answers=["no", "yes"]), spread(u)
    graph = computational_graph(model, examples, list("abcd"), outcomes=[Y])
    by = by_path(path_effects(model, examples, graph, "a", Y, off="zero"))
    a, u1, u2 = u.double().numpy().T
    np.testing.assert_allclose(by[f"a -> b -> d -> {Y}"], -a * (np.tanh(a) + u2), atol=1e-6)
    np.testing.assert_allclose(by[f"a -> c -> d -> {Y}"], -np.tanh(a) * (a + u1), atol=1e-6)
    np.testing.assert_allclose(by["remainder"], a * np.tanh(a), atol=2e-6)
    single = by_path(path_effects(model, examples, graph, "c", Y, off="zero"))
    np.testing.assert_array_equal(single["remainder"], 0)  # one path, however bent, is the whole


def test_nodes_that_never_run_and_other_outcomes_are_left_alone():
    u = noise(5, 3)
    model = ca.wrap(Meeting(), {x: x for x in ("a", "b", "c", "d", "idle")}, answers=["no", "yes"])
    graph = computational_graph(model, spread(u), ["a", "d", "idle"], outcomes=["answer_logprob", Y])
    by = by_path(path_effects(model, spread(u), graph, "a", Y, off="zero"))
    assert "idle" in graph.notes and set(by) == {"total", f"a -> d -> {Y}", "remainder"}
    np.testing.assert_array_equal(by[f"a -> d -> {Y}"], by["total"])


def test_only_the_paths_asked_for(linear):
    model, examples, graph, *_ = linear
    every = path_effects(model, examples, graph, "x0", Y, off="zero")
    some = path_effects(model, examples, graph, "x0", Y, every.paths[1:3], off="zero")
    one, other = by_path(every), by_path(some)
    names = [" -> ".join(path) for path in every.paths[1:3]]
    assert set(other) == {*names, "total", "remainder"}
    for name in names:
        np.testing.assert_allclose(other[name], one[name], atol=1e-6)
    np.testing.assert_allclose(other["remainder"], one["total"] - sum(one[name] for name in names), atol=1e-6)


def test_a_path_that_data_cannot_take_carries_nothing_to_the_bit(linear):
    model, examples, graph, weight, _ = linear
    absent = next((f"x{i}", f"x{j}") for i, j in np.argwhere(np.triu(weight == 0, 1)) if i > 0 and j < 6)
    wider = ComponentGraph.of_pairs(graph.order, graph.pairs | {absent, ("x0", absent[0]), (absent[1], Y)}, [Y])
    found = path_effects(model, examples, wider, "x0", Y, [("x0", *absent, Y)], off="zero", stack=1)
    by = by_path(found)
    assert by["total"].any() and not by[" -> ".join(("x0", *absent, Y))].any()
    assert not found.frame.loc[found.frame["path"].str.startswith("x0 ->"), "change_norm"].any()


def test_the_direct_path_is_the_lesion_with_all_later_nodes_frozen():
    model, examples = ca.load("shipped"), ca.digits(4)
    reference = ca.digits(8, split="validation")
    nodes = ["lm.layers.1.heads.*", "lm.layers.1.mlp", "lm.layers.2.heads.*", "lm.layers.2.mlp"]
    graph = computational_graph(model, examples, [f"{node}#2" for node in nodes], outcomes=[Y])
    sender = "lm.layers.1.mlp#2"
    found = path_effects(model, examples, graph, sender, Y, [(sender, Y)], reference=reference)
    direct = ca.do(sender, off="mean") & ca.do("lm.layers.2.heads.*#2", "lm.layers.2.mlp#2", off="patch")
    wanted = ca.counterfactuals(model, examples, direct, outcomes=[Y], reference=reference)
    np.testing.assert_allclose(by_path(found)[f"{sender} -> {Y}"], wanted.frame["effect"], atol=1e-5)


def test_on_a_real_model():
    model, examples = ca.load("shipped"), ca.digits(8)
    nodes = ["query.dynamic", "scorers.participatory", "allocator", "passes.fine"]
    graph = computational_graph(model, examples, nodes, outcomes=["answer_logprob"])
    found = path_effects(
        model, examples, graph, "query.dynamic", "answer_logprob", reference=ca.digits(16, split="validation"), stack=1
    )
    by = by_path(found)
    straight = by["query.dynamic -> passes.fine -> answer_logprob"]
    around = by["query.dynamic -> scorers.participatory -> allocator -> passes.fine -> answer_logprob"]
    assert straight.any() and around.any()
    assert not any("allocator -> answer" in path for path in by)
    along = [effect for path, effect in by.items() if "->" in path]
    np.testing.assert_allclose(by["remainder"], by["total"] - sum(along), atol=1e-6)
    summary = found.summary()
    assert summary["path"].unique().tolist() == ["total", *(" -> ".join(path) for path in found.paths), "remainder"]


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_networkx(seed):
    weight = random_weight(9, 0.5, seed)
    names = [f"n{i}" for i in range(9)]
    graph = ComponentGraph.of_pairs(names, [(names[i], names[j]) for i, j in np.argwhere(weight)])
    for target in names[1:]:
        listed = set(map(tuple, nx.all_simple_paths(graph.networkx(), "n0", target)))
        assert count_paths(graph, "n0", target) == len(listed)
        if listed:
            assert set(all_paths(graph, "n0", target, limit=10_000)) == listed
            on_paths = {pair for path in listed for pair in pairwise(path)}
            assert set(edges_between(graph, "n0", target)) == on_paths


def complete(p):
    names = [f"n{i}" for i in range(p)]
    return ComponentGraph.of_pairs(names, [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]])


def test_too_many_paths_are_counted_not_listed():
    with pytest.raises(GraphError, match=f"{2**58} paths lead from n0 to n59, more than the limit of 200"):
        all_paths(complete(60), "n0", "n59", limit=200)


def test_the_shortest_come_first():
    assert all_paths(complete(4), "n0", "n3", limit=4) == [
        ("n0", "n3"), ("n0", "n1", "n3"), ("n0", "n2", "n3"), ("n0", "n1", "n2", "n3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (["n0"], "does not lead from n0 to n3"),
        ([], "the empty path"),
        (["n1", "n3"], "does not lead"),
        (["n0", "n2", "n1", "n3"], "no edge n2 -> n1; edges lead from n2 to n3"),
        (["n0", "m", "n3"], "no edge n0 -> m"),
    ],
)
def test_what_is_no_path_is_said(path, message):
    with pytest.raises(GraphError, match=message):
        check_path(complete(4), path, "n0", "n3")


def test_what_cannot_be_is_said(linear):
    model, examples, graph, *_ = linear
    for source, target, error, message in [
        ("x9", Y, GraphError, 'no node "x9"'),
        ("x0", "correct", GraphError, "no node of the graph; make the graph with outcomes="),
        ("x6", "x1", GraphError, "no path leads from x6 to x1"),
    ]:
        for measure in (path_effects, edge_effects):
            with pytest.raises(error, match=message):
                measure(model, examples, graph, source, target, off="zero")
    with pytest.raises(GraphError, match="no paths"):
        path_effects(model, examples, graph, "x0", Y, [], off="zero")
    unnamed = computational_graph(model, examples, "x*")
    with pytest.raises(OutcomeError, match='"outcome" is neither an outcome nor one component'):
        path_effects(model, examples, unnamed, "x0", "outcome", off="zero")
