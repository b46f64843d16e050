"""The opponent that only watches: a structural model by dowhy.gcm, fitted on factual activity."""

import numpy as np
import pandas as pd

from causalablate.graph.abstraction.fitted import halves
from causalablate.graph.abstraction.worlds import PairWorlds


def observational(worlds: PairWorlds, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Counterfactuals of a model of the same graph that has seen no lesion.

    Each component is one number, its mean activation; every node is a linear function of its parents plus noise, fitted
    on half of the examples; lesions set nodes to what they say when they are off. Effects are of the other half, whose
    noise is inferred from their factual run.

    Args:
        worlds: What was measured; no effect of a lesion enters.
        seed: Of the halves and of what dowhy draws.
    Returns:
        Effects of single lesions, shape (p, n), and of pairs, shape (m, n).

    Source: Blöbaum et al. (2024), DoWhy-GCM, JMLR 25(147).
    """
    from dowhy import gcm
    from dowhy.gcm.ml import create_linear_regressor

    gcm.config.disable_progress_bars()
    gcm.util.general.set_random_seed(seed)
    names = worlds.nodes
    table = pd.DataFrame({**dict(zip(names, worlds.activity, strict=True)), worlds.outcome: worlds.factual})
    graph = worlds.found.graph.networkx().subgraph([*names, worlds.outcome]).copy()  # dowhy writes into it
    single, joint = np.full(worlds.single.shape, np.nan), np.full(worlds.joint.shape, np.nan)
    half = halves(worlds, seed)
    for here in (half, ~half):
        model = gcm.InvertibleStructuralCausalModel(graph.copy())
        for node in graph:
            roots = not list(graph.predecessors(node))
            mechanism = gcm.EmpiricalDistribution() if roots else gcm.AdditiveNoiseModel(create_linear_regressor())
            model.set_causal_mechanism(node, mechanism)
        gcm.fit(model, table[here])
        asked = table[~here].reset_index(drop=True)

        def effect(
            off: tuple[int, ...],
            model: gcm.InvertibleStructuralCausalModel = model,
            asked: pd.DataFrame = asked,
            there: np.ndarray = ~here,
        ) -> np.ndarray:
            does = {names[k]: _in_order(worlds.activity_off[k, there]) for k in off}
            found = gcm.counterfactual_samples(model, does, observed_data=asked)
            return np.asarray(found[worlds.outcome] - asked[worlds.outcome])

        for k in range(len(names)):
            single[k, ~here] = effect((k,))
        for row, (i, j) in enumerate(worlds.pairs):
            joint[row, ~here] = effect((int(i), int(j)))
    return single, joint


def _in_order(values: np.ndarray):  # type: ignore[no-untyped-def]
    """An intervention that sets the examples, which dowhy goes through one by one, to these values."""
    left = iter(values)
    return lambda _: next(left)
