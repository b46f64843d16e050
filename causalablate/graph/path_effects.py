"""What goes along each path from a treatment to an outcome, by nested counterfactuals, exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalablate.errors import GraphError
from causalablate.examples import ExampleSet
from causalablate.graph.decomposition import Worlds, contrast, summarised
from causalablate.graph.measuring import check_outcomes, measured_worlds
from causalablate.graph.network import ComponentGraph
from causalablate.graph.paths import Path, all_paths, check_path, path_lesion
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model

TOTAL = "total"
REMAINDER = "remainder"


@dataclass(frozen=True)
class PathEffects:
    """A total effect and what of it goes along paths or edges, example by example.

    Attributes:
        treatment: The node that is off.
        outcome: The node that answers.
        paths: Whose effects these are; edges are paths of two nodes.
        frame: One row per path and example: the columns of a table of counterfactuals, and `path`: `a -> b -> outcome`,
            or `total`; for paths also `remainder`, the total effect minus the sum of the path effects. `change_norm` is
            the L2 norm of the change at the last component of the path, or at the target of an edge: 0 where nothing
            gets there.
    """

    treatment: str
    outcome: str
    paths: tuple[Path, ...]
    frame: pd.DataFrame

    def summary(self, *, level: float = 0.95) -> pd.DataFrame:
        """One row per path and group: its mean effect with a clustered interval, and its share of the total effect.

        Args:
            level: Two-sided coverage of the intervals, in (0.5, 1).
        """
        return summarised(self.frame, ("path",), whole=TOTAL, sums=[REMAINDER], level=level)


def path_effects(
    model: Model,
    examples: ExampleSet,
    graph: ComponentGraph,
    treatment: str,
    outcome: str,
    paths: Sequence[Sequence[str]] | None = None,
    *,
    off: OffSpec = "mean",
    limit: int = 200,
    reference: ExampleSet | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> PathEffects:
    """Switch a node off along one path at a time, and see how much of the total effect that is.

    Along treatment -> a -> outcome, a alone gets to know that the treatment is off, and the outcome alone what a makes
    of it; every other node of the graph says what it says in the factual run. In a linear model the effects of all
    paths sum to the total effect. The remainder is what is more, or less: paths that interact where they meet; and,
    where only some paths were asked for, the others.

    Args:
        model: Any model.
        examples: Whom to ask.
        graph: Over components of the model, e.g. `computational_graph(model, examples, nodes, outcomes=[outcome])`.
        treatment: The node that is off.
        outcome: A node that names an outcome, or a component, which then counts as in `mediate`.
        paths: Each as nodes from the treatment to the outcome; by default all paths.
        off: How the treatment is off.
        limit: Most paths of a graph, where all are asked for.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass; 1 for one forward each, where a path that carries nothing has an effect of
            zero to the bit.
        quiet: Show no progress bar.
    Raises:
        GraphError: A node is unknown, a path is none, there are too many, or the outcome is no outcome.
        CausalAblateError: Anything else asked for that does not exist or does not act.

    Source: Pearl (2001), Direct and Indirect Effects, UAI; Avin, Shpitser & Pearl (2005), IJCAI.
    """
    check_outcome(model, graph, outcome)
    if paths is None:
        chosen = all_paths(graph, treatment, outcome, limit=limit)
    else:
        chosen = list(dict.fromkeys(check_path(graph, path, treatment, outcome) for path in paths))
    if not chosen:
        raise GraphError(f"no paths: give some from {treatment} to {outcome}, or leave paths out for all of them")
    total, lesions = do(treatment, off=off), {path: path_lesion(graph, path, off) for path in chosen}
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
    frame = frame_of(worlds, lesions, total)
    along = sum((worlds.values[lesion] - worlds.factual for lesion in lesions.values()), worlds.factual)
    rest = contrast(worlds, REMAINDER, along, worlds.values[total], worlds.change_norm[total])
    frame = pd.concat([frame, rest.assign(path=REMAINDER)], ignore_index=True)
    return PathEffects(treatment, outcome, tuple(chosen), frame)


def check_outcome(model: Model, graph: ComponentGraph, outcome: str) -> None:
    """Raise where the outcome is no node of the graph, or not one that can be measured.

    Raises:
        GraphError: It is no node.
        OutcomeError: It is neither the name of a number nor a component.
    """
    if outcome not in graph.order:
        raise GraphError(
            f'{outcome} is no node of the graph; make the graph with outcomes=["{outcome}"], or with it among the nodes'
        )
    check_outcomes(model, [outcome])


def frame_of(worlds: Worlds, lesions: dict[Path, Lesion], total: Lesion) -> pd.DataFrame:
    """The rows of the total effect and of each path, see `PathEffects`."""
    parts = [_row(worlds, TOTAL, total, worlds.change_norm[total])]
    for path, lesion in lesions.items():
        *_, last = (node for node in path if node in worlds.changes[lesion])
        parts.append(_row(worlds, " -> ".join(path), lesion, worlds.changes[lesion][last]))
    return pd.concat(parts, ignore_index=True)


def _row(worlds: Worlds, name: str, lesion: Lesion, change_norm: np.ndarray) -> pd.DataFrame:
    return contrast(worlds, name, worlds.factual, worlds.values[lesion], change_norm).assign(path=name)
