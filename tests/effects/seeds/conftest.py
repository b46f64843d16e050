from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from causalablate.table import Counterfactuals, Units, rows


@pytest.fixture
def study() -> Callable[..., Counterfactuals]:
    """A table from effects of shape (lesions, seeds, examples) on a factual world of zeros, or of binary flips."""

    def make(effect, outcome="score", cluster=None, factual=None, labels=None) -> Counterfactuals:
        effect = np.asarray(effect, dtype=float)
        n = effect.shape[2]
        names = [f"e{i}" for i in range(n)]
        units = Units(names, names if cluster is None else [f"c{c}" for c in cluster])
        before = np.linspace(-1, 1, n) if factual is None else np.asarray(factual, dtype=float)
        parts = [
            rows(
                units,
                study="s",
                model="m",
                seed=s,
                lesion=f"l{i}",
                factual={outcome: before},
                counterfactual={outcome: before + effect[i, s]},
                fired=np.ones(n, dtype=bool),
                change_norm=np.ones(n),
                categorical=labels or (),
            )
            for i in range(effect.shape[0])
            for s in range(effect.shape[1])
        ]
        return Counterfactuals(pd.concat(parts, ignore_index=True), labels or {})

    return make
