import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_1samp, ttest_ind, ttest_rel

from causalablate.effects.comparisons import compare_tables, compensation
from causalablate.effects.comparisons.difference import paired_difference
from causalablate.effects.comparisons.rows import SIGN, UNDEFINED_CLUSTER, columns
from causalablate.effects.skewness import SKEWED
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

RNG = np.random.default_rng(0)


def everyone(frame):
    return frame[frame["group"] == "all"].reset_index(drop=True)


def real(table, effects, *, seed=0, **kwargs):
    """A table of real outcomes with these effects per lesion, factual values all different."""
    n = len(next(iter(effects.values())))
    factual = np.linspace(-1, 1, n)
    return table({"y": factual}, {k: {"y": factual + v} for k, v in effects.items()}, seed=seed, **kwargs)


def test_the_same_examples_are_a_paired_t_test_of_their_effects(table):
    a, b = RNG.normal(size=50), RNG.normal(size=50) + 0.5
    found = compare_tables(real(table, {"l": a}), real(table, {"l": b}), names=("old", "new"))
    row = found.iloc[0]
    assert list(found.columns) == columns(("old", "new"))
    test = ttest_rel(b.astype(np.float32), a.astype(np.float32))
    interval = test.confidence_interval(0.95)
    assert row["difference"] == pytest.approx((b - a).mean(), abs=1e-6)
    assert (row["ate_old"], row["ate_new"]) == pytest.approx((a.mean(), b.mean()), abs=1e-6)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((interval.low, interval.high), abs=1e-5)
    assert row["interval_method"] == "paired t" and row["design"] == "the same examples"
    assert row["p"] == pytest.approx(test.pvalue, abs=0.02) and row["test_method"] == "sign flip of clusters"
    assert (row["n_units_old"], row["n_units_new"]) == (50, 50)


def test_examples_are_matched_by_id_whatever_their_order(table):
    a = real(table, {"l": np.arange(10.0)})
    frame = a.frame.sample(frac=1, random_state=1).reset_index(drop=True)
    row = compare_tables(a, Counterfactuals(frame)).iloc[0]
    assert row["difference"] == 0 and row["interval_method"] == SIGN
    assert row["label"] == "within noise" and row["p"] == 1 and row["p_equivalence"] < 0.01


def test_differences_that_are_mostly_zero_follow_their_skewness(table):
    change = np.zeros(60)
    change[:8] = -np.random.default_rng(2).exponential(size=8)
    a, b = real(table, {"l": np.zeros(60)}), real(table, {"l": change})
    found = compare_tables(a, b, sesoi={"y": 0.5}).iloc[0]
    plain = ttest_rel(change, np.zeros(60)).confidence_interval(0.95)
    assert found["interval_method"] == "paired t" + SKEWED
    assert found["ci_low"] < plain.low - 0.01 and found["ci_high"] == pytest.approx(plain.high, abs=1e-5)
    # The test and the interval at 1 - 2 alpha agree just inside and just outside of the margin.
    inner = compare_tables(a, b, level=0.9).iloc[0]["ci_low"]
    labels = [compare_tables(a, b, sesoi={"y": -inner * by}).iloc[0] for by in (0.99, 1.01)]
    assert labels[0]["p_equivalence"] > 0.05 > labels[1]["p_equivalence"]
    assert [row["label"] == "within noise" for row in labels] == [False, True]


def test_shared_clusters_widen_the_interval(table):
    shared = np.repeat(RNG.normal(size=20), 5)
    clusters = [f"c{i // 5}" for i in range(100)]
    a = {"l": np.zeros(100)}
    alone, together = (
        compare_tables(real(table, a, cluster=c), real(table, {"l": shared}, cluster=c)).iloc[0]
        for c in (None, clusters)
    )
    expected = ttest_1samp(shared.reshape(20, 5).mean(axis=1), 0).confidence_interval(0.95)
    assert together["ci_low"] == pytest.approx(expected.low, abs=1e-5)
    assert together["interval_method"] == "cluster-robust t"
    assert together["se"] > 2 * alone["se"]


