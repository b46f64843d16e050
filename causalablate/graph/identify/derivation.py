"""An effect taken to what was observed, step by step, each step by a rule of the do-calculus."""

from dataclasses import dataclass

from causalablate.graph.identify.algebra import product
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.effect import query
from causalablate.graph.identify.estimand import Estimand, P, Sum, text
from causalablate.graph.identify.rules import RuleCheck, rule
from causalablate.graph.identify.sets import backdoor_sets, frontdoor_sets


@dataclass(frozen=True)
class Step:
    """One equation.

    Attributes:
        statement: The equation.
        check: The rule that gives it; None where probability theory alone does.
    """

    statement: str
    check: RuleCheck | None = None

    def __str__(self) -> str:
        if self.check is None:
            return f"{self.statement}, by the law of total probability"
        return f"{self.statement}, by rule {self.check.rule}: {self.check.separation} {self.check.cut}"


@dataclass(frozen=True)
class Derivation:
    """A proof that an effect is identified.

    Attributes:
        x: What is set.
        y: Outcome.
        steps: Equations, each about a term of those before.
        estimand: What they come to.
    """

    x: str
    y: str
    steps: tuple[Step, ...]
    estimand: Estimand

    def __str__(self) -> str:
        lines = [f"{i}. {step}" for i, step in enumerate(self.steps, 1)]
        end = f"So {query((self.y,), (self.x,))} = {text(self.estimand, (self.x, self.y))}"
        return "\n".join([*lines, end])


def derive(graph: CausalGraph, x: str, y: str) -> Derivation | None:
    """Derive the effect of setting x on y: as none, by a back door, or by a front door, whatever comes first.

    Args:
        graph: Who acts on whom, and who shares unobserved causes.
        x: Treatment.
        y: Outcome.
    Returns:
        The derivation, with the smallest set there is. None where there is no such set; `identify` says whether a
        longer one exists.
    Raises:
        GraphError: A node is unknown, or x is y.

    Source: Pearl (2009), Causality, 3.4.3.
    """
    doors = backdoor_sets(graph, x, y)
    if y not in graph.descendants({x}):
        return Derivation(x, y, (_by(rule(graph, 3, y=y, z=x)),), P((y,)))
    if doors:
        steps, estimand = _back_door(graph, (x,), y, doors[0])
        return Derivation(x, y, tuple(steps), estimand)
    fronts = frontdoor_sets(graph, x, y)
    if not fronts:
        return None
    through = fronts[0]
    behind, second = _back_door(graph, through, y, (x,))
    steps = [
        Step(_total(y, x, through)),
        _by(rule(graph, 2, y=through, z=x)),
        _by(rule(graph, 2, y=y, z=through, x=x), turned=True),
        _by(rule(graph, 3, y=y, z=x, x=through)),
        *behind,
    ]
    return Derivation(x, y, tuple(steps), Sum(through, product([P(through, (x,)), second])))


def _back_door(graph: CausalGraph, do: tuple[str, ...], y: str, given: tuple[str, ...]) -> tuple[list[Step], Estimand]:
    order = tuple(n for n in graph.nodes if n in do or n in given)
    if not given:
        return [_by(rule(graph, 2, y=y, z=do))], P((y,), do)
    left = f"{query((y,), do)} = Σ_{{{', '.join(given)}}} {query((y,), do, given)} {query(given, do)}"
    steps = [Step(left), _by(rule(graph, 2, y=y, z=do, w=given)), _by(rule(graph, 3, y=given, z=do))]
    return steps, Sum(given, product([P((y,), order), P(given)]))


def _total(y: str, x: str, through: tuple[str, ...]) -> str:
    over = ", ".join(through)
    return f"{query((y,), (x,))} = Σ_{{{over}}} {query((y,), (x,), through)} {query(through, (x,))}"


def _by(check: RuleCheck, turned: bool = False) -> Step:
    assert check.applies, f"a door that is none: {check}"
    statement = " = ".join(reversed(check.statement.split(" = "))) if turned else check.statement
    return Step(statement, check)
