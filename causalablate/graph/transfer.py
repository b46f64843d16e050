"""Direct and total effects between components, measured by exact replay: one pass per component and kind of effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from causalablate.counterfactual import LesionedRows, Replay
from causalablate.effects.kinds import Kind, kind_of
from causalablate.examples import ExampleSet
from causalablate.graph.computational import computational_graph
from causalablate.graph.network import ComponentGraph
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.offs import Patch
from causalablate.progress import progress_bar
from causalablate.table import effect_of


@dataclass(frozen=True)
class Transfer:
    """What switching off each component changes in every other one, example by example.

    Attributes:
        graph: The ways that data can take; `order` names the nodes.
        sources: The nodes that were switched off, in order.
        targets: All nodes but those that never run, outcomes last.
        direct: Through no other node, shape (sources, targets, examples): for components the L2 norm of the change, for
            outcomes counterfactual - factual.
        total: By any way, the same shape.
        example: Example ids.
        cluster: Their clusters.
        context: The lesion that was on in both worlds, by name; empty for the factual run.
        sham: The change where nothing was off, which is what measuring itself changes, shape (targets, examples): float
            rounding of forwards that lesions share, zero to the bit with `stack=1`, or the noise of instruments.
            Without it, taken to be zero.
        kinds: What the numbers of each outcome are.
    """

    graph: ComponentGraph
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    direct: np.ndarray
    total: np.ndarray
    example: tuple[str, ...]
    cluster: tuple[str, ...]
    context: str = ""
    sham: np.ndarray | None = None
    kinds: tuple[Kind, ...] = ()


def transfer(
    model: Model,
    examples: ExampleSet,
    nodes: Sequence[str] | str | None = None,
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    outcomes: Sequence[str] = ("answer_logprob",),
    reference: ExampleSet | None = None,
    context: Lesion | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> Transfer:
    """Switch every component off in turn, and see what that changes in each of the others.

    The direct effect of i on j: i is off, every other component says what it says in the factual run, and what j would
    have said is noted before it is overwritten. Without a direct path the change is zero: to the bit with `stack=1`,
    else up to the rounding of rows that share a forward.

    Args:
        model: Any model.
        examples: Whom to ask.
        nodes: Addresses and globs; by default the high-level components.
        off: How the components are off; or by address or glob, the last that matches counts.
        outcomes: Names of outcomes.
        reference: Example set over which mean, resample and noise are defined.
        context: A lesion that is on in both worlds. Backups, whose edges sleep while what they back up works, show
            themselves in the context of its lesion. Its own components are no sources, and no targets.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass; 1 for one forward each, where no path means no change to the bit.
        quiet: Show no progress bar.
    Raises:
        CausalAblateError: Anything asked for that does not exist or does not act.
    """
    graph = computational_graph(model, examples, nodes, outcomes=tuple(outcomes))
    world = context or Lesion()
    taken = {c.address for c, _ in world.resolve(model.components)}
    alive = [
        node
        for node in graph.order
        if node not in graph.notes and node not in outcomes and not {node, node.partition("#")[0]} & taken
    ]
    replay = Replay(
        model, examples, outcomes=outcomes, reference=reference, seed=seed, batch_size=batch_size, stack=stack
    )
    single = {node: world & do(node, off=_off_of(node, off, model)) for node in alive}
    stays = Patch(world.parts)
    frozen = [
        lesion & Lesion(tuple((other, stays) for other in alive if other != node)) for node, lesion in single.items()
    ]
    sham = world & Lesion(tuple((node, stays) for node in alive))
    rows = slice(0, len(examples))
    replay.prepare(single.values())
    factual = replay.counterfactual(world, rows).values if len(world) else replay.factual(rows)
    components = [model.components[node] for node in alive]

    def on_outcomes(there: LesionedRows) -> np.ndarray:
        return np.stack([effect_of(factual[o], there.values[o], o in replay.categorical) for o in outcomes])

    shape = (len(alive), len(alive) + len(outcomes), len(examples))
    direct, total = np.zeros((shape[0] + 1, *shape[1:]), np.float32), np.zeros(shape, np.float32)
    row = {lesion: i for i, lesion in enumerate((*frozen, sham))}
    with progress_bar("direct and total effects", 3 * len(alive) + 1, quiet=quiet) as advance:
        for lesion, there in replay.worlds(list(row), rows):
            i = row[lesion]
            direct[i] = np.concatenate([np.stack([there.changes[node] for node in alive]), on_outcomes(there)])
            advance(1, "sham" if lesion == sham else alive[i])
        lesions = list(single.values())
        for i, (_, changes) in enumerate(replay.measured(lesions, components, rows, _norm, beside=world)):
            for j, node in enumerate(alive):
                total[i, j] = changes[node]
            advance(1, alive[i])
        for lesion, there in replay.worlds(lesions, rows):
            i = lesions.index(lesion)
            total[i, len(alive) :] = on_outcomes(there)
            advance(1, alive[i])
    return Transfer(
        graph,
        tuple(alive),
        (*alive, *outcomes),
        direct[:-1],
        total,
        tuple(replay.units.example),
        tuple(replay.units.cluster),
        world.name if len(world) else "",
        direct[-1],
        tuple(_kind(o, factual[o], total[:, len(alive) + k], replay) for k, o in enumerate(outcomes)),
    )


def _kind(outcome: str, factual: np.ndarray, effects: np.ndarray, replay: Replay) -> Kind:
    return kind_of(outcome, factual, factual + effects, replay.categorical)


def _norm(there: Tensor, here: Tensor) -> Tensor:
    return (there - here).norm(dim=1)


def _off_of(node: str, how: OffSpec | Mapping[str, OffSpec], model: Model) -> OffSpec:
    """The off of one node."""
    if not isinstance(how, Mapping) or "kind" in how:
        return how
    address = node.partition("#")[0]
    here = [how[glob] for glob in how if any(c.address == address for c in model.components.select(glob))]
    return here[-1] if here else "mean"