def test_other_examples_are_two_samples(table):
    a, b = RNG.normal(size=60), 2 * RNG.normal(size=90) + 0.3
    second = real(table, {"l": b})
    second.frame["example"] = second.frame["cluster"] = "x" + second.frame["example"]
    row = compare_tables(real(table, {"l": a}), second).iloc[0]
    welch = ttest_ind(b, a, equal_var=False)
    assert row["design"] == "two samples" and row["interval_method"] == "two-sample t"
    assert row["se"] == pytest.approx(welch.statistic and (b.mean() - a.mean()) / welch.statistic, rel=1e-4)
    interval = welch.confidence_interval(0.95)
    assert row["ci_high"] - row["ci_low"] == pytest.approx(interval.high - interval.low, rel=0.02)
    assert row["p"] == pytest.approx(welch.pvalue, abs=0.01)
    assert (row["n_units_a"], row["n_units_b"]) == (60, 90)


def test_shared_ids_may_be_two_samples_on_request(table):
    a = real(table, {"l": RNG.normal(size=30)})
    assert compare_tables(a, a, paired=False).iloc[0]["design"] == "two samples"


def test_binary_outcomes_without_differences_keep_an_interval(table):
    ones = np.ones(100)
    a = table({"correct": ones}, {"l": {"correct": np.r_[0, ones[1:]]}})
    row = compare_tables(a, a, sesoi=0.05).iloc[0]
    # A hundred differences of 0, and one each of +1 and -1, with the degrees of freedom of the hundred.
    half = student.ppf(0.975, 99) * np.r_[np.zeros(100), 1, -1].std(ddof=1) / np.sqrt(102)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-half, half))
    assert row["interval_method"] == "paired t, Bonett-Price adjusted"
    assert row["label"] == "within noise"
    assert compare_tables(a, a).iloc[0]["label"] == "undecided"


def test_shares_that_changed_are_compared(table):
    labels = {"word": ["p", "q", "r"]}
    a = table({"word": np.zeros(40)}, {"l": {"word": np.r_[np.ones(10), np.zeros(30)]}}, labels=labels)
    b = table({"word": np.ones(40)}, {"l": {"word": np.r_[np.full(30, 2), np.ones(10)]}}, labels=labels)
    row = compare_tables(a, b).iloc[0]
    assert (row["ate_a"], row["ate_b"], row["difference"]) == (0.25, 0.75, 0.5)
    assert np.isnan(row["factual_a"]) and 0 < row["ci_low"] < 0.5 < row["ci_high"] <= 1
    b.frame["example"] = b.frame["cluster"] = "x" + b.frame["example"]
    apart = compare_tables(a, b).iloc[0]
    # Agresti-Caffo: (31 / 42) - (11 / 42), with the t quantile of each side.
    assert (apart["ci_low"] + apart["ci_high"]) / 2 == pytest.approx(20 / 42)
    assert apart["interval_method"].endswith("Agresti-Caffo adjusted")


def test_the_same_seeds_are_paired_and_counted_as_few(table, joined):
    n, shifts = 40, [0.0, 1.0, 2.0]
    noise = RNG.normal(size=(3, n))
    a = joined(*(real(table, {"l": noise[s]}, seed=s) for s in range(3)))
    b = joined(*(real(table, {"l": noise[s] + shifts[s]}, seed=s) for s in range(3)))
    row = compare_tables(a, b).iloc[0]
    expected = ttest_1samp(shifts, 0).confidence_interval(0.95)
    assert row["interval_method"] == "two-way t"
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert (row["n_seeds_a"], row["n_seeds_b"]) == (3, 3)


