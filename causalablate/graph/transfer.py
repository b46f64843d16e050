"""Direct and total effects between components, measured by exact replay: one pass per component and kind of effect."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from causalablate.effects.kinds import kind_of
from causalablate.errors import GraphError
from causalablate.examples import ExampleSet
from causalablate.graph.computational import computational_graph
from causalablate.graph.matrices import Transfer
from causalablate.graph.network import ComponentGraph
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.offs import Patch
from causalablate.progress import progress_bar
from causalablate.replay import LesionedRows, Replay
from causalablate.table import effect_of

__all__ = ["Transfer", "transfer"]


def transfer(
    model: Model,
    examples: ExampleSet,
    nodes: Sequence[str] | str | None = None,
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    outcomes: Sequence[str] = ("answer_logprob",),
    reference: ExampleSet | None = None,
    context: Lesion | None = None,
    totals: bool = True,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> Transfer:
    """Switch every component off in turn, and see what that changes in each of the others.

    The direct effect of i on j: i is off, every other component says what it says in the factual run, and what j would
    have said is noted before it is overwritten. Without a direct path the change is zero: to the bit with `stack=1`,
    else up to the rounding of rows that share a forward, of which a sham lesion, everything overwritten and nothing
    off, shows the size.

    Args:
        model: Any model.
        examples: Whom to ask.
        nodes: Addresses and globs; by default the high-level components.
        off: How the components are off; or by address or glob, the last that matches counts.
        outcomes: Names of outcomes.
        reference: Example set over which mean, resample and noise are defined.
        context: A lesion that is on in both worlds. Backups, whose edges sleep while what they back up works, show
            themselves in the context of its lesion. Its own components are no sources, and no targets.
        totals: Measure total effects too; direct ones alone are a third of the work.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass; 1 for one forward each, where no path means no change to the bit.
        quiet: Show no progress bar.
    Raises:
        CausalAblateError: Anything asked for that does not exist or does not act.
    """
    graph = computational_graph(model, examples, nodes, outcomes=tuple(outcomes))
    world = context or Lesion()
    alive = running(graph, world, model)
    replay = Replay(
        model, examples, outcomes=outcomes, reference=reference, seed=seed, batch_size=batch_size, stack=stack
    )
    single = [world & do(node, off=off_of(node, off, model)) for node in alive]
    stays = Patch(world.parts)
    sham = world & Lesion(tuple((node, stays) for node in alive))
    frozen = [
        lesion & Lesion(tuple((other, stays) for other in alive if other != node))
        for node, lesion in zip(alive, single, strict=True)
    ]
    rows = slice(0, len(examples))
    replay.prepare(single)
    factual = replay.counterfactual(world, rows).values if len(world) else replay.factual(rows)

    def on_outcomes(there: LesionedRows) -> list[np.ndarray]:
        return [effect_of(factual[o], there.values[o], o in replay.categorical) for o in outcomes]

    shape = (len(alive), len(alive) + len(outcomes), len(examples))
    direct, total = np.zeros((shape[0] + 1, *shape[1:]), np.float32), np.full(shape, np.nan, np.float32)
    with progress_bar("effects between components", len(alive) * (3 if totals else 1) + 1, quiet=quiet) as advance:
        row = {lesion: i for i, lesion in enumerate((*frozen, sham))}
        for lesion, there in replay.worlds(list(row), rows):
            direct[row[lesion]] = [*(there.changes[node] for node in alive), *on_outcomes(there)]
            advance(1, "sham" if lesion == sham else alive[row[lesion]])
        if totals:
            components = [model.components[node] for node in alive]
            for i, (_, changes) in enumerate(replay.measured(single, components, rows, _norm, beside=world)):
                total[i, : len(alive)] = [changes[node] for node in alive]
                advance(1, alive[i])
            row = {lesion: i for i, lesion in enumerate(single)}
            for lesion, there in replay.worlds(single, rows):
                total[row[lesion], len(alive) :] = on_outcomes(there)
                advance(1, alive[row[lesion]])
    kinds = [
        kind_of(o, factual[o], factual[o] + direct[:-1, k - len(outcomes)], replay.categorical)
        for k, o in enumerate(outcomes)
    ]
    return Transfer(
        graph,
        alive,
        (*alive, *outcomes),
        direct[:-1],
        total,
        tuple(replay.units.example),
        tuple(replay.units.cluster),
        world.name if len(world) else "",
        direct[-1],
        tuple(kinds),
    )


def running(graph: ComponentGraph, world: Lesion, model: Model) -> tuple[str, ...]:
    """The nodes that run and that are no part of a lesion, in order; without outcomes.

    Raises:
        GraphError: There are none.
    """
    taken = {c.address for c, _ in world.resolve(model.components)}
    alive = tuple(
        node
        for node in graph.order
        if node not in graph.notes and node not in graph.outcomes and not {node, _any_time(node)} & taken
    )
    if not alive:
        raise GraphError(
            f"no node is left to switch off: of {', '.join(graph.order)}, all never run or are off in the context"
        )
    return alive


def off_of(node: str, how: OffSpec | Mapping[str, OffSpec], model: Model) -> OffSpec:
    """How a node is off; `mean` where a mapping says nothing of it."""
    if not isinstance(how, Mapping) or "kind" in how:
        return how
    names = {node, _any_time(node)}
    here = [how[glob] for glob in how if any(c.address in names for c in model.components.select(glob))]
    return here[-1] if here else "mean"


def _any_time(node: str) -> str:
    """The component, whenever the forward comes by."""
    return re.sub(r"#\d+", "", node)


def _norm(there: Tensor, here: Tensor) -> Tensor:
    return (there - here).norm(dim=1)
