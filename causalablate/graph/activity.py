"""How active components are, example by example: tables for methods that are given data only."""

from collections.abc import Callable, Sequence

import pandas as pd
from torch import Tensor

from causalablate.errors import GraphError, nearest
from causalablate.examples import ExampleSet
from causalablate.graph.nodes import high_level
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.progress import progress_bar
from causalablate.replay import Replay

SUMMARIES: dict[str, Callable[[Tensor], Tensor]] = {
    "norm": lambda x: x.norm(dim=1),
    "mean": lambda x: x.mean(dim=1),
}
"""What becomes of all that a component says about an example, shape (examples, features) -> (examples,)."""


def activity(
    model: Model,
    examples: ExampleSet,
    nodes: Sequence[str] | str | None = None,
    *,
    summary: str = "norm",
    outcomes: Sequence[str] = (),
    lesions: Sequence[str] = (),
    off: OffSpec = "mean",
    reference: ExampleSet | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> pd.DataFrame:
    """One number per component and example, in the factual run and under lesions.

    A summary of a vector loses most of it: components that act on each other through what the summary drops look
    unconnected, and the others connected past each other. Components of one number lose nothing.

    Args:
        model: Any model.
        examples: Whom to ask.
        nodes: Addresses and globs; by default the high-level components.
        summary: `norm`, the L2 norm of all sites, calls and positions together, or `mean`, their mean; padding counts
            as zero.
        outcomes: Names of outcomes that get a column each.
        lesions: Addresses of components, each of which is switched off in rows of its own.
        off: How they are off.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
        quiet: Show no progress bar.
    Returns:
        One column per component and outcome. The index has levels `target`, what was off (`""` in the factual run,
        whose rows come first), `example` and `cluster`. A component that did not run is NaN.
    Raises:
        GraphError: The summary is unknown.
        CausalAblateError: Anything asked for that does not exist or does not act.
    """
    if summary not in SUMMARIES:
        raise GraphError(f'no summary "{summary}"{nearest(summary, SUMMARIES)}; there are {", ".join(SUMMARIES)}')
    globs = high_level(model) if nodes is None else [nodes] if isinstance(nodes, str) else nodes
    components = list({c.address: c for glob in globs for c in model.components.select(glob)}.values())
    worlds = {"": Lesion()} | {address: do(address, off=off) for address in lesions}
    replay = Replay(
        model, examples, outcomes=outcomes, reference=reference, seed=seed, batch_size=batch_size, stack=stack
    )
    replay.prepare(worlds.values())
    rows = slice(0, len(examples))
    said = (
        {world: found.values for world, found in replay.sweep(list(worlds.values()), rows).items()} if outcomes else {}
    )

    def measure(there: Tensor, beside: Tensor) -> Tensor:
        return SUMMARIES[summary](there)

    parts, index = {}, [replay.units.example, replay.units.cluster]
    with progress_bar("activity", len(worlds), quiet=quiet) as advance:
        measured = replay.measured(list(worlds.values()), components, rows, measure)
        for target, (world, values) in zip(worlds, measured, strict=True):
            parts[target] = pd.DataFrame(values | said.get(world, {}), index=index, dtype=float)
            advance(1, target)
    return pd.concat(parts, names=["target", "example", "cluster"])
