"""What predictions start from, and the truth about pairs: measured by exact replay."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import networkx as nx
import numpy as np
import torch
from torch import Tensor

from causalablate import outcome as outcomes_of
from causalablate.errors import GraphError
from causalablate.examples import ExampleSet
from causalablate.graph.abstraction.values import PairWorlds
from causalablate.graph.matrices import Transfer
from causalablate.graph.transfer import off_of, transfer
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.progress import progress_bar
from causalablate.replay import Replay


def measure_pairs(
    model: Model,
    examples: ExampleSet,
    nodes: Sequence[str] | str | None = None,
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    outcome: str = "answer_logprob",
    n_pairs: int | None = None,
    reference: ExampleSet | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> PairWorlds:
    """Run every lesion by itself, and pairs of them.

    Args:
        model: Any model.
        examples: Whom to ask.
        nodes: Addresses and globs; by default the high-level components.
        off: How components are off; or by address or glob, the last that matches counts. Kinds that put something in
            the place of the activation (mean, zero, resample, value): what is undone is not defined for others.
        outcome: Name of the outcome.
        n_pairs: Draw this many pairs at random; by default all.
        reference: Example set over which mean and resample are defined.
        seed: Of the draw, of donors and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
        quiet: Show no progress bar.
    Raises:
        GraphError: The outcome is a category, or there are too few components or pairs.
        CausalAblateError: Anything else asked for that does not exist or does not act.
    """
    if outcomes_of.outcome(outcome).categorical:
        raise GraphError(f'"{outcome}" is a category, whose effects do not add up; take correct, or a log-probability')
    found = transfer(
        model,
        examples,
        nodes,
        off=off,
        outcomes=[outcome],
        reference=reference,
        seed=seed,
        batch_size=batch_size,
        stack=stack,
        quiet=quiet,
    )
    p = len(found.sources)
    pairs = _drawn(p, n_pairs, seed)
    replay = Replay(
        model, examples, outcomes=[outcome], reference=reference, seed=seed, batch_size=batch_size, stack=stack
    )
    single = [do(node, off=off_of(node, off, model)) for node in found.sources]
    both = [single[i] & single[j] for i, j in pairs]
    row, rows = {lesion: k for k, lesion in enumerate(both)}, slice(0, len(examples))
    replay.prepare(single)
    factual, joint = replay.factual(rows)[outcome].astype(float), np.empty((len(pairs), len(examples)))
    with progress_bar("pairs of lesions", len(both), quiet=quiet) as advance:
        for lesion, there in replay.worlds(both, rows):
            joint[row[lesion]] = there.values[outcome] - factual
            advance(1, "")
    components = [model.components[node] for node in found.sources]
    off_all = Lesion(tuple(part for lesion in single for part in lesion.parts))

    def table(lesions: Sequence[Lesion], beside: Lesion) -> np.ndarray:
        measured = replay.measured(lesions, components, rows, _compared, beside=beside)
        return np.array([[said[node] for node in found.sources] for _, said in measured], dtype=float)

    distance, said = table(single, off_all)[..., 0], table([Lesion(), off_all], Lesion())[..., 1]
    return PairWorlds(
        found,
        outcome,
        factual,
        found.total[:, p].astype(float),
        pairs,
        joint,
        _undone(found.total[:, :p].astype(float), distance),
        *_relations(found, pairs, outcome),
        *said,
    )


def _undone(changed: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Projections from lengths alone: e.d / |d|^2 = (|e|^2 + |d|^2 - |e - d|^2) / 2|d|^2.

    Args:
        changed: |e|, how far each lesion moves each component, shape (p, p, n).
        distance: |e - d|, how far it then is from what it says when it is off itself.
    """
    own = np.diagonal(changed).T[None] ** 2
    along = (changed**2 + own - distance**2) / 2
    found = np.divide(along, own, out=np.zeros_like(along), where=own > 0)
    return np.where(changed == 0, 0.0, np.nan_to_num(found))


def _relations(found: Transfer, pairs: np.ndarray, outcome: str) -> tuple[np.ndarray, np.ndarray]:
    graph, names = found.graph.networkx(), found.sources
    behind = {name: nx.descendants(graph, name) for name in names}
    cut = {name: nx.ancestors(nx.restricted_view(graph, [name], []), outcome) for name in names}
    dominated = [names[i] not in cut[names[j]] for i, j in pairs]
    return np.array(dominated, bool), np.array([names[j] in behind[names[i]] for i, j in pairs], bool)


def _drawn(p: int, n_pairs: int | None, seed: int) -> np.ndarray:
    every = np.array(list(combinations(range(p), 2))).reshape(-1, 2)
    asked = len(every) if n_pairs is None else n_pairs
    if p < 2 or not 0 < asked <= len(every):
        raise GraphError(f"{asked} pairs of {p} components; there are {len(every)}, of which at least one is needed")
    return every[np.sort(np.random.default_rng(seed).permutation(len(every))[:asked])]


def _compared(there: Tensor, here: Tensor) -> Tensor:
    """Length of the change, and the mean of what is said there."""
    return torch.stack(((there - here).norm(dim=1), there.mean(dim=1)), dim=1)
