"""Time and memory that the effects of a very large study take: 10,000 examples x 1,000 lesions x 2,000 resamples.

    python benchmarks/effects_scale.py [--lesions 1000] [--examples 10000] [--resamples 2000] [--seed 0] [--json]

Each analysis runs in a process of its own, on one outcome of one group; its memory is the most that the process held,
the table of ten million rows included.
"""

import argparse
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from causalablate.effects import paired_blocks, population_effects
from causalablate.effects.bootstrap import bootstrap_means, percentile
from causalablate.effects.estimands import estimate
from causalablate.effects.maxt import maxt_p
from causalablate.table import Counterfactuals

Analysis = Callable[[Counterfactuals, int, int], object]


def _population(table: Counterfactuals, resamples: int, seed: int) -> object:
    return population_effects(table, n_permutations=resamples, seed=seed)


def _bootstrap(table: Counterfactuals, resamples: int, seed: int) -> object:
    (paired,) = paired_blocks(table)
    drawn = bootstrap_means(paired.effect, paired.cluster, paired.seed, method="rows", resamples=resamples, seed=seed)
    return percentile(drawn, 0.95)


def _maxt(table: Counterfactuals, resamples: int, seed: int) -> object:
    (paired,) = paired_blocks(table)
    return maxt_p(paired.effect, n_permutations=resamples, seed=seed)


def _estimands(table: Counterfactuals, resamples: int, seed: int) -> object:
    return estimate(table, resamples=resamples, seed=seed)


ANALYSES: dict[str, Analysis] = {
    "reading the table into arrays": lambda table, resamples, seed: paired_blocks(table),
    "bootstrap of the mean, percentile intervals": _bootstrap,
    "Westfall–Young maxT": _maxt,
    "all estimands with their intervals": _estimands,
    "population_effects: everything in its table": _population,
}


def large_table(lesions: int, examples: int, seed: int) -> Counterfactuals:
    """Log-probabilities under lesions of different strength; names are categories, so that a row takes few bytes."""
    rng = np.random.default_rng(seed)
    factual = -rng.exponential(0.5, examples).astype(np.float32)
    strength = rng.choice([0.0, 0.01, 0.1, 0.5], lesions).astype(np.float32)
    effect = -strength[:, None] + 0.3 * rng.standard_normal((lesions, examples), dtype=np.float32)
    names = _categories(np.tile(np.arange(examples), lesions), "example", examples)
    constant = np.zeros(lesions * examples, dtype=np.int8)
    factual = np.tile(factual, lesions)
    counterfactual = factual + effect.ravel()
    columns = {
        "study": _categories(constant, "study", 1),
        "model": _categories(constant, "model", 1),
        "precision": _categories(constant, "float32-", 1),
        "seed": constant,
        "lesion": _categories(np.repeat(np.arange(lesions), examples), "lesion", lesions),
        "example": names,
        "cluster": names,
        "outcome": _categories(constant, "answer_logprob", 1),
        "factual": factual,
        "counterfactual": counterfactual,
        "effect": counterfactual - factual,
        "fired": np.ones(constant.size, dtype=bool),
        "change_norm": np.ones(constant.size, dtype=np.float32),
    }
    return Counterfactuals(pd.DataFrame(columns, copy=False))


def _categories(codes: np.ndarray, name: str, n: int) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, [f"{name}{i}" for i in range(n)])


def measure(name: str, lesions: int, examples: int, resamples: int, seed: int) -> dict[str, Any]:
    """Run one analysis in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (name, lesions, examples, resamples, seed))


def _measured(name: str, lesions: int, examples: int, resamples: int, seed: int) -> dict[str, Any]:
    table = large_table(lesions, examples, seed)
    wall, cpu = time.perf_counter(), time.process_time()
    ANALYSES[name](table, resamples, seed)
    return {
        "analysis": name,
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the times, as text or as JSON."""
    parser = argparse.ArgumentParser(description="Time and memory of effects of a very large study.")
    parser.add_argument("--lesions", type=int, default=1000, help="lesions (1000)")
    parser.add_argument("--examples", type=int, default=10_000, help="examples (10000)")
    parser.add_argument("--resamples", type=int, default=2000, help="resamples or sign flips (2000)")
    parser.add_argument("--seed", type=int, default=0, help="seeds the study and the resamples (0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    chosen = parser.parse_args(arguments)
    found = [measure(name, chosen.lesions, chosen.examples, chosen.resamples, chosen.seed) for name in ANALYSES]
    if chosen.json:
        print(json.dumps({**vars(chosen), "cores": os.cpu_count(), "analyses": found}, indent=2, ensure_ascii=False))
        return
    size = f"{chosen.examples:,} examples x {chosen.lesions:,} lesions, {chosen.resamples:,} resamples"
    print(f"{size}; {os.cpu_count()} cores\n")
    print("| analysis | wall s | CPU s | peak GiB |\n|---|---|---|---|")
    for row in found:
        print(f"| {row['analysis']} | {row['wall_s']:.1f} | {row['cpu_s']:.1f} | {row['peak_gib']:.2f} |")


if __name__ == "__main__":
    main()
