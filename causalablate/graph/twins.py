"""Signed changes of every node under every single lesion, by exact replay: what twin regression is fitted to."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from causalablate.examples import ExampleSet
from causalablate.graph.computational import computational_graph
from causalablate.graph.slopes import Twins
from causalablate.graph.transfer import off_of, running
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.progress import progress_bar
from causalablate.replay import Replay
from causalablate.table import effect_of

__all__ = ["Twins", "twins"]


def twins(
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
) -> Twins:
    """Switch every component off in turn, and note by how much each of the others changes, with its sign.

    A component of one number per example changes by that; of a vector, by the mean over its features. Means are no
    closed causal system unless the model treats them as one: `TwinRegression.residual` says how far from it they are.

    Args:
        model: Any model.
        examples: Whom to ask.
        nodes: Addresses and globs; by default the high-level components.
        off: How the components are off; or by address or glob, the last that matches counts.
        outcomes: Names of outcomes.
        reference: Example set over which mean, resample and noise are defined.
        context: A lesion that is on in both worlds; its own components are no nodes then.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
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
    rows = slice(0, len(examples))
    replay.prepare(single)
    factual = replay.counterfactual(world, rows).values if len(world) else replay.factual(rows)
    change = np.zeros((len(alive), len(alive) + len(outcomes), len(examples)), np.float32)
    with progress_bar("changes of components", 2 * len(alive), quiet=quiet) as advance:
        components = [model.components[node] for node in alive]
        for i, (_, changes) in enumerate(replay.measured(single, components, rows, _difference, beside=world)):
            change[i, : len(alive)] = [changes[node] for node in alive]
            advance(1, alive[i])
        row = {lesion: i for i, lesion in enumerate(single)}
        for lesion, there in replay.worlds(single, rows):
            change[row[lesion], len(alive) :] = [
                effect_of(factual[o], there.values[o], o in replay.categorical) for o in outcomes
            ]
            advance(1, alive[row[lesion]])
    name = world.name if len(world) else ""
    units = replay.units
    return Twins(graph, alive, (*alive, *outcomes), change, tuple(units.example), tuple(units.cluster), name)


def _difference(there: Tensor, here: Tensor) -> Tensor:
    return (there - here).mean(dim=1)
