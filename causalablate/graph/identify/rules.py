"""The three rules of the do-calculus, each checked on a graph."""

from dataclasses import dataclass

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.effect import query
from causalablate.graph.identify.separation import Names, named, open_path


@dataclass(frozen=True)
class RuleCheck:
    """Whether one rule applies, and what licenses it.

    Attributes:
        rule: 1: an observation may be added or dropped; 2: do and see are the same; 3: an action may be added or
            dropped.
        applies: Whether the graph licenses it.
        statement: The equation, e.g. `P(y | do(x), z) = P(y | do(x))`; where the rule does not apply it need not hold.
        mutilated: The graph in which the separation is asked.
        cut: Which arrows that graph lacks.
        separation: What has to be separated, e.g. `y ⟂ z | x`.
        open_path: A path that is open where the rule does not apply; empty where it does.
    """

    rule: int
    applies: bool
    statement: str
    mutilated: CausalGraph
    cut: str
    separation: str
    open_path: str

    def __str__(self) -> str:
        where = f"{self.separation} {self.cut}"
        if self.applies:
            return f"{self.statement}, by rule {self.rule}: {where}"
        return f"rule {self.rule} does not give {self.statement}: not {where}, where {self.open_path} is open"


def rule(graph: CausalGraph, number: int, *, y: Names, z: Names, x: Names = (), w: Names = ()) -> RuleCheck:
    """Check one rule of the do-calculus.

    1. P(y | do(x), z, w) = P(y | do(x), w) if y ⟂ z | x, w without the arrows into x.
    2. P(y | do(x), do(z), w) = P(y | do(x), z, w) if y ⟂ z | x, w without the arrows into x and out of z.
    3. P(y | do(x), do(z), w) = P(y | do(x), w) if y ⟂ z | x, w without the arrows into x and into those z that
       are no ancestors of w.

    Args:
        graph: Who acts on whom, and who shares unobserved causes.
        number: Which rule, 1 to 3.
        y: Outcome or outcomes.
        z: What the rule is about.
        x: What is set on both sides.
        w: What is observed on both sides.
    Returns:
        Whether it applies, with the separation that licenses it or the path that is in the way.
    Raises:
        GraphError: There is no such rule, a node is unknown or in two of the sets, or y or z is empty.

    Source: Pearl (2009), Causality, theorem 3.4.1.
    """
    if number not in (1, 2, 3):
        raise GraphError(f"no rule {number}; the do-calculus has rules 1, 2 and 3")
    if not named(y) or not named(z):
        raise GraphError("y and z name at least one node each; x and w may be empty")
    ys, zs, xs, ws = (_ordered(graph, part) for part in (y, z, x, w))
    under_x = graph.mutilated(xs)
    above = under_x.ancestors(ws)
    into = tuple(n for n in zs if n not in above) if number == 3 else ()
    out_of = zs if number == 2 else ()
    mutilated = under_x.mutilated(into, out_of=out_of)
    path = open_path(mutilated, ys, zs, (*xs, *ws))
    left = query(ys, xs, _merge(graph, zs, ws)) if number == 1 else query(ys, _merge(graph, xs, zs), ws)
    right = query(ys, xs, _merge(graph, zs, ws)) if number == 2 else query(ys, xs, ws)
    given = f" | {', '.join((*xs, *ws))}" if xs or ws else ""
    return RuleCheck(
        number,
        path is None,
        f"{left} = {right}",
        mutilated,
        _cut(_merge(graph, xs, into), out_of),
        f"{', '.join(ys)} ⟂ {', '.join(zs)}{given}",
        path or "",
    )


def _ordered(graph: CausalGraph, nodes: Names) -> tuple[str, ...]:
    graph.check(named(nodes))
    return tuple(n for n in graph.nodes if n in named(nodes))


def _merge(graph: CausalGraph, first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(n for n in graph.nodes if n in first or n in second)


def _cut(into: tuple[str, ...], out_of: tuple[str, ...]) -> str:
    parts = [f"{side} {', '.join(nodes)}" for side, nodes in (("into", into), ("out of", out_of)) if nodes]
    return f"without the arrows {' and '.join(parts)}" if parts else "in the graph as it is"
