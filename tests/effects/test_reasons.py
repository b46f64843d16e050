import numpy as np
import pytest

from causalablate.effects import population_effects, undefined_reasons


def every_reason(table, **kwargs):
    effects = population_effects(table, **kwargs)
    found = {}
    for _, row in effects.iterrows():
        missing = {name for name, value in row.items() if isinstance(value, float) and np.isnan(value)}
        reasons = undefined_reasons(row, effects.attrs["kinds"][row["outcome"]])
        assert set(reasons) == missing
        assert all(reason and "undefined" not in reason for reason in reasons.values())
        found.setdefault(row["outcome"], {}).update(reasons)
    return found


@pytest.fixture
def worlds():
    rng = np.random.default_rng(0)
    factual = {"correct": [0.0] * 8, "loss": [1.0] * 8, "kl_to_factual": [0.0] * 8, "answer": [1.0] * 8}
    lesioned = {
        "correct": [0.0, 1, 0, 0, 1, 0, 0, 0],
        "loss": rng.normal(size=8),
        "kl_to_factual": rng.exponential(size=8),
        "answer": [1.0, 0, 1, 1, 1, 1, 1, 1],
    }
    return factual, lesioned


LABELS = {"answer": ["x", "y"]}


def test_independent_examples(table, worlds):
    got = every_reason(table(worlds[0], {"a": worlds[1]}, labels=LABELS))
    assert "right in the factual world" in got["correct"]["pn"]
    assert got["correct"]["relative_change"] == "the factual mean is zero"
    assert "0 or 1" in got["loss"]["p_mcnemar"]
    assert "smallest effect" in got["kl_to_factual"]["p_signflip"]
    assert "no mean" in got["answer"]["factual_mean"]
    assert "no controls" in got["loss"]["p_control"]
    assert "cannot be flipped" in got["kl_to_factual"]["p_maxt"]
    assert "better=" in got["answer"]["p_noninferior"]
    assert "do not vary" in got["loss"]["p_equivalence"]


def test_shared_clusters(table, worlds):
    got = every_reason(table(worlds[0], {"a": worlds[1]}, labels=LABELS, cluster=list("aabbccdd")))
    assert "independent" in got["correct"]["p_mcnemar"]


def test_one_cluster(table, worlds):
    got = every_reason(table(worlds[0], {"a": worlds[1]}, labels=LABELS, cluster=["a"] * 8))
    assert got["loss"]["ci_low"] == "one cluster"
    assert got["loss"]["band_low"] == "one cluster"
    assert "one cluster" in got["correct"]["p_equivalence"]
    assert "one cluster" in got["answer"]["p_holm"]


def test_seeds(table, joined, worlds):
    tables = [table(worlds[0], {"a": worlds[1]}, labels=LABELS, seed=s, model=f"m{s}") for s in range(3)]
    got = every_reason(joined(*tables))
    assert "two-way" in got["loss"]["p_signflip"]
    assert "two-way" in got["loss"]["p_maxt"] and "p_holm" in got["loss"]["p_maxt"]


def test_methods_that_do_not_fit(table, worlds):
    got = every_reason(table(worlds[0], {"a": worlds[1]}, labels=LABELS), interval="newcombe", test="mcnemar")
    for column in ("ci_low", "se", "band_high"):
        assert got["loss"][column] == "newcombe is for binary outcomes"
    for column in ("p", "p_holm", "p_by"):
        assert got["loss"][column] == "mcnemar is for binary outcomes"


@pytest.mark.parametrize("interval", ["percentile", "bca"])
def test_bootstrap(table, worlds, interval):
    got = every_reason(table(worlds[0], {"a": worlds[1]}, labels=LABELS), interval=interval)
    assert "tails" in got["loss"]["band_low"]
    every_reason(table({"loss": [1.0, 2, 3]}, {"a": {"loss": [2.0, 3, 4]}}), interval=interval)


def test_a_band_needs_more_equal_effects(table):
    factual = np.arange(6.0)
    got = every_reason(table({"loss": factual}, {"a": {"loss": factual}, "b": {"loss": factual[::-1]}}))
    assert got["loss"]["band_low"] == "too few equal effects to hold for all lesions at once"


def test_one_example_and_one_control(table):
    made = table(
        {"correct": [1], "loss": [1.0]}, {"a": {"correct": [1], "loss": [0]}, "b": {"correct": [0], "loss": [2.0]}}
    )
    got = every_reason(made, controls={"a": ["b"]})
    assert "one example" in got["loss"]["d_z"]
    assert got["correct"]["control_sd"] in ("one control has no spread", "no controls were given for this lesion")
    assert "wrong without" in got["correct"]["ps"]


def test_equal_effects(table):
    got = every_reason(table({"loss": [1.0, 2, 3]}, {"a": {"loss": [2.0, 3, 4]}}))
    assert "too few equal effects" in got["loss"]["ci_low"]
    assert "nothing varies" in got["loss"]["d_z"]
