"""GRaSP and BOSS: graphs by search over orders of the columns, through causal-learn."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import networkx as nx
import numpy as np

from causalablate.graph.discovery.equivalence import cpdag
from causalablate.graph.discovery.greedy import BIC
from causalablate.graph.discovery.result import Ends
from causalablate.graph.discovery.table import Table
from causalablate.graph.network import ComponentGraph

DEPTH = 3
"""Orders that GRaSP tries one after the other before it turns back, as its authors do."""


def grasp(table: Table, alpha: float, penalty: float, seed: int) -> Ends:
    """Greedy relaxations of the sparsest permutation. Forbidden parents are never tried.

    Source: Lam, Andrews & Ramsey (2022), UAI 38.
    """
    from causallearn.search.PermutationBased.GRaSP import Order, dfs

    trees, score = _trees(table, penalty)
    with seeded(seed):
        order = Order(len(trees), score)
        order.order = _allowed(order.order, table)
        for i, column in enumerate(order.order):
            parents = order.get_parents(column)
            order.set_local_score(column, trees[column].trace(order.order[:i], parents))
            order.bump_edges(len(parents))
        while dfs(DEPTH - 1, set(), [], order, trees):
            pass
    return _class_of(table.names, [order.get_parents(i) for i in range(len(trees))], order.order)


def boss(table: Table, alpha: float, penalty: float, seed: int) -> Ends:
    """Best order score search. Forbidden parents are never tried.

    Source: Andrews, Ramsey, Sanchez-Romero, Camchong & Kummerfeld (2023), NeurIPS 36.
    """
    from causallearn.search.PermutationBased.BOSS import better_mutation

    trees, _ = _trees(table, penalty)
    order, columns = list(range(len(trees))), list(range(len(trees)))
    with seeded(seed):
        improved = True
        while improved:
            random.shuffle(columns)
            improved = any([better_mutation(column, order, trees) for column in columns])
    parents: list[list[int]] = [[] for _ in trees]
    for i, column in enumerate(order):
        trees[column].trace(order[:i], parents[column])
    return _class_of(table.names, parents, order)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The global random numbers, which the packages draw from, seeded and afterwards as they were."""
    state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)


def _trees(table: Table, penalty: float) -> tuple[list[Any], Any]:
    """By column, a tree that grows and shrinks its parents; and the score that it does so by."""
    from causallearn.score.LocalScoreFunction import local_score_BIC_from_cov
    from causallearn.score.LocalScoreFunctionClass import LocalScoreClass
    from causallearn.search.PermutationBased.gst import GST

    score = LocalScoreClass(
        data=table.values, local_score_fun=local_score_BIC_from_cov, parameters={"lambda_value": BIC * penalty}
    )
    trees = [GST(i, score) for i in range(len(table.names))]
    number = {name: i for i, name in enumerate(table.names)}
    for source, target in sorted(table.knowledge.forbidden):
        trees[number[target]].forbidden.append(number[source])
    return trees, score


def _allowed(order: Sequence[int], table: Table) -> list[int]:
    """An order in which every edge that is possible one way only is possible, as GRaSP moves along edges only."""
    number, forbidden = {name: i for i, name in enumerate(table.names)}, table.knowledge.forbidden
    ways = nx.DiGraph([(number[b], number[a]) for a, b in sorted(forbidden) if (b, a) not in forbidden])
    ways.add_nodes_from(order)
    if not nx.is_directed_acyclic_graph(ways):
        return list(order)
    return list(nx.lexicographical_topological_sort(ways, key=order.index))


def _class_of(names: Sequence[str], parents: Sequence[Sequence[int]], order: Sequence[int]) -> Ends:
    pairs = [(names[source], names[target]) for target, found in enumerate(parents) for source in found]
    return cpdag(ComponentGraph.of_pairs([names[i] for i in order], pairs)).ends
