"""Degenerate tables through every function that takes one: an answer or an error that says why, never a crash."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import causalablate.effects as effects
from causalablate.errors import CausalAblateError
from causalablate.table import Counterfactuals, Units, rows

VIEWS: dict[str, Callable[[Counterfactuals], pd.DataFrame]] = {
    "population_effects": lambda t: effects.population_effects(t, n_permutations=99),
    "estimate": lambda t: effects.estimate(t, resamples=100),
    "seed_effects": lambda t: effects.seed_effects(t, resamples=100),
    "variance_components": effects.variance_components,
    "compare_tables": lambda t: effects.compare_tables(t, t, n_permutations=99),
    "compare_rankings": lambda t: effects.compare_rankings(t, t, resamples=50),
    "failure_modes": lambda t: effects.failure_modes(t, min_size=2),
    "factor_tests": lambda t: effects.factor_tests(t, n_permutations=19),
    "largest_effects": effects.largest_effects,
    "mean_effects": effects.mean_effects,
    "shrunk_effects": effects.shrunk_effects,
    "effect_sequence": lambda t: effects.effect_sequence(t, looks=3),
    "minimal_detectable_effects": effects.minimal_detectable_effects,
    "power_table": effects.power_table,
    "power_curves": lambda t: effects.power_curves(t, examples=[50]),
    "belief_over_time": lambda t: effects.belief_over_time(t, batches=2),
    "next_batch": effects.next_batch,
}


def made(factual, counterfactual, groups) -> Counterfactuals:
    """Three lesions with the same outcomes."""
    n = len(factual)
    names = [f"e{i}" for i in range(n)]
    units = Units(names, names, {"kind": groups})
    parts = [
        rows(
            units,
            study="s",
            model="m",
            seed=0,
            lesion=f"l{i}",
            factual={"correct": np.asarray(factual, float), "loss": np.asarray(factual, float) * 2 + 1},
            counterfactual={"correct": np.asarray(counterfactual, float), "loss": np.asarray(counterfactual) * 2.0 + 1},
            fired=np.ones(n, dtype=bool),
            change_norm=np.ones(n),
            categorical=(),
        )
        for i in range(3)
    ]
    return Counterfactuals(pd.concat(parts, ignore_index=True), {})


TABLES = {
    "one example": made([1.0], [0.0], ["x"]),
    "constant outcomes": made(np.ones(12), np.ones(12), ["x", "y"] * 6),
    "all flips one way": made(np.ones(12), np.zeros(12), ["x", "y"] * 6),
    "groups of size one": made([1, 0, 1, 1, 0, 1], [0, 0, 1, 0, 1, 1], list("abcdef")),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("table", TABLES)
def test_an_answer_or_a_reason(view, table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = VIEWS[view](TABLES[table])
        except CausalAblateError as error:
            assert len(str(error)) > 20
            return
    for column in found.columns:
        if column.endswith("_low") and column.replace("_low", "_high") in found:
            low, high = (found[c].to_numpy(float) for c in (column, column.replace("_low", "_high")))
            assert ((low <= high) | np.isnan(low) | np.isnan(high)).all()
    if "interval_method" in found and "ci_low" in found:
        unsaid = found["ci_low"].isna() & ~found["interval_method"].astype(str).str.contains("undefined")
        assert not unsaid.any()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("broken", ["NaN", "unpaired rows", "duplicated examples"])
def test_what_cannot_be_paired_is_refused(view, broken):
    """Unpaired and duplicated rows are refused, and so is a value that is not a number."""
    frame = made([1, 0, 1, 1], [0, 0, 1, 0], ["x", "y"] * 2).frame.copy()
    if broken == "NaN":
        frame.loc[3, "counterfactual"] = np.nan
    elif broken == "unpaired rows":
        frame = frame.drop(index=3)
    else:
        frame = pd.concat([frame, frame.iloc[[3]]], ignore_index=True)
    if broken == "unpaired rows":
        # A lesion that lacks an example is a set of examples of its own: effects of each are still paired.
        try:
            VIEWS[view](Counterfactuals(frame, {}))
        except CausalAblateError as error:
            assert len(str(error)) > 20
        return
    with pytest.raises(CausalAblateError):
        VIEWS[view](Counterfactuals(frame, {}))