def test_interval_over_the_same_seeds_covers_though_examples_hardly_differ(effects_of):
    rng, n, seeds, repetitions = np.random.default_rng(3), 50, 3, 1500
    unit, seed = np.tile(np.arange(n), seeds), np.repeat(np.arange(seeds), n)
    shift = 0.4 * rng.normal(size=(repetitions, seeds))[:, seed]
    differences = shift + rng.normal(size=(repetitions, n * seeds))
    a, b = (effects_of(x, unit=unit, cluster=unit, seed=seed) for x in (np.zeros_like(differences), differences))
    spread = paired_difference(a, b, same_seeds=True).spread
    covers = (np.abs(spread.center) < spread.half_width(0.95)).mean()
    assert 0.935 < covers < 0.975


def test_one_seed_each_is_one_to_one_whatever_it_is_called(table):
    a, b = RNG.normal(size=20), RNG.normal(size=20)
    same = compare_tables(real(table, {"l": a}), real(table, {"l": b})).iloc[0]
    named = compare_tables(real(table, {"l": a}), real(table, {"l": b}, seed=7)).iloc[0]
    assert same["ci_low"] == named["ci_low"] and named["interval_method"] == "paired t"


def test_other_seeds_contribute_a_part_of_their_own(table, joined):
    n, shifts = 200, np.array([-1.0, 0.0, 1.5, 0.5])
    a = real(table, {"l": RNG.normal(size=n)})
    b = joined(*(real(table, {"l": RNG.normal(size=n) + x}, seed=s) for s, x in enumerate(shifts, 1)))
    row = compare_tables(a, b).iloc[0]
    assert row["interval_method"] == "t over examples and seeds of either table"
    assert (row["n_seeds_a"], row["n_seeds_b"], row["n_units_b"]) == (1, 4, n)
    from_seeds = shifts.var(ddof=1) / 4
    assert row["se"] ** 2 == pytest.approx(from_seeds + 1.25 / n, rel=0.15)
    assert row["test_method"] == "t"


def test_p_values_are_adjusted_over_lesions_within_outcome_and_group(table):
    effects = {f"l{i}": RNG.normal(size=40) for i in range(4)}
    groups = {"g": ["x", "y"] * 20}
    other = {k: v + RNG.normal(size=40) for k, v in effects.items()} | {
        "l0": effects["l0"] + 1 + RNG.normal(size=40) / 9
    }
    found = compare_tables(real(table, effects, groups=groups), real(table, other, groups=groups))
    for _, family in found.groupby("group"):
        assert len(family) == 4
        assert family["p_holm"].min() == pytest.approx(min(1.0, 4 * family["p"].min()))
    assert everyone(found)["label"].tolist()[0] == "effect"
    assert found["group"].unique().tolist() == ["all", "g=x", "g=y"]


def test_order_of_lesions_does_not_matter(table):
    effects = {f"l{i}": RNG.normal(size=20) for i in range(3)}
    other = {k: v + 0.1 for k, v in effects.items()}
    a, b = real(table, effects), real(table, dict(reversed(other.items())))
    straight = compare_tables(a, real(table, other))
    pd.testing.assert_frame_equal(compare_tables(a, b), straight)


def test_only_what_is_common_is_compared_and_the_rest_told(table):
    a = real(table, {"l": np.ones(10), "k": np.ones(10)})
    b = real(table, {"l": np.ones(8), "m": np.zeros(8)})
    found = compare_tables(a, b)
    assert found["lesion"].tolist() == ["l"] and found["n_units_a"].tolist() == [8]
    assert found.attrs["left_out"] == {
        "a": {"outcomes": [], "lesions": ["k"], "n_examples": 2},
        "b": {"outcomes": [], "lesions": ["m"], "n_examples": 0},
    }


def test_lesions_of_other_names_are_matched(table):
    a, b = real(table, {"head 1": np.zeros(10)}), real(table, {"head 7": np.ones(10), "x": np.zeros(10)})
    found = compare_tables(a, b, lesions={"head 1": "head 7"})
    assert found["lesion"].tolist() == ["head 1"] and found["difference"][0] == pytest.approx(1)


