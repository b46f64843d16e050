"""The opponent that only watches: a structural model by dowhy.gcm, fitted on factual activity."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from causalablate.graph.abstraction.fitted import halves
from causalablate.graph.abstraction.values import PairWorlds


def observational(worlds: PairWorlds, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Counterfactuals of a model of the same graph that has seen no lesion.

    Each component is one number, its mean activation; every node is a linear function of its parents plus noise, fitted
    on half of the examples; lesions set nodes to what they say when they are off. Effects are of the other half, whose
    noise is inferred from their factual run.

    Args:
        worlds: What was measured; no effect of a lesion enters.
        seed: Of the halves; dowhy draws nothing here.
    Returns:
        Effects of single lesions, shape (p, n), and of pairs, shape (m, n).

    Source: Blöbaum et al. (2024), DoWhy-GCM, JMLR 25(147).
    """
    from dowhy import gcm
    from dowhy.gcm.ml import create_linear_regressor

    gcm.config.disable_progress_bars()
    names = worlds.nodes
    table = pd.DataFrame({**dict(zip(names, worlds.activity, strict=True)), worlds.outcome: worlds.factual})
    graph = worlds.found.graph.networkx().subgraph([*names, worlds.outcome]).copy()  # dowhy writes into it
    off = np.concatenate([np.eye(len(names), dtype=bool), _sets(worlds.pairs, len(names))])
    found = np.full((len(off), len(worlds.factual)), np.nan)
    half = halves(worlds, seed)
    for here in (half, ~half):
        model = gcm.InvertibleStructuralCausalModel(graph.copy())
        for node in graph:
            roots = not list(graph.predecessors(node))
            mechanism = gcm.EmpiricalDistribution() if roots else gcm.AdditiveNoiseModel(create_linear_regressor())
            model.set_causal_mechanism(node, mechanism)
        gcm.fit(model, table[here])
        asked = table[~here].reset_index(drop=True)
        rows = pd.concat([asked] * len(off), ignore_index=True)
        does = {
            name: _in_order(np.repeat(off[:, k], len(asked)), np.tile(worlds.activity_off[k, ~here], len(off)))
            for k, name in enumerate(names)
        }
        there = gcm.counterfactual_samples(model, does, observed_data=rows)[worlds.outcome] - rows[worlds.outcome]
        found[:, ~here] = there.to_numpy().reshape(len(off), -1)
    return found[: len(names)], found[len(names) :]


def _sets(pairs: np.ndarray, p: int) -> np.ndarray:
    """Pairs of rows as sets, bool, shape (m, p)."""
    return np.asarray((pairs[:, :, None] == np.arange(p)).any(axis=1))


def _in_order(off: np.ndarray, values: np.ndarray) -> Callable[[float], float]:
    """An intervention on rows, which dowhy goes through one by one: where it is off the value, else what is there."""
    left = iter(zip(off, values, strict=True))

    def does(said: float) -> float:
        is_off, value = next(left)
        return float(value) if is_off else said

    return does
