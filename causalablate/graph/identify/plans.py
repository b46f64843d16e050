"""How an effect can be estimated from a table of runs, and what is in the way."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.effect import Identification
from causalablate.graph.identify.linear import Plan, fit
from causalablate.graph.identify.overlap import overlap
from causalablate.graph.identify.separation import separated
from causalablate.graph.identify.sets import backdoor_sets, frontdoor_sets, instruments

WEAK = 10
"""An instrument with F below is weak: Staiger & Stock (1997), Econometrica 65(3)."""


def plans(graph: CausalGraph, treatment: str, outcome: str, found: Identification) -> Iterator[Plan]:
    """Ways to estimate an effect by regression, the first preferred.

    Args:
        graph: Over columns of the table.
        treatment: One of them.
        outcome: Another.
        found: What the graph says; an instrument comes in only where there is no formula.
    """
    for given in backdoor_sets(graph, treatment, outcome):
        yield Plan("back-door", given)
    for through in frontdoor_sets(graph, treatment, outcome):
        yield Plan("front-door", (), through)
    if not found.identified:
        for instrument in instruments(graph, treatment, outcome):
            yield Plan("instrument", instrument.given, (instrument.node,))


def obstacle(
    plan: Plan, runs: pd.DataFrame, graph: CausalGraph, frame: pd.DataFrame, treatment: str, outcome: str
) -> str:
    """Why a table cannot follow a plan; empty where it can.

    Args:
        plan: Which.
        runs: The whole table.
        graph: Over its columns.
        frame: The rows and columns that the plan uses.
        treatment: The setting.
        outcome: The outcome.
    """
    if len(frame) < 4:
        return f"{len(frame)} runs have all of {', '.join(frame)}; too few"
    if np.ptp(frame[outcome].to_numpy(float)) == 0:
        return f"{outcome} is the same in all {len(frame)} runs"
    if text := [n for n in plan.through if not pd.api.types.is_numeric_dtype(frame[n])]:
        return f"{text[0]} holds no numbers, and the {plan.strategy} needs some"
    if plan.strategy == "back-door":
        return overlap(frame, treatment, plan.given).problem or _together(plan, runs, graph, treatment, outcome)
    if plan.strategy == "front-door":
        free = [(n, (treatment, *(m for m in plan.through if m != n))) for n in plan.through]
        return next((p for n, given in [(treatment, ()), *free] if (p := overlap(frame, n, given).problem)), "")
    (instrument,) = plan.through
    if problem := overlap(frame, instrument, plan.given).problem or overlap(frame, treatment, ()).problem:
        return problem
    strength = fit(plan, frame, treatment, outcome).strength ** 2
    weak = f"{instrument} hardly moves {treatment}: F = {strength:.1f}, and below {WEAK} an instrument is too weak"
    return weak if strength < WEAK else ""


def apart(plan: Plan, graph: CausalGraph, treatment: str, outcome: str) -> tuple[str, ...]:
    """Further causes of the outcome with which, as the graph has it, the setting has nothing to do."""
    if plan.strategy != "back-door":
        return ()
    around = graph.over(set(graph.nodes) - {treatment})
    causes = around.ancestors({outcome}) - graph.descendants({treatment}) - {outcome, *plan.given}
    return tuple(n for n in graph.nodes if n in causes and separated(graph, treatment, n, plan.given))


def _together(plan: Plan, runs: pd.DataFrame, graph: CausalGraph, treatment: str, outcome: str) -> str:
    """Whether one of these always changed with the setting all the same."""
    for other in apart(plan, graph, treatment, outcome):
        found = overlap(runs[[treatment, *plan.given, other]].dropna(), treatment, (*plan.given, other))
        if found.problem and found.left < 1:
            return f"{found.problem}; {other} acts on {outcome} too, and nothing in the graph joins it to {treatment}"
    return ""