def test_compensation_is_retraining_minus_lesion(table):
    a, b = real(table, {"l": np.full(12, -0.5)}), real(table, {"l": np.full(12, -0.125)})
    row = compensation(a, b).iloc[0]
    assert row["compensation"] == pytest.approx(0.375) and row["ratio"] == pytest.approx(0.25)
    assert (row["ate_lesion"], row["ate_retraining"]) == pytest.approx((-0.5, -0.125))


def test_one_cluster_is_undefined(table, recwarn):
    a = real(table, {"l": np.zeros(4)}, cluster=["c"] * 4)
    b = real(table, {"l": np.ones(4)}, cluster=["c"] * 4)
    for paired in (None, False):
        row = compare_tables(a, b, paired=paired).iloc[0]
        assert row["interval_method"] == UNDEFINED_CLUSTER and row["label"] == "undecided"
        assert row["difference"] == pytest.approx(1) and np.isnan(row["p"])
        assert row["ratio_method"].startswith("undefined")
    assert not recwarn.list


def test_one_example_and_inert_lesions(table, recwarn):
    one = real(table, {"l": np.zeros(1)})
    assert compare_tables(one, one).iloc[0]["label"] == "undecided"
    inert = real(table, {"l": np.zeros(10)})
    for paired in (None, False):
        row = compare_tables(inert, inert, paired=paired).iloc[0]
        assert (
            row["difference"] == 0 and row["p"] == 1 and row["ratio_method"].startswith("undefined: the effect below")
        )
    assert not recwarn.list


def test_refused(table, joined):
    a = real(table, {"l": RNG.normal(size=6)}, groups={"g": list("xxxyyy")})
    for other, says in [
        (real(table, {"k": np.zeros(6)}), "no lesion in common: a has l; b has k; match them with lesions"),
        (table({"z": np.zeros(6)}, {"l": {"z": np.ones(6)}}), "no outcome in common: a has y; b has z"),
        (table({"y": np.ones(6)}, {"l": {"y": np.zeros(6)}}), '"y" is real in a and binary in b'),
        (
            real(table, {"l": np.zeros(6)}, groups={"g": list("xxxxyy")}),
            'example "e3" has group.g "y" in a and "x" in b',
        ),
        (real(table, {"l": np.zeros(6)}, cluster=list("aabbcc")), 'example "e0" has cluster "e0" in a and "a" in b'),
    ]:
        with pytest.raises(EffectError, match=says):
            compare_tables(a, other)
    far = real(table, {"l": np.zeros(6)})
    far.frame["example"] = "x" + far.frame["example"]
    with pytest.raises(EffectError, match="share no example"):
        compare_tables(a, far, paired=True)
    for arguments, says in [
        ({"names": ("a", "a")}, "two different names"),
        ({"level": 0.4}, "level is 0.4"),
        ({"n_permutations": 0}, "n_permutations is 0"),
        ({"lesions": {"ll": "l"}}, r'no lesion "ll" in a \(did you mean l\?\)'),
        ({"lesions": {"l": "m"}}, 'no lesion "m" in b'),
        ({"sesoi": {"x": 1.0}}, 'no outcome "x"'),
    ]:
        with pytest.raises(EffectError, match=says):
            compare_tables(a, a, **arguments)


def test_interval_of_the_difference_covers(table):
    """Correlated binary worlds of two models, 60 examples: the truth is 0.7 - 0.82."""
    rng, hits = np.random.default_rng(2), 0
    ones = np.ones(60)
    for _ in range(40):
        hard = rng.random(60)
        a, b = (hard > 0.1).astype(float), (hard > 0.25).astype(float)
        lesions = ({"l": {"correct": np.where(rng.random(60) < 0.1, 1 - x, x)}} for x in (a, b))
        row = compare_tables(*(table({"correct": ones}, x) for x in lesions), n_permutations=99).iloc[0]
        hits += row["ci_low"] < -0.12 < row["ci_high"]
    assert hits >= 35
