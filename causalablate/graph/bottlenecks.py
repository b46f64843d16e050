"""Bottlenecks: what all paths to the outcome have to pass, and whether it really carries everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import networkx as nx
import numpy as np
import pandas as pd

from causalablate.effects.intervals import mean_intervals
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired
from causalablate.errors import GraphError, nearest
from causalablate.examples import ExampleSet
from causalablate.graph.network import ComponentGraph
from causalablate.graph.transfer import off_of, running
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.progress import progress_bar
from causalablate.replay import Replay

_SOURCE = object()

MOST = 20_000
"""Sets to look at for all minimum cuts."""


@dataclass(frozen=True)
class Bottlenecks:
    """Where a graph can be cut.

    Attributes:
        dominators: Nodes that every path from any source to the outcome passes, in order: single points of failure.
        cuts: Sets of the fewest nodes that together lie on every path, each in order.
        sources: Where paths begin.
        outcome: Where they end.
    """

    dominators: tuple[str, ...]
    cuts: tuple[tuple[str, ...], ...]
    sources: tuple[str, ...]
    outcome: str


def bottlenecks(
    graph: ComponentGraph, outcome: str | None = None, *, sources: Sequence[str] | None = None
) -> Bottlenecks:
    """Dominators and all minimum node cuts between sources and an outcome.

    The sources themselves can be in a cut. By Menger's theorem the size of a cut is the number of paths that share no
    node.

    Args:
        graph: Possible or estimated edges.
        outcome: An outcome of the graph; by default its first.
        sources: By default the nodes without parents from which a path leads to the outcome.
    Raises:
        GraphError: A node is unknown, or no path leads to the outcome.

    Source: Menger (1927); Lengauer & Tarjan (1979); Even & Tarjan (1975), by networkx.
    """
    target = _target(graph, outcome)
    before = graph.ancestors(target)
    begin = tuple(n for n in graph.order if n in before and not graph.parents(n)) if sources is None else tuple(sources)
    reaching = [node for node in begin if node in before]
    if not reaching:
        raise GraphError(f"no path leads from {', '.join(begin) or 'any node'} to {target}; name other sources")
    net = graph.networkx().subgraph([*before, target]).copy()
    net.add_edges_from((_SOURCE, node) for node in reaching)
    immediate = nx.immediate_dominators(net, _SOURCE)
    passed, at = set(), immediate[target]
    while at is not _SOURCE:
        passed.add(at)
        at = immediate[at]
    cuts = _cuts(net.subgraph(nx.descendants(net, _SOURCE) | {_SOURCE}), graph.order, target)
    return Bottlenecks(tuple(n for n in graph.order if n in passed), cuts, tuple(reaching), target)


def disabling_sets(
    model: Model,
    examples: ExampleSet,
    graph: ComponentGraph,
    sets: Sequence[Sequence[str]] | None = None,
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    outcome: str | None = None,
    reference: ExampleSet | None = None,
    level: float = 0.95,
    seed: int = 0,
    batch_size: int = 64,
    quiet: bool = True,
) -> pd.DataFrame:
    """Switch cuts off, and see whether anything but them still reaches the outcome.

    Data reach the outcome only through a cut. So while it is off, nothing that other nodes say can matter, except for
    those behind it, which live on what it leaves them. That is checked to the bit: with all nodes that are not behind
    the set off as well, the outcome has to stay where it is.

    Args:
        model: Any model.
        examples: Whom to ask.
        graph: Over components of the model.
        sets: Sets of nodes; by default the minimum cuts of the graph.
        off: How components are off.
        outcome: An outcome of the model; by default the first of the graph.
        reference: Example set over which mean, resample and noise are defined.
        level: Two-sided coverage of the intervals.
        seed: Of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        quiet: Show no progress bar.
    Returns:
        One row per set: `nodes`; `size`; `predicted`: whether the graph says that it cuts everything off; `effect`,
        `ci_low`, `ci_high`: of the set; `floor`: mean effect of all components together; `beyond`: largest change of
        the outcome in any example from switching off all that is not behind the set, too; `disables`: whether that is
        none; `minimal`: whether, moreover, no part of the set, smaller by one, does so.
    Raises:
        GraphError: A node is unknown.
        CausalAblateError: Anything else asked for that does not exist or does not act.
    """
    target = _target(graph, outcome)
    asked = [tuple(s) for s in (bottlenecks(graph, target).cuts if sets is None else sets)]
    alive = [node for node in running(graph, Lesion(), model) if node in graph.ancestors(target)]
    for node in (n for s in asked for n in s):
        if node not in alive:
            raise GraphError(f'"{node}" is no node before {target}{nearest(node, alive)}; there are {", ".join(alive)}')

    def lesion(nodes: Sequence[str]) -> Lesion:
        return Lesion(tuple(part for node in nodes for part in do(node, off=off_of(node, off, model)).parts))

    parts = {s: [part for part in combinations(s, len(s) - 1) if part] for s in asked}
    checked = list(dict.fromkeys([*asked, *(part for found in parts.values() for part in found)]))
    alone = {s: lesion(s) for s in checked}
    more = {s: lesion([n for n in alive if n in s or not any(n in graph.descendants(m) for m in s)]) for s in checked}
    replay = Replay(model, examples, outcomes=[target], reference=reference, seed=seed, batch_size=batch_size, stack=1)
    worlds = list(dict.fromkeys([*alone.values(), *more.values(), lesion(alive)]))
    replay.prepare(worlds)
    rows, effects = slice(0, len(examples)), {}
    factual = replay.factual(rows)[target].astype(float)
    with progress_bar("disabling sets", len(worlds), quiet=quiet) as advance:
        for each, there in replay.worlds(worlds, rows):
            effects[each] = there.values[target] - factual
            advance(1, "")
    beyond = {s: float(np.abs(effects[more[s]] - effects[alone[s]]).max()) for s in checked}
    found = np.stack([effects[alone[s]] for s in asked])
    limits = mean_intervals(_paired(asked, found, replay.units.cluster), level)
    return pd.DataFrame(
        {
            "nodes": asked,
            "size": [len(s) for s in asked],
            "predicted": [cuts_off(graph, s, target) for s in asked],
            "effect": found.mean(axis=1),
            "ci_low": limits.low,
            "ci_high": limits.high,
            "floor": effects[lesion(alive)].mean(),
            "beyond": [beyond[s] for s in asked],
            "disables": [beyond[s] == 0 for s in asked],
            "minimal": [beyond[s] == 0 and all(beyond[part] > 0 for part in parts[s]) for s in asked],
        }
    )


def cuts_off(graph: ComponentGraph, nodes: Sequence[str], outcome: str) -> bool:
    """Whether no path leads from a node without parents to the outcome past these nodes."""
    rest = nx.restricted_view(graph.networkx(), list(nodes), [])
    begin = [n for n in graph.order if not graph.parents(n) and n not in nodes and n != outcome]
    return not any(nx.has_path(rest, n, outcome) for n in begin)


def _cuts(net: nx.DiGraph, order: tuple[str, ...], target: str) -> tuple[tuple[str, ...], ...]:
    """All minimum node cuts, or one where there are too many sets to look at."""
    one = nx.minimum_node_cut(net, _SOURCE, target)
    nodes = [n for n in order if n in net and n != target]
    if comb(len(nodes), len(one)) > MOST:
        return (tuple(n for n in nodes if n in one),)
    return tuple(
        s
        for s in combinations(nodes, len(one))
        if not nx.has_path(nx.restricted_view(net, list(s), []), _SOURCE, target)
    )


def _target(graph: ComponentGraph, outcome: str | None) -> str:
    if outcome is None and not graph.outcomes:
        raise GraphError("the graph has no outcome; name the node that paths should lead to")
    target = graph.outcomes[0] if outcome is None else outcome
    graph.ancestors(target)
    return target


def _paired(sets: Sequence[Sequence[str]], effect: np.ndarray, cluster: Sequence[str]) -> Paired:
    n, zero = effect.shape[1], np.zeros_like(effect)
    code = np.unique(list(cluster), return_inverse=True)[1]
    names = tuple(map(" & ".join, sets))
    return Paired("", Kind.REAL, names, zero, effect, effect, zero == 0, zero, np.arange(n), code, np.zeros(n, int))
