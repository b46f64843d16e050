"""Edges that sleep while everything works: direct effects once more, in the context of other lesions."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from causalablate.effects.corrections import benjamini_hochberg
from causalablate.effects.kinds import Kind
from causalablate.effects.one_sided import p_above
from causalablate.examples import ExampleSet
from causalablate.graph.computational import computational_graph
from causalablate.graph.edges import component_graph
from causalablate.graph.network import ComponentGraph
from causalablate.graph.thresholds import as_paired
from causalablate.graph.transfer import off_of, running, transfer
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.progress import progress_bar
from causalablate.replay import Replay
from causalablate.table import effect_of

FEW = 12
"""Nodes up to which each of them is a context; beyond, pairs of lesions say which are worth it."""

MOST = 8
"""Contexts that pairs may propose."""

ALPHA = 0.05
"""False discovery rate among the pairs that propose contexts."""


def dormant_edges(
    model: Model,
    examples: ExampleSet,
    nodes: Sequence[str] | str | None = None,
    contexts: Sequence[Lesion] | None = None,
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    outcomes: Sequence[str] = ("answer_logprob",),
    reference: ExampleSet | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> ComponentGraph:
    """The graph of the factual run, and what wakes when something is off: backups, and what stands in for others.

    Args:
        model: Any model.
        examples: Whom to ask.
        nodes: Addresses and globs; by default the high-level components.
        contexts: Lesions under which to look too. By default every node's where they are few, else those of
            `contexts_of` for the first outcome.
        off: How the components are off; or by address or glob, the last that matches counts.
        outcomes: Names of outcomes.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise, permutations and resamples.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
        quiet: Show no progress bar.
    Returns:
        `component_graph` of all contexts: an edge that the factual run shows is `direct`, one that it does not show is
        `dormant`, with the context in which it is strongest.
    Raises:
        CausalAblateError: Anything asked for that does not exist or does not act.
    """
    measure = partial(
        transfer, model, examples, nodes, off=off, outcomes=outcomes, reference=reference, seed=seed,
        batch_size=batch_size, stack=stack, quiet=quiet,
    )  # fmt: skip
    found = measure()
    if contexts is None and len(found.sources) <= FEW:
        contexts = [do(node, off=off_of(node, off, model)) for node in found.sources]
    elif contexts is None:
        pairs = pair_excess(
            model, examples, nodes, off=off, outcome=outcomes[0], reference=reference, seed=seed,
            batch_size=batch_size, stack=stack, quiet=quiet,
        )  # fmt: skip
        contexts = [do(node, off=off_of(node, off, model)) for node in contexts_of(pairs)]
    return component_graph(found, [measure(context=context, totals=False) for context in contexts], seed=seed)


def pair_excess(
    model: Model,
    examples: ExampleSet,
    nodes: Sequence[str] | str | None = None,
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    outcome: str = "answer_logprob",
    reference: ExampleSet | None = None,
    seed: int = 0,
    batch_size: int = 64,
    stack: int | None = None,
    quiet: bool = True,
) -> pd.DataFrame:
    """By how much two lesions together do more than the sum of each, for all pairs of nodes.

    Where one stands in for the other, each lesion alone does little. A pair shows that which one-at-a-time designs
    cannot.

    Args:
        model: Any model.
        examples: Whom to ask.
        nodes: Addresses and globs; by default the high-level components.
        off: How the components are off; or by address or glob, the last that matches counts.
        outcome: Name of the outcome.
        reference: Example set over which mean, resample and noise are defined.
        seed: Seed of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass.
        quiet: Show no progress bar.
    Returns:
        One row per pair, largest excess first: `first`, `second`; `joint`: mean effect of both on the outcome;
        `excess`: mean of |joint effect| - |sum of the single effects|; `p`: of its being at most zero, cluster-robust
        t or, where it is the same in all clusters, sign test; `p_bh`.
    Raises:
        CausalAblateError: Anything asked for that does not exist or does not act.

    Source: McGrath et al. (2023), The Hydra Effect, for backups that single lesions miss.
    """
    alive = running(computational_graph(model, examples, nodes), Lesion(), model)
    single = [do(node, off=off_of(node, off, model)) for node in alive]
    pairs = list(combinations(range(len(alive)), 2))
    lesions = [*single, *(single[i] & single[j] for i, j in pairs)]
    replay = Replay(
        model, examples, outcomes=[outcome], reference=reference, seed=seed, batch_size=batch_size, stack=stack
    )
    rows = slice(0, len(examples))
    replay.prepare(single)
    factual, effect = replay.factual(rows)[outcome], {}
    with progress_bar("pairs of lesions", len(lesions), quiet=quiet) as advance:
        for lesion, there in replay.worlds(lesions, rows):
            effect[lesion] = effect_of(factual, there.values[outcome], outcome in replay.categorical).astype(float)
            advance(1, lesion.name)
    alone = np.stack([effect[lesion] for lesion in single])
    joint = np.array([effect[single[i] & single[j]] for i, j in pairs]).reshape(len(pairs), len(examples))
    excess = np.abs(joint) - np.abs(np.array([alone[i] + alone[j] for i, j in pairs]).reshape(joint.shape))
    p = p_above(as_paired(excess, replay.units.cluster, Kind.REAL), 0.0, 1 - ALPHA)
    found = pd.DataFrame(
        {
            "first": [alive[i] for i, _ in pairs],
            "second": [alive[j] for _, j in pairs],
            "joint": joint.mean(axis=1),
            "excess": excess.mean(axis=1),
            "p": p,
            "p_bh": benjamini_hochberg(p),
        }
    )
    return found.sort_values("excess", ascending=False, kind="stable", ignore_index=True)


def contexts_of(pairs: pd.DataFrame, most: int = MOST) -> tuple[str, ...]:
    """Nodes whose lesions are worth looking under: those of the pairs that most exceed the sum, strongest first.

    Args:
        pairs: What `pair_excess` found.
        most: How many at most.
    """
    sure = pairs[(pairs["excess"] > 0) & (pairs["p_bh"] < ALPHA)]
    both = (node for pair in zip(sure["first"], sure["second"], strict=True) for node in pair)
    return tuple(dict.fromkeys(both))[:most]
