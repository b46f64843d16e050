import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from statsmodels.stats.power import TTestPower

from causalablate.effects import Kind, mcnemar_exact
from causalablate.effects.intervals import spread_of
from causalablate.effects.power import power_table
from causalablate.effects.power.means import Claim
from causalablate.effects.power.pilot import pilot_of
from causalablate.effects.power.reach import Aim, power_of
from causalablate.errors import EffectError


def row(found, claim="effect", **wanted):
    for name, value in {"claim": claim, **wanted}.items():
        found = found[found[name] == value]
    assert len(found) == 1
    return found.iloc[0]


def normal(n=50, lesions=1, seeds=1, seed=0):
    rng = np.random.default_rng(seed)
    item, of_seed = rng.normal(size=(lesions, 1, n)), 0.3 * rng.normal(size=(lesions, seeds, 1))
    return rng.normal(size=(lesions, seeds, n)) + item + (of_seed if seeds > 1 else 0)


def flips(down, up, n):
    """Factual values and effects of n examples of which that many flip."""
    factual = np.zeros(n)
    factual[:down] = 1
    return factual, np.concatenate([-np.ones(down), np.ones(up), np.zeros(n - down - up)])[None, None]


def test_paired_t_needs_what_statsmodels_says(study):
    effect = normal()
    found = row(power_table(study(effect), effects=0.5))
    expected = TTestPower().solve_power(0.5 / effect.std(ddof=1), alpha=0.05, power=0.8)
    assert found["needed_examples"] == np.ceil(expected)
    assert found["test"] == "paired t" and found["alpha"] == pytest.approx(0.05) and found["n_seeds"] == 1
    assert found["needed_examples_upper"] > found["needed_examples"]
    assert np.isnan(found["needed_seeds"]) and found["note"] == ""


def test_alpha_is_shared_among_the_tests_of_a_family(study):
    effect = normal()
    found = power_table(study(effect), effects=0.5, n_tests=40)
    expected = TTestPower().solve_power(0.5 / effect.std(ddof=1), alpha=0.05 / 40, power=0.8)
    assert row(found)["needed_examples"] == np.ceil(expected)
    assert row(found)["alpha"] == pytest.approx(0.05 / 40)
    assert row(found, "equivalence")["alpha"] == pytest.approx(0.05)
    assert found.attrs["n_tests"] == 40


def test_flips_are_planned_with_mcnemar_and_simulation_agrees(study):
    factual, effect = flips(30, 10, 400)
    found = row(power_table(study(effect, "correct", factual=factual), effects=-0.05))
    n = int(found["needed_examples"])
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n, [0.075, 0.025, 0.9], size=4_000)
    assert found["test"] == "McNemar, exact" and found["discordance"] == pytest.approx(0.1)
    assert (mcnemar_exact(counts[:, 0], counts[:, 1]) < 0.05).mean() == pytest.approx(0.8, abs=0.03)


def test_binary_clusters_simulation_agrees(study, paired):
    """Images of 5 questions; how readily and which way its questions flip is drawn per image."""

    def draw(rng, repeats, clusters):
        rate = rng.beta(0.2, 1.8, size=(repeats, clusters, 1))
        flip = rng.random((repeats, clusters, 5)) < rate
        down = rng.random((repeats, clusters, 1)) < 0.6
        return np.where(flip, np.where(down, -1.0, 1.0), 0.0).reshape(repeats, -1)

    rng = np.random.default_rng(1)
    effect = draw(rng, 1, 4_000)
    pilot = study(effect[:, None], "correct", cluster=np.arange(20_000) // 5, factual=(effect[0] < 0).astype(float))
    planned = row(power_table(pilot, effects=-0.02))
    clusters = int(planned["needed_clusters"])
    effects = draw(rng, 1_500, clusters)
    studies = paired(
        (effects < 0).astype(float), (effects > 0).astype(float), Kind.BINARY, np.arange(5 * clusters) // 5
    )
    p = spread_of(studies).p_two_sided()
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.03)
    assert planned["needed_examples"] == 5 * clusters and planned["design_effect"] > 1
    assert planned["test"] == "cluster-robust t, Bonett-Price adjusted"


