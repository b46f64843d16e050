"""A simulated study of realistic size: every kind of outcome, lesions of different strength, groups."""

import numpy as np
import pandas as pd

from causalablate.table import Counterfactuals, Units, rows

ANSWERS = 10
STRENGTHS = (0.0, 0.01, 0.1, 0.5)


def study(n_lesions: int, n_examples: int, n_levels: int, seed: int) -> Counterfactuals:
    """Four outcomes (binary, real, distance, categorical) of independent examples, under one seed.

    Args:
        n_lesions: Lesions, each of one of `STRENGTHS`.
        n_examples: Examples.
        n_levels: Levels of the group `question_type`, of equal size.
        seed: Seeds the draws.
    """
    rng = np.random.default_rng(seed)
    names = [f"example{i}" for i in range(n_examples)]
    units = Units(names, names, {"question_type": [f"type{i % n_levels}" for i in range(n_examples)]})
    factual = {
        "correct": (rng.random(n_examples) < 0.85).astype(float),
        "answer_logprob": -rng.exponential(0.5, n_examples),
        "kl_to_factual": np.zeros(n_examples),
        "predicted_answer": rng.integers(0, ANSWERS, n_examples).astype(float),
    }
    parts = [
        rows(
            units,
            study="simulated",
            model="none",
            seed=0,
            lesion=f"lesion{i}",
            factual=factual,
            counterfactual=_lesioned(factual, rng.choice(STRENGTHS), rng),
            fired=np.ones(n_examples, dtype=bool),
            change_norm=np.ones(n_examples),
            categorical=("predicted_answer",),
        )
        for i in range(n_lesions)
    ]
    return Counterfactuals(pd.concat(parts, ignore_index=True), {"predicted_answer": [str(i) for i in range(ANSWERS)]})


def _lesioned(factual: dict[str, np.ndarray], strength: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    n = factual["correct"].size
    flipped = rng.random(n) < 0.02 + 0.1 * strength
    answer = factual["predicted_answer"]
    return {
        "correct": np.where(flipped, 1 - factual["correct"], factual["correct"]),
        "answer_logprob": factual["answer_logprob"] + rng.normal(-0.2 * strength, 0.3, n),
        "kl_to_factual": rng.exponential(0.01 + 0.1 * strength, n),
        "predicted_answer": np.where(flipped, (answer + 1) % ANSWERS, answer),
    }
