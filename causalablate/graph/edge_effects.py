"""What of an effect goes over each edge of a graph: one run of nested worlds per edge, where paths are too many."""

from causalablate.examples import ExampleSet
from causalablate.graph.measuring import measured_worlds
from causalablate.graph.network import ComponentGraph
from causalablate.graph.path_effects import PathEffects, check_outcome, frame_of
from causalablate.graph.paths import edge_lesion, edges_between
from causalablate.intervention import OffSpec, do
from causalablate.models import Model


def edge_effects(
    model: Model,
    examples: ExampleSet,
    graph: ComponentGraph,
    treatment: str,
    outcome: str,
    *,
    off: OffSpec = "mean",
    reference: ExampleSet | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> PathEffects:
    """How much of a total effect goes over each edge between treatment and outcome.

    The target of the edge sees its source as the treatment makes it, and all other nodes as in the factual run; what it
    then says goes on by all ways. In a linear model that is the sum over the paths through the edge, and the edges of
    any cut sum to the total effect. It takes a few runs per edge where paths may be too many.

    Args:
        model: Any model.
        examples: Whom to ask.
        graph: Over components of the model.
        treatment: The node that is off.
        outcome: As for `path_effects`.
        off: How the treatment is off.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
        quiet: Show no progress bar.
    Raises:
        GraphError: A node is unknown, no path leads from the one to the other, or the outcome is no outcome.
        CausalAblateError: Anything else asked for that does not exist or does not act.

    Source: Wang et al. (2023), Interpretability in the Wild, ICLR; Goldowsky-Dill et al. (2023).
    """
    check_outcome(model, graph, outcome)
    edges = edges_between(graph, treatment, outcome)
    total = do(treatment, off=off)
    lesions = {edge: edge_lesion(graph, edge, treatment, off, outcome) for edge in edges}
    worlds = measured_worlds(
        model,
        examples,
        [total, *lesions.values()],
        [outcome],
        total=total,
        reference=reference,
        seed=seed,
        batch_size=batch_size,
        stack=stack,
        quiet=quiet,
    )
    return PathEffects(treatment, outcome, tuple(edges), frame_of(worlds, lesions, total))
