from itertools import combinations, permutations

import numpy as np
import pytest

from causalablate.errors import GraphError
from causalablate.graph.discovery import Discovered, cpdag
from causalablate.graph.discovery.equivalence import extensions
from causalablate.graph.discovery.result import directed_ends
from causalablate.graph.network import ComponentGraph
from causalablate.graph.sid import sid

X, Y = ("x1", "x2"), ("y1", "y2", "y3")
PAIRS = [("x1", "x2"), *((x, y) for x in X for y in Y)]


def graph(pairs, order=X + Y):
    return ComponentGraph.of_pairs(order, pairs)


def drawn(rng, p, density=None):
    """A random graph on n0, n1, ... in random order."""
    order = [f"n{i}" for i in rng.permutation(p)]
    density = rng.random() if density is None else density
    return graph([pair for pair in combinations(order, 2) if rng.random() < density], order)


def test_the_example_of_the_paper():
    # Peters & Bühlmann (2015), figure 1: both differ from the truth by one edge.
    assert sid(graph([*PAIRS, ("y1", "y2")]), graph(PAIRS)) == (0, 0)
    assert sid(graph([("x2", "x1"), *PAIRS[1:]], ("x2", "x1", *Y)), graph(PAIRS)) == (8, 8)


def test_by_hand():
    # a -> b -> c, and an estimate without edges: causes look as if their effects acted on them (3 pairs); the effects
    # of a, and of b on c, are confounded by nothing, so nothing has to be adjusted for.
    chain = graph([("a", "b"), ("b", "c")], "abc")
    assert sid(graph([], "abc"), chain) == (3, 3)
    # The reversed chain: b looks as if a did not act on it, b is adjusted for when a's effect on c goes through it, and
    # the same for all others.
    assert sid(graph([("c", "b"), ("b", "a")], "cba"), chain) == (6, 6)


def test_zero_exactly_where_all_edges_are_there():
    rng = np.random.default_rng(0)
    for _ in range(60):
        truth = drawn(rng, 5)
        other = graph([p for p in combinations(truth.order, 2) if p in truth.pairs or rng.random() < 0.5], truth.order)
        assert sid(other, truth) == (0, 0)
        unlike = drawn(rng, 5)
        assert (sid(unlike, truth) == (0, 0)) == (truth.pairs <= unlike.pairs)


def test_wrong_are_the_effects_that_adjustment_gets_wrong_in_linear_models():
    rng = np.random.default_rng(1)
    for _ in range(40):
        truth, estimate = drawn(rng, 6), drawn(rng, 6)
        names = list(truth.order)
        weight = np.array([[(a, b) in truth.pairs for b in names] for a in names]) * rng.normal(size=(6, 6))
        through = np.linalg.inv(np.eye(6) - weight)
        covariance = through.T @ np.diag(rng.uniform(0.5, 2, 6)) @ through
        wrong = 0
        for a, b in permutations(names, 2):
            parents = estimate.parents(a)
            i, j, given = names.index(a), names.index(b), [names.index(x) for x in parents]
            if b in parents:
                wrong += through[i, j] != 0
                continue
            columns = [i, *given]
            slope = np.linalg.solve(covariance[np.ix_(columns, columns)], covariance[columns, j])[0]
            wrong += abs(slope - through[i, j]) > 1e-9
        assert sid(estimate, truth) == (wrong, wrong)


def test_bounds_are_those_of_the_equivalent_graphs():
    rng = np.random.default_rng(2)
    for _ in range(15):
        truth, estimate = drawn(rng, 5), cpdag(drawn(rng, 5, 0.4))
        every = [
            sid(Discovered.of("", truth.order, directed_ends(pairs)), truth)[0] for pairs in extensions(estimate.ends)
        ]
        assert sid(estimate, truth) == (min(every), max(every))
        assert sid(cpdag(truth), truth)[0] == 0


def test_what_stands_for_no_graph_has_no_distance():
    truth = graph([("a", "b"), ("b", "c")], "abc")
    circle = Discovered.of("m", "abc", directed_ends([("a", "b"), ("b", "c"), ("c", "a")]))
    both = Discovered.of("m", "abc", {("a", "b"): "arrow", ("b", "a"): "arrow"})
    open_ends = Discovered.of("m", "abc", {("a", "b"): "circle", ("b", "a"): "circle"}, "pag")
    for estimate in (circle, both, open_ends):
        assert np.isnan(sid(estimate, truth)).all()


def test_too_many_equivalent_graphs():
    complete = [*combinations("abcdefgh", 2)]
    whole = graph(complete, "abcdefgh")
    assert np.isnan(sid(cpdag(whole), whole)).all()
    assert sid(cpdag(graph([*combinations("abcd", 2)], "abcd")), graph([], "abcd")) == (0, 0)


def test_graphs_with_different_nodes_are_refused():
    with pytest.raises(GraphError, match="same nodes; only one of them has c"):
        sid(graph([], "ab"), graph([], "abc"))
