"""Every interval that a default call returns is simulated: the list is what the functions give, not what we recall."""

import dataclasses
import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import causalablate.effects as effects
from benchmarks.simulated.inventory import BOUNDS, LIMITS
from causalablate.table import Counterfactuals, Units, rows

PAGE = Path(__file__).parents[2] / "docs" / "calibration.md"
N = 24
LESIONS = ("a", "b", "c", "d")
NO_TABLES = frozenset(
    {
        "agresti_coull",
        "assign",
        "benjamini_hochberg",
        "benjamini_yekutieli",
        "bonett_price",
        "bonferroni",
        "causation_bounds",
        "confidence_sequence",
        "estimand",
        "hedges_g",
        "holm",
        "majority_correct",
        "maxt_p",
        "mcnemar_exact",
        "mcnemar_mid_p",
        "mean_intervals",
        "newcombe",
        "noninferiority",
        "paired_blocks",
        "probabilities_of_causation",
        "quantile",
        "quantile_treatment_effect",
        "shrink",
        "sign_flip_p",
        "simultaneous_band",
        "smallest_effects",
        "tost",
        "undefined_reasons",
        "wilcoxon_p",
        "wilson",
        "with_covariates",
    }
)
"""Building blocks that take arrays: what the tables are made of."""


def made(seed: int) -> Counterfactuals:
    rng = np.random.default_rng(seed)
    names = [f"e{i}" for i in range(N)]
    units = Units(names, names, {"kind": ["x", "y"] * (N // 2)})
    factual = {"correct": (rng.random(N) < 0.7).astype(float), "loss": rng.normal(1, 0.5, N)}
    parts = []
    for name in LESIONS:
        for s in range(3):
            flipped = rng.random(N) < 0.2
            other = {
                "correct": np.where(flipped, 1 - factual["correct"], factual["correct"]),
                "loss": factual["loss"] + rng.normal(0.2, 0.3, N),
            }
            parts.append(
                rows(
                    units,
                    study="s",
                    model="m",
                    seed=s,
                    lesion=name,
                    factual=factual,
                    counterfactual=other,
                    fired=np.ones(N, dtype=bool),
                    change_norm=np.ones(N),
                    categorical=(),
                )
            )
    return Counterfactuals(pd.concat(parts, ignore_index=True), {})


def log() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"unit": np.arange(200), "arm": np.tile(["control", "lesion"], 100)})
    return frame.assign(correct=(rng.random(200) < 0.7).astype(int), seconds=rng.exponential(size=200))


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    table, other = made(0), made(1)
    means = effects.mean_effects(table)
    costs = pd.DataFrame({"lesion": LESIONS, "flops": [1.0, 2.0, 3.0, 4.0]})
    costs.attrs = {"total": {"flops": 10.0}}
    online = effects.online_experiment(log(), looks=3)
    right = [1.0, 0.0, 1.0, 1.0]
    return {
        "population_effects": effects.population_effects(table, n_permutations=99),
        "estimate": effects.estimate(table, resamples=100),
        "seed_effects": effects.seed_effects(table, resamples=100),
        "variance_components": effects.variance_components(table),
        "compare_tables": effects.compare_tables(table, other, n_permutations=99),
        "compensation": effects.compensation(table, other, n_permutations=99),
        "compare_rankings": effects.compare_rankings(table, other, resamples=50),
        "pareto": effects.pareto(table, costs, resamples=50),
        "failure_modes": effects.failure_modes(table, honest=True, min_size=2),
        "factor_tests": effects.factor_tests(table, n_permutations=19),
        "largest_effects": effects.largest_effects(table),
        "mean_effects": means,
        "control_distribution": effects.control_distribution(means, {"size": {"a": ["b", "c", "d"]}}),
        "shrunk_effects": effects.shrunk_effects(table),
        "belief_over_time": effects.belief_over_time(table, batches=2),
        "next_batch": effects.next_batch(table),
        "effect_sequence": effects.effect_sequence(table, looks=3),
        "minimal_detectable_effects": effects.minimal_detectable_effects(table),
        "power_table": effects.power_table(table),
        "power_curves": effects.power_curves(table, examples=[50, 100]),
        "online_experiment.effects": online.effects,
        "online_experiment.quantiles": online.quantiles,
        "online_experiment.sequence": online.sequence,
        "accuracy_interval": effects.accuracy_interval(right),
        "proportion_interval": effects.proportion_interval(3, 4),
        "paired_accuracy": effects.paired_accuracy(right, right[::-1]),
    }


def test_every_public_function_was_called_or_is_a_building_block(results):
    functions = {name for name in effects.__all__ if inspect.isfunction(getattr(effects, name))}
    assert functions == {name.partition(".")[0] for name in results} | NO_TABLES


def test_the_list_is_what_the_functions_return(results):
    found = set()
    for name, result in results.items():
        if dataclasses.is_dataclass(result):
            found.add(f"{name}: limits")
            continue
        for column in result.columns:
            pair = re.fullmatch(r"(\w+)_low(_\w+)?", column)
            if pair and column.replace("_low", "_high") in result:
                found.add(f"{name}: {pair[1]}{pair[2] or ''}")
    assert found == set(LIMITS) | BOUNDS


def test_every_interval_is_on_the_page():
    titles = set(re.findall(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE))
    assert set(LIMITS.values()) <= titles
