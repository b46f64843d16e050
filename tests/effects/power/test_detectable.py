import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from causalablate.effects.power import mcnemar_power, minimal_detectable_effects


def test_what_a_t_test_could_have_shown(study):
    effect = np.random.default_rng(0).normal(3, 2, size=(1, 1, 30))
    found = minimal_detectable_effects(study(effect)).iloc[0]
    d = TTestPower().solve_power(nobs=30, alpha=0.05, power=0.8)
    assert found["mde"] == pytest.approx(d * effect.std(ddof=1), rel=1e-6)
    assert found["mde_sd"] == pytest.approx(d, rel=1e-6)
    assert found["mde_upper"] > found["mde"] and found["smallest_margin"] > found["mde"]


def test_the_effect_that_was_found_does_not_matter(study):
    effect = np.random.default_rng(0).normal(size=(1, 1, 30))
    small, large = (minimal_detectable_effects(study(effect + shift)).iloc[0] for shift in (0.0, 10.0))
    assert small["mde"] == pytest.approx(large["mde"], rel=1e-5)


def test_what_mcnemar_could_have_shown(study):
    factual = np.repeat([1.0, 0.0], 100)
    effect = np.zeros((1, 1, 200))
    effect[0, 0, :9], effect[0, 0, 100:105] = -1, 1
    found = minimal_detectable_effects(study(effect, "correct", factual=factual)).iloc[0]
    assert mcnemar_power(200, 0.07, found["mde"], 0.05) == pytest.approx(0.8, abs=1e-6)
    assert found["mde"] < 0.07


def test_three_to_five_seeds(study):
    """Examples without number: differences of 3.3 and 1.7 SDs between seeds."""
    for n_seeds, seed_sds in ((3, 3.3), (5, 1.7)):
        scores = np.arange(n_seeds, dtype=float)
        noise = 1e-3 * np.random.default_rng(0).normal(size=(1, n_seeds, 400))
        found = minimal_detectable_effects(study(scores[None, :, None] + noise)).iloc[0]
        assert found["mde"] / scores.std(ddof=1) == pytest.approx(seed_sds, abs=0.06)


def test_groups_have_their_own(table):
    rng = np.random.default_rng(0)
    groups = {"half": ["a"] * 20 + ["b"] * 20}
    found = minimal_detectable_effects(
        table({"score": rng.normal(size=40)}, {"l": {"score": rng.normal(size=40)}}, groups=groups)
    )
    assert found["group"].tolist() == ["all", "half=a", "half=b"]
    assert found["mde"].iloc[0] < found["mde"].iloc[1:].min()


@pytest.mark.parametrize("n", [1, 3])
def test_too_small_to_show_anything(study, n):
    found = minimal_detectable_effects(study(-np.ones((1, 1, n)), "correct", factual=np.ones(n))).iloc[0]
    assert np.isnan(found["mde"]) and "no possible effect" in found["note"]


def test_undefined_says_why(study):
    found = minimal_detectable_effects(study(np.full((1, 1, 5), 0.5))).iloc[0]
    assert np.isnan(found["mde"]) and found["note"] == "undefined: the pilot's effects do not vary"


def test_one_sided_effects_lie_above_the_smallest_effect_of_interest(study):
    rng = np.random.default_rng(0)
    effect = rng.gamma(1, 1, size=(1, 1, 80))
    found = minimal_detectable_effects(
        study(effect, "kl_to_factual", factual=np.zeros(80)), sesoi={"kl_to_factual": 0.5}
    ).iloc[0]
    d = TTestPower().solve_power(nobs=80, alpha=0.05, power=0.8, alternative="larger")
    assert found["mde"] == pytest.approx(0.5 + d * effect.std(ddof=1), rel=1e-5)
    assert np.isnan(found["smallest_margin"])
