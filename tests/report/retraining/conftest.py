"""A comparison with known truth: what lesions and retraining cost, and what the parameters alone do."""

import numpy as np
import pandas as pd
import pytest

from causalablate.table import Counterfactuals, Units, rows
from causalablate.training.retraining.result import Facts, comparison

COSTS = {
    # Share of right answers lost as a lesion, and after retraining.
    "passes.fine=zero": (0.50, 0.40),
    "scorers.participatory=zero": (0.30, 0.0),
    "allocator=uniform": (0.02, 0.20),
    "opponent.focus_diversify=value(0.5)": (0.0, 0.0),
    "scorers.participatory=zero, connector_hidden=104": (0.30, 0.10),
}
CONTROLS = {"scorers.participatory=zero, connector_hidden=104": "scorers.participatory=zero"}


def _table(n, n_seeds, which, seed):
    rng = np.random.default_rng(seed)
    units = Units([f"e{i}" for i in range(n)], [f"e{i}" for i in range(n)], {"question_type": ["a", "b"] * (n // 2)})
    parts = []
    hard, order = rng.random(n), {name: rng.random(n) for name in COSTS}
    for lesion, costs in COSTS.items():
        for s in range(n_seeds):
            factual = (hard > 0.1 + 0.005 * s).astype(np.float32)
            broken = order[lesion] < costs[which] + (0.01 * (s - 1) if costs[which] else 0)
            after = np.where(broken, 0, factual).astype(np.float32)
            parts.append(
                rows(
                    units,
                    study="t",
                    model=f"m{s}",
                    seed=s,
                    lesion=lesion,
                    factual={"correct": factual, "answer_logprob": factual - 1},
                    counterfactual={"correct": after, "answer_logprob": after - 1.0 - 0.01 * hard.astype(np.float32)},
                    fired=np.ones(n, dtype=bool),
                    change_norm=np.ones(n),
                )
            )
    return Counterfactuals(pd.concat(parts, ignore_index=True))


@pytest.fixture(scope="session")
def found():
    """Three seeds, 400 examples."""
    return compared()


@pytest.fixture(scope="session")
def few():
    """One seed, without capacity controls."""
    return compared(n_seeds=1, controls={})


def compared(n=400, n_seeds=3, controls=CONTROLS):
    arms = {name: f"arm{i}" for i, name in enumerate(COSTS) if controls or name not in CONTROLS}
    facts = Facts("small", arms, controls, sesoi=0.05, left_out={"no_lab, seed 2": "diverged: NaN at step 3"})
    tables = (_table(n, n_seeds, which, seed=4) for which in (0, 1))
    kept = [Counterfactuals(t.frame[t.frame["lesion"].isin(list(arms))].reset_index(drop=True)) for t in tables]
    return comparison(*kept, facts)