def test_large_clusters_that_hardly_correlate_simulation_agrees(study, paired):
    def draw(rng, repeats, clusters):
        rate = rng.beta(0.2 * 19, 0.8 * 19, size=(repeats, clusters, 1))
        return -(rng.random((repeats, clusters, 50)) < rate).astype(float).reshape(repeats, -1)

    def binary(effect):
        return paired(np.ones_like(effect), 1 + effect, Kind.BINARY, np.arange(effect.shape[1]) // 50)

    rng = np.random.default_rng(2)
    pilot = pilot_of(binary(draw(rng, 1, 2_000)))
    planned = power_of(pilot, Aim(Claim.EFFECT, np.array([-0.2]), np.array([0.05]), 0.001), 12, 1)[0]
    simulated = (spread_of(binary(draw(rng, 2_000, 12))).p_two_sided() < 0.001).mean()
    assert 0.5 < simulated < 0.95
    assert planned == pytest.approx(simulated, abs=0.04)


def test_no_number_of_examples_makes_up_for_too_few_seeds(study):
    table = study(normal(seeds=4, seed=3))
    found = power_table(table, effects=[0.5, 2.0], seeds=[2, 4, 30])
    few, enough = row(found, effect=0.5, n_seeds=4), row(found, effect=0.5, n_seeds=30)
    assert few["needed_examples"] == np.inf and few["power_ceiling"] < 0.8
    assert "4 seeds reach power" in few["note"] and "use more seeds" in few["note"]
    assert np.isfinite(enough["needed_examples"]) and enough["note"] == ""
    assert row(found, effect=2.0, n_seeds=30)["needed_examples"] < enough["needed_examples"]
    assert row(found, effect=2.0, n_seeds=2)["power_ceiling"] < row(found, effect=2.0, n_seeds=4)["power_ceiling"]
    assert few["needed_seeds"] == enough["needed_seeds"] > 4
    assert enough["test"] == "two-way t"


def test_equivalence_and_non_inferiority_have_rows_of_their_own(study):
    factual, effect = flips(6, 6, 400)
    found = power_table(study(effect, "correct", factual=factual))
    both, one = row(found, "equivalence"), row(found, "non-inferiority")
    assert both["needed_examples"] == pytest.approx(10_300, rel=0.01)
    assert one["needed_examples"] < both["needed_examples"]
    assert both["margin"] == one["margin"] == 0.005 and both["effect"] == 0
    assert row(found)["effect"] == 0.005 and np.isnan(row(found)["margin"])


def test_a_share_is_planned_with_the_binomial_test(study):
    n = 100
    effect = np.zeros((1, 1, n))
    effect[0, 0, :3] = 1
    found = row(power_table(study(effect, "answer", factual=np.zeros(n), labels={"answer": ["a", "b"]}), sesoi=0.05))
    k = int(found["needed_examples"])
    assert found["claim"] == "effect" and found["effect"] == 0.1 and found["margin"] == 0.05
    critical = binom.isf(0.05, k, 0.05)
    assert binom.sf(critical, k, 0.05) <= 0.05 and binom.sf(critical, k, 0.1) >= 0.8
    assert found["test"] == "binomial, exact"


def test_a_distance_has_to_exceed_the_smallest_effect_of_interest(study):
    rng = np.random.default_rng(0)
    table = study(rng.gamma(1, 1, size=(1, 1, 80)), "kl_to_factual", factual=np.zeros(80))
    found = power_table(table, sesoi={"kl_to_factual": 0.5}, effects=[0.4, 0.9])
    assert set(found["claim"]) == {"effect"}
    assert "not above the smallest effect" in row(found, effect=0.4)["note"]
    assert row(found, effect=0.4)["needed_examples"] == np.inf
    expected = TTestPower().solve_power(0.4 / row(found, effect=0.9)["sd"], alpha=0.05, power=0.8, alternative="larger")
    assert row(found, effect=0.9)["needed_examples"] == np.ceil(expected)


@pytest.mark.parametrize(
    ("effect", "cluster", "said"),
    [
        (np.full((1, 1, 5), 0.5), None, "do not vary"),
        (np.ones((1, 1, 1)), None, "no variance"),
        (normal(4), [0, 0, 0, 0], "no variance"),
        (normal(1, seeds=3), None, "no variance"),
        (np.full((1, 3, 5), 0.5), None, "do not vary"),
    ],
)
def test_pilots_that_cannot_say(study, effect, cluster, said):
    found = row(power_table(study(effect, cluster=cluster), effects=0.5, sesoi={"score": 0.1}))
    assert np.isnan(found["needed_examples"])
    assert found["note"].startswith("undefined: ") and said in found["note"]


def test_no_flips_in_the_pilot(study):
    found = row(power_table(study(np.zeros((1, 1, 50)), "correct", factual=np.ones(50)), effects=0.05))
    n = int(found["needed_examples"])
    # All flips one way: at least six of them, with probability 0.8.
    assert binom.sf(5, n, 0.05) >= 0.8 > binom.sf(5, n - 1, 0.05)
    assert "assumed to go one way" in found["note"]


def test_flips_under_seeds_without_any_flip_are_undefined(study):
    found = row(power_table(study(np.zeros((1, 3, 50)), "correct", factual=np.ones(50)), effects=0.05))
    assert np.isnan(found["needed_examples"]) and "do not vary" in found["note"]


def test_seeds_need_a_pilot_with_seeds(study):
    found = row(power_table(study(normal()), effects=0.5, seeds=3))
    assert np.isnan(found["needed_examples"]) and "does not show how seeds differ" in found["note"]


def test_missing_cells_leave_estimates_but_no_upper_limit(study):
    table = study(normal(seeds=3))
    short = type(table)(table.frame.iloc[:-1])
    found = row(power_table(short, effects=2.0, seeds=9))
    assert np.isfinite(found["needed_examples"]) and np.isnan(found["needed_examples_upper"])
    assert "some examples lack some seeds" in found["note"]


def test_an_outcome_without_smallest_effect_of_interest(study):
    found = power_table(study(normal(), factual=np.zeros(50)))
    assert found["needed_examples"].isna().all()
    assert found["note"].str.contains("no smallest effect of interest").all()


def test_rows_keep_the_order_of_the_table_and_do_not_depend_on_other_lesions(study):
    effect = normal(lesions=3)
    whole = power_table(study(effect), effects=[0.5, 1.0])
    assert whole["lesion"].drop_duplicates().tolist() == ["l0", "l1", "l2"]
    alone = power_table(study(effect[:1]), effects=[0.5, 1.0])
    pd.testing.assert_frame_equal(whole[whole["lesion"] == "l0"], alone)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"power": 0.01}, "power is 0.01"),
        ({"level": 0.3}, "level is 0.3"),
        ({"n_tests": 0}, "n_tests is 0"),
        ({"assurance": 0.4}, "assurance is 0.4"),
        ({"seeds": 1}, "seeds is 1"),
        ({"seeds": []}, r"seeds is \[\]"),
        ({"effects": 0}, "0 is no effect"),
        ({"effects": float("nan")}, "nan is no effect"),
        ({"effects": {"scor": 1}}, "did you mean.*score"),
        ({"sesoi": -1}, "sesoi"),
    ],
)
def test_refused(study, arguments, said):
    with pytest.raises(EffectError, match=said):
        power_table(study(normal(6)), **arguments)


def test_impossible_effects_are_refused(study):
    with pytest.raises(EffectError, match="shares, between"):
        power_table(study(np.zeros((1, 1, 6)), "correct", factual=np.ones(6)), effects=5)
    with pytest.raises(EffectError, match="never negative"):
        power_table(study(np.ones((1, 1, 6)), "kl_to_factual", factual=np.zeros(6)), effects=-0.5)
