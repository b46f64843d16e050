"""What to adjust for, what to go through, what to use as an instrument: all minimal answers of a graph."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.separation import Names, minimal_separators, named, open_path, separated


@dataclass(frozen=True)
class Instrument:
    """A node that moves the outcome through the treatment alone.

    Attributes:
        node: Its name.
        given: What has to be adjusted for.
    """

    node: str
    given: tuple[str, ...]


def blocks_back_doors(graph: CausalGraph, x: str, y: str, given: Names) -> str | None:
    """Whether it is enough to adjust for some nodes.

    Args:
        graph: Who acts on whom, and who shares unobserved causes.
        x: Treatment.
        y: Outcome.
        given: The nodes to adjust for.
    Returns:
        None if it is enough, else why not: a descendant of the treatment, or a path that is open.

    Source: Pearl (2009), Causality, 3.3.1.
    """
    _check(graph, x, y)
    if after := sorted(named(given) & graph.descendants({x})):
        return f"{after[0]} comes after {x}"
    path = open_path(graph.mutilated(out_of={x}), x, y, given)
    return None if path is None else f"{path} is open"


def backdoor_sets(graph: CausalGraph, x: str, y: str, *, limit: int = 1000) -> tuple[tuple[str, ...], ...]:
    """All sets that block every back-door path from x to y, and of which no part does; smallest first.

    Args:
        graph: Who acts on whom, and who shares unobserved causes.
        x: Treatment.
        y: Outcome.
        limit: More sets than that are an error.
    Returns:
        Sets in the order of the nodes; `((),)` where nothing has to be adjusted for, `()` where nothing suffices.
    Raises:
        GraphError: A node is unknown, x is y, or there are too many sets.

    Source: Pearl (2009), Causality, 3.3.1; van der Zander, Liskiewicz & Textor (2019), Artif. Intell. 270.
    """
    _check(graph, x, y)
    allowed = set(graph.nodes) - graph.descendants({x}) - {y}
    separators = minimal_separators(graph.mutilated(out_of={x}), x, y, allowed)
    return _in_order(graph, separators, limit, f"back-door sets of {x} and {y}")


def frontdoor_sets(graph: CausalGraph, x: str, y: str, *, largest: int = 3) -> tuple[tuple[str, ...], ...]:
    """All sets through which the whole effect of x on y goes, unconfounded, and of which no part is such a set.

    Every directed path goes through the set; no back-door path from x to it is open; x blocks every one from it to y.

    Args:
        graph: Who acts on whom, and who shares unobserved causes.
        x: Treatment.
        y: Outcome.
        largest: Sets of more nodes are not looked for.
    Returns:
        Sets in the order of the nodes, smallest first; none where x does not act on y.
    Raises:
        GraphError: A node is unknown, or x is y.

    Source: Pearl (2009), Causality, 3.3.2.
    """
    _check(graph, x, y)
    if y not in graph.descendants({x}):
        return ()
    between = (graph.descendants({x}) & graph.ancestors({y})) - {x, y}
    behind = graph.mutilated(out_of={x})
    nodes = [n for n in graph.nodes if n in between and separated(behind, x, n)]
    found: list[tuple[str, ...]] = []
    for size in range(1, largest + 1):
        for some in combinations(nodes, size):
            if not any(set(f) <= set(some) for f in found) and _is_front_door(graph, x, y, some):
                found.append(some)
    return tuple(found)


def instruments(graph: CausalGraph, x: str, y: str) -> tuple[Instrument, ...]:
    """Nodes that depend on x and, were it not for x, would tell nothing of y, given a minimal set of others.

    With an instrument the effect follows where effects are linear and the same for all; without such an assumption
    it has bounds at most.

    Args:
        graph: Who acts on whom, and who shares unobserved causes.
        x: Treatment.
        y: Outcome.
    Returns:
        One for each node that is an instrument, with the smallest set found to adjust for.
    Raises:
        GraphError: A node is unknown, or x is y.

    Source: Brito & Pearl (2002), UAI; van der Zander, Textor & Liskiewicz (2015), IJCAI.
    """
    _check(graph, x, y)
    behind = graph.mutilated(out_of={x})
    before = set(graph.nodes) - graph.descendants({x}) - {y}
    found = []
    for node in (n for n in graph.nodes if n in before):
        sets = islice(minimal_separators(behind, node, y, before - {node}), 100)
        for given in sorted(sets, key=lambda s: (len(s), [n in s for n in graph.nodes][::-1])):
            if not given & graph.descendants({node}) and not separated(behind, node, x, given):
                found.append(Instrument(node, tuple(n for n in graph.nodes if n in given)))
                break
    return tuple(found)


def _is_front_door(graph: CausalGraph, x: str, y: str, through: tuple[str, ...]) -> bool:
    cut = graph.over(set(graph.nodes) - set(through))
    if y in cut.descendants({x}):
        return False
    # A path from one of the set that passes another of it is counted for that other.
    return separated(graph.mutilated(out_of=through), set(through), y, {x})


def _in_order(graph: CausalGraph, sets: Iterator[frozenset[str]], limit: int, what: str) -> tuple[tuple[str, ...], ...]:
    found = [tuple(n for n in graph.nodes if n in s) for s in islice(sets, limit + 1)]
    if len(found) > limit:
        raise GraphError(f"more than {limit} {what}; ask for more with limit=...")
    return tuple(sorted(found, key=lambda s: (len(s), [graph.nodes.index(n) for n in s])))


def _check(graph: CausalGraph, x: str, y: str) -> None:
    graph.check((x, y))
    if x == y:
        raise GraphError(f"{x} is both treatment and outcome; an effect joins two nodes")
