import dataclasses

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from causalablate.effects import EFFECT, UNDECIDED, WITHIN_NOISE
from causalablate.report.sweep.effects import BASELINE, ONE_SEED, SAME, arm_effects
from causalablate.report.sweep.outcomes import paired_outcomes
from causalablate.training.sweep.results import Arm, RunResult, SweepResults


def of_numbers(accuracies, **more):
    """A sweep of runs without files: arm to its accuracy by seed."""
    arms = tuple(Arm(name) for name in accuracies)
    runs = tuple(
        RunResult(arm, seed, "finished", metrics={"accuracy": value})
        for arm, values in accuracies.items()
        for seed, value in enumerate(values)
    )
    return SweepResults("numbers", "", arms, tuple(range(len(accuracies["baseline"]))), runs, **more)


def row(found, arm):
    return found.set_index("arm").loc[arm]


def test_without_answers_it_is_the_paired_t_over_seeds_with_holm_over_arms():
    base, one, two = [0.70, 0.72, 0.71, 0.69], [0.60, 0.63, 0.60, 0.58], [0.705, 0.71, 0.72, 0.70]
    found = arm_effects(of_numbers({"baseline": base, "one": one, "two": two}))
    oracle = {arm: stats.ttest_rel(values, base) for arm, values in (("one", one), ("two", two))}
    corrected = multipletests([o.pvalue for o in oracle.values()], method="holm")[1]
    for arm, p_holm in zip(oracle, corrected, strict=True):
        interval = oracle[arm].confidence_interval(0.95)
        assert row(found, arm)["p"] == pytest.approx(oracle[arm].pvalue)
        assert row(found, arm)["p_holm"] == pytest.approx(p_holm)
        assert row(found, arm)[["ci_low", "ci_high"]].tolist() == pytest.approx([interval.low, interval.high])
    assert row(found, "one")["delta"] == pytest.approx(np.mean(np.subtract(one, base)))
    assert row(found, "one")["sd"] == pytest.approx(np.std(one, ddof=1))
    assert row(found, "baseline")["label"] == BASELINE and np.isnan(row(found, "baseline")["delta"])


def test_verdicts_effect_within_noise_undecided():
    base = np.array([0.70, 0.72, 0.71, 0.69, 0.70])
    jitter = np.array([0.0001, -0.0001, 0.0002, 0.0, -0.0001])
    found = arm_effects(
        of_numbers(
            {"baseline": base, "worse": base - 0.1 + jitter, "same": base + jitter, "loose": base + 100 * jitter}
        )
    )
    assert [row(found, a)["label"] for a in ("worse", "same", "loose")] == [EFFECT, WITHIN_NOISE, UNDECIDED]
    assert row(found, "loose")["below_sesoi"] == "yes", "a small estimate is marked as such, but no verdict"


def test_answers_give_seeds_and_examples_and_a_wider_claim(sweep):
    found = arm_effects(sweep)
    planted = row(found, "frozen")
    assert planted["label"] == EFFECT and planted["ci_low"] < -0.12 < planted["ci_high"]
    assert "two-way t" in planted["method"] and "seeds and examples" in planted["method"]
    own, base = (np.mean([sweep.run(a, s).metrics["accuracy"] for s in sweep.seeds]) for a in ("frozen", "baseline"))
    assert planted["delta"] == pytest.approx(own - base, abs=1e-6)
    assert row(found, "temperature")["label"] == UNDECIDED
    assert set(paired_outcomes(sweep).lesions) == {arm.name for arm in sweep.arms} - {"baseline"}


def test_answers_that_are_not_those_of_the_reported_accuracy_are_not_used(sweep):
    runs = [
        dataclasses.replace(r, metrics={**r.metrics, "accuracy": r.metrics["accuracy"] + 0.01})
        if r.arm == "frozen"
        else r
        for r in sweep.runs
    ]
    changed = dataclasses.replace(sweep, runs=tuple(runs))
    assert "frozen" not in paired_outcomes(changed).lesions
    assert row(arm_effects(changed), "frozen")["method"] == "paired t over seeds"


def test_one_seed_is_never_an_effect():
    found = arm_effects(of_numbers({"baseline": [0.9], "arm": [0.1]}))
    assert row(found, "arm")["label"] == UNDECIDED and row(found, "arm")["note"] == ONE_SEED
    assert np.isnan(row(found, "arm")["p"]) and row(found, "arm")["delta"] == pytest.approx(-0.8)


def test_one_seed_with_answers_has_an_interval_over_examples_but_no_verdict(sweep):
    one = dataclasses.replace(sweep, runs=tuple(r for r in sweep.runs if r.seed == 0), seeds=(0,))
    found = row(arm_effects(one), "coarse_only")
    assert found["ci_high"] < 0 and "examples only" in found["method"] and found["label"] == UNDECIDED
    assert np.isnan(found["p_holm"])


def test_diverged_runs_count_neither_in_the_mean_nor_in_the_pairs():
    whole = of_numbers({"baseline": [0.7, 0.71, 0.72], "arm": [0.6, 0.61, 0.1]})
    runs = [dataclasses.replace(r, status="diverged") if (r.arm, r.seed) == ("arm", 2) else r for r in whole.runs]
    found = row(arm_effects(dataclasses.replace(whole, runs=tuple(runs))), "arm")
    assert (found["n_seeds"], found["n_pairs"]) == (2, 2) and found["mean"] == pytest.approx(0.605)


def test_an_arm_under_a_second_name_is_tested_once():
    whole = of_numbers({"baseline": [0.7, 0.71, 0.72], "arm": [0.6, 0.62, 0.61], "again": [0.6, 0.62, 0.61],
                        "nothing": [0.7, 0.71, 0.72]})  # fmt: skip
    twice = {"again": "arm", "nothing": "baseline"}
    runs = [dataclasses.replace(r, same_as=twice.get(r.arm)) for r in whole.runs]
    found = arm_effects(dataclasses.replace(whole, runs=tuple(runs)))
    assert row(found, "arm")["p_holm"] == row(found, "arm")["p"] == row(found, "again")["p_holm"]
    assert row(found, "nothing")["label"] == SAME and np.isnan(row(found, "nothing")["p"])


def test_other_metrics_have_no_half_point(sweep):
    found = arm_effects(sweep, "loss_ratio")
    assert row(found, "frozen")["label"] == EFFECT and set(found["below_sesoi"]) == {""}
    assert found["p_equivalence"].isna().all()
