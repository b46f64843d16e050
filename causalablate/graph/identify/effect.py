"""Whether P(y | do(x), given) follows from what was observed, and by which formula: the ID algorithm."""

from collections.abc import Mapping
from dataclasses import dataclass

from causalablate.errors import GraphError
from causalablate.graph.identify.algebra import conditionals, product, ratio, sum_over
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.estimand import Estimand, P, free, text
from causalablate.graph.identify.separation import Names, named, separated


@dataclass(frozen=True)
class Hedge:
    """Why an effect is not identified: two models agree on all that can be observed, and differ in the effect.

    Both sets are joined by unobserved causes throughout; the treatment is in the larger alone.

    Attributes:
        larger: Nodes of the first set.
        smaller: Nodes of the second, part of the first, from which the outcome follows.
    """

    larger: tuple[str, ...]
    smaller: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"unobserved causes join {{{', '.join(self.larger)}}} throughout, and {{{', '.join(self.smaller)}}} also "
            "without the treatment: a hedge. Observe one of these causes, or what they act through"
        )


@dataclass(frozen=True)
class Identification:
    """The answer for one effect.

    Attributes:
        x: What is set.
        y: Outcome.
        given: What is conditioned on.
        estimand: The formula; None where there is none.
        hedge: Why there is none; None where there is one.
    """

    x: tuple[str, ...]
    y: tuple[str, ...]
    given: tuple[str, ...]
    estimand: Estimand | None
    hedge: Hedge | None

    @property
    def identified(self) -> bool:
        """Whether there is a formula."""
        return self.estimand is not None

    @property
    def query(self) -> str:
        """What was asked, e.g. `P(y | do(x))`."""
        return query(self.y, self.x, self.given)

    @property
    def any_value(self) -> tuple[str, ...]:
        """Other nodes in the formula: it says the same at each of their values."""
        if self.estimand is None:
            return ()
        return tuple(sorted(free(self.estimand) - {*self.x, *self.y, *self.given}))

    @property
    def latex(self) -> str:
        """The formula, for LaTeX; empty where there is none."""
        return "" if self.estimand is None else text(self.estimand, (*self.x, *self.y, *self.given), latex=True)

    def __str__(self) -> str:
        if self.estimand is None:
            return f"{self.query} is not identified: {self.hedge}"
        rest = f", at any value of {', '.join(self.any_value)}" if self.any_value else ""
        return f"{self.query} = {text(self.estimand, (*self.x, *self.y, *self.given))}{rest}"


def query(y: tuple[str, ...], x: tuple[str, ...] = (), given: tuple[str, ...] = ()) -> str:
    """A probability under do, as text."""
    behind = [*(f"do({node})" for node in x), *given]
    return f"P({', '.join(y)}{' | ' if behind else ''}{', '.join(behind)})"


def identify(graph: CausalGraph, x: Names, y: Names, given: Names = ()) -> Identification:
    """Express the effect of setting x on y by what was observed, or say what is in the way.

    The algorithm is complete: where it finds no formula, there is none without assumptions beyond the graph.

    Args:
        graph: Who acts on whom, and who shares unobserved causes.
        x: Node or nodes that are set.
        y: Outcome or outcomes.
        given: Nodes conditioned on.
    Raises:
        GraphError: A node is unknown or has two roles, or there is no outcome.

    Source: Shpitser & Pearl (2006), AAAI; with `given`, Shpitser & Pearl (2006), UAI.
    """
    first, outcome, behind = named(x), named(y), named(given)
    graph.check((*first, *outcome, *behind))
    if not outcome:
        raise GraphError("no outcome: say which node the effect is on")
    if both := (first & outcome) | (first & behind) | (outcome & behind):
        raise GraphError(f"{min(both)} has two roles; a node is treatment, outcome or given")
    do, see = first, behind
    for node in graph.order:
        if node in see and separated(graph.mutilated(do, out_of={node}), node, outcome, (do | see) - {node}):
            do, see = do | {node}, see - {node}
    found = _identify(outcome | see, do, _Known(graph, graph.order, None))
    xs, ys, ws = (tuple(n for n in graph.order if n in part) for part in (first, outcome, behind))
    if isinstance(found, Hedge):
        return Identification(xs, ys, ws, None, found)
    estimand = ratio(found, sum_over(ys, [found])) if see else found
    return Identification(xs, ys, ws, estimand, None)


@dataclass(frozen=True)
class _Known:
    """A distribution over the nodes of a graph, by a factor for each node given those before it."""

    graph: CausalGraph
    order: tuple[str, ...]
    """Of the whole graph, so that all parts of a formula use one."""
    derived: Mapping[str, Estimand] | None
    """None: the observed distribution, or a margin of it."""

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(n for n in self.order if n in self.graph.nodes)

    @property
    def factors(self) -> dict[str, Estimand]:
        if self.derived is not None:
            return dict(self.derived)
        return {node: self._observed(node, self.nodes[: i + 1]) for i, node in enumerate(self.nodes)}

    def _observed(self, node: str, upto: tuple[str, ...]) -> Estimand:
        """P(node | those before it), without those on which it does not depend: Richardson (2003), 3.1."""
        part = self.graph.over(upto)
        district = next(d for d in part.districts() if node in d)
        blanket = district | part.parents(district)
        return P((node,), tuple(n for n in upto if n in blanket and n != node))

    def only(self, nodes: frozenset[str]) -> "_Known":
        """A factor of the distribution: the effect of all other nodes on these."""
        return _Known(self.graph.over(nodes), self.order, {n: f for n, f in self.factors.items() if n in nodes})

    def margin(self, nodes: frozenset[str]) -> "_Known":
        """Other nodes summed out; no node that stays may be an effect of them."""
        derived = None if self.derived is None else conditionals(self.nodes, self.factors, nodes)
        return _Known(self.graph.over(nodes), self.order, derived)


def _identify(y: frozenset[str], x: frozenset[str], known: _Known) -> Estimand | Hedge:
    """The seven lines of the algorithm, in its order."""
    graph, nodes = known.graph, frozenset(known.graph.nodes)
    if not x:
        if known.derived is None:
            return P(tuple(n for n in known.nodes if n in y))
        return product(_joint(known.margin(y), y))
    if (above := graph.ancestors(y)) != nodes:
        return _identify(y, x & above, known.margin(above))
    if idle := nodes - x - graph.mutilated(x).ancestors(y):
        return _identify(y, x | idle, known)
    districts = graph.over(nodes - x).districts()
    if len(districts) > 1:
        parts = []
        for district in districts:
            if isinstance(part := _identify(district, nodes - district, known), Hedge):
                return part
            parts.append(part)
        return sum_over([n for n in known.nodes if n not in y | x], parts)
    (district,) = districts
    around = next(d for d in graph.districts() if district <= d)
    if around == nodes:
        return Hedge(*(tuple(n for n in known.nodes if n in part) for part in (nodes, district)))
    if around == district:
        return sum_over([n for n in known.nodes if n in district - y], _joint(known, district))
    return _identify(y, x & around, known.only(around))


def _joint(known: _Known, nodes: frozenset[str]) -> list[Estimand]:
    return [known.factors[n] for n in known.nodes if n in nodes]
