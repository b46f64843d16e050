import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, ttest_ind

from causalablate.effects.blocks import paired_blocks
from causalablate.effects.heterogeneity import failure_modes
from causalablate.effects.heterogeneity.difference import inside_minus_outside
from causalablate.effects.heterogeneity.failures import COLUMNS
from causalablate.effects.heterogeneity.search import HONEST
from causalablate.errors import EffectError
from causalablate.table import Counterfactuals

N = 120


@pytest.fixture
def planted(table):
    """`hurts` does harm to the examples of type a alone; `nothing` does none."""
    rng = np.random.default_rng(0)
    kind = np.array(["a", "b", "c"])[np.arange(N) % 3]
    size = np.array(["small", "large"])[np.arange(N) // 2 % 2]
    factual = rng.normal(size=N)
    hurt = factual + 0.3 * rng.normal(size=N) - 2.0 * (kind == "a")
    nothing = factual + 0.3 * rng.normal(size=N)
    return table(
        {"y": factual},
        {"nothing": {"y": nothing}, "hurts": {"y": hurt}},
        groups={"type": list(kind), "size": list(size)},
    )


def test_finds_the_planted_group_first(planted):
    found = failure_modes(planted)
    assert tuple(found.columns) == COLUMNS
    first = found.iloc[0]
    assert (first["lesion"], first["group"], first["rank"], first["stronger"]) == ("hurts", "type=a", 1, "inside")
    assert first["n_units"] == 40 and first["n_outside"] == 80
    assert first["ate"] == pytest.approx(-2, abs=0.2) and first["ate_outside"] == pytest.approx(0, abs=0.2)
    assert first["ci_low"] < -2 < first["ci_high"] < 0
    assert first["p_adjusted"] < 1e-10
    assert found[found["lesion"] == "nothing"]["p_adjusted"].min() > 0.05
    assert len(found) == 2 * (3 + 2 + 6)


def test_numbers_are_those_of_welch_and_benjamini_hochberg(planted):
    found = failure_modes(planted, depth=1)
    frame = planted.frame[planted.frame["lesion"] == "hurts"]
    inside = frame["group.type"] == "b"
    row = found[(found["lesion"] == "hurts") & (found["group"] == "type=b")].iloc[0]
    effect = frame["effect"].astype(float)
    welch = ttest_ind(effect[inside], effect[~inside], equal_var=False)
    assert row["difference"] == pytest.approx(effect[inside].mean() - effect[~inside].mean(), abs=1e-6)
    assert row["difference"] / row["se"] == pytest.approx(welch.statistic, rel=1e-5)
    assert row["interval_method"] == "Welch t"
    assert found["p_adjusted"].to_numpy() == pytest.approx(false_discovery_control(found["p"]), rel=1e-9)


def test_hit_harder_comes_before_hit_less_and_ranks_run_through(planted):
    found = failure_modes(planted)
    defined = found[found["rank"].notna()]
    assert defined["rank"].tolist() == list(range(1, len(defined) + 1))
    weaker = (defined["stronger"] == "outside").to_numpy()
    assert (np.diff(weaker.astype(int)) >= 0).all()
    for side in (defined[~weaker], defined[weaker]):
        assert side["p"].is_monotonic_increasing


def test_small_groups_are_listed_as_undefined(table):
    groups = {"g": ["one", *["few"] * 5, *["many"] * 30]}
    values = np.random.default_rng(1).normal(size=36)
    found = failure_modes(table({"y": np.zeros(36)}, {"l": {"y": values}}, groups=groups)).set_index("group")
    assert found.loc["g=one", "interval_method"] == "undefined: 1 examples inside, fewer than 10"
    assert found.loc["g=few", "interval_method"] == "undefined: 5 examples inside, fewer than 10"
    assert found.loc["g=many", "interval_method"] == "undefined: 6 examples outside, fewer than 10"
    assert found[["p", "p_adjusted", "ci_low", "rank"]].isna().all(axis=None)
    assert found.loc["g=one", "ate"] == pytest.approx(values[0], rel=1e-5)
    assert (
        failure_modes(table({"y": np.zeros(36)}, {"l": {"y": values}}, groups=groups), min_size=5)
        .set_index("group")
        .loc["g=few", "p"]
        > 0
    )


def test_one_level_and_one_cluster_are_undefined(table):
    clusters = [f"c{i // 12}" for i in range(24)]
    groups = {"all_alike": ["x"] * 24, "by_cluster": ["p"] * 12 + ["q"] * 12}
    values = np.random.default_rng(1).normal(size=24)
    found = failure_modes(table({"y": np.zeros(24)}, {"l": {"y": values}}, cluster=clusters, groups=groups))
    methods = found.set_index("group")["interval_method"]
    assert methods["all_alike=x"] == "undefined: 0 examples outside, fewer than 10"
    assert methods["by_cluster=p"] == "undefined: one cluster inside"


def test_inert_lesion_is_undefined_and_no_warning(table, recwarn):
    groups = {"g": ["x", "y"] * 20}
    flat = table(
        {"y": np.arange(40.0), "correct": np.ones(40)},
        {"l": {"y": np.arange(40.0), "correct": np.ones(40)}},
        groups=groups,
    )
    for correction in ("bh", "maxt"):
        found = failure_modes(flat, correction=correction)
        assert (found["interval_method"] == "undefined: the effects do not vary").all()
        assert found["rank"].isna().all()
    assert not recwarn.list


def test_flips_are_counted_and_intervals_hold_few_of_them(table):
    groups = {"g": ["x"] * 12 + ["y"] * 28}
    after = np.r_[np.zeros(12), np.ones(28)]
    found = failure_modes(table({"correct": np.ones(40)}, {"l": {"correct": after}}, groups=groups))
    row = found.iloc[0]
    assert (row["group"], row["n_flips_down"], row["n_flips_up"]) == ("g=x", 12, 0)
    assert row["difference"] == -1 and row["ci_low"] >= -2 and row["ci_high"] < -0.4
    assert row["counterfactual_mean"] == 0 and row["factual_mean"] == 1


def test_order_of_lesions_does_not_matter(planted):
    frame = planted.frame
    other = Counterfactuals(pd.concat([frame[frame["lesion"] == x] for x in ("hurts", "nothing")], ignore_index=True))
    for correction in ("bh", "maxt"):
        a, b = (
            failure_modes(t, correction=correction).sort_values(["lesion", "group"]).reset_index(drop=True)
            for t in (planted, other)
        )
        pd.testing.assert_frame_equal(a.drop(columns="rank"), b.drop(columns="rank"))


def test_maxt_finds_the_planted_group_and_is_repeatable(planted):
    found = failure_modes(planted, correction="maxt", n_permutations=199)
    assert found.iloc[0]["p_adjusted"] == 1 / 200
    assert found[found["lesion"] == "nothing"]["p_adjusted"].min() > 0.05
    pd.testing.assert_frame_equal(found, failure_modes(planted, correction="maxt", n_permutations=199))
    ordered = found.dropna(subset="p")
    assert (ordered["p_adjusted"] >= ordered["p"] * 0.5).all()


def test_lesions_on_different_examples_are_one_family(planted):
    frame = planted.frame
    part = Counterfactuals(frame[(frame["lesion"] == "hurts") | (frame["example"] != "e5")].reset_index(drop=True))
    for correction in ("bh", "maxt"):
        found = failure_modes(part, correction=correction)
        assert found.iloc[0]["group"] == "type=a" and set(found["lesion"]) == {"hurts", "nothing"}


def test_honest_estimates_come_from_the_other_half(planted):
    found = failure_modes(planted, honest=True, depth=1)
    row = found.iloc[0]
    assert row["group"] == "type=a"
    assert row["n_units"] + row["n_units_honest"] == 40
    assert row["ci_low_honest"] < -2 < row["ci_high_honest"]
    whole = failure_modes(planted, depth=1)
    # `group` means over both halves are the whole mean.
    mean = (row["ate"] * row["n_units"] + row["ate_honest"] * row["n_units_honest"]) / 40
    assert mean == pytest.approx(whole.iloc[0]["ate"], rel=1e-6)
    assert whole[[c for c in HONEST if c != "interval_method_honest"]].isna().all(axis=None)


def test_winners_of_a_search_of_noise_are_honest_on_the_other_half(table):
    rng, inside, honest = np.random.default_rng(5), [], []
    for _ in range(12):
        groups = {f"g{i}": list(np.array(["x", "y"])[rng.integers(0, 2, 80)]) for i in range(8)}
        found = failure_modes(
            table({"y": np.zeros(80)}, {"l": {"y": rng.normal(size=80)}}, groups=groups), honest=True, depth=1
        )
        sign = np.sign(found.iloc[0]["difference"])
        inside.append(sign * found.iloc[0]["difference"])
        honest.append(sign * found.iloc[0]["difference_honest"])
    assert np.mean(inside) > 0.4
    assert abs(np.mean(honest)) < 0.3


def test_several_seeds_count_examples_once_and_get_a_two_way_interval(table, joined):
    rng, groups = np.random.default_rng(6), {"g": ["x"] * 15 + ["y"] * 25}
    tables = [table({"y": np.zeros(40)}, {"l": {"y": rng.normal(size=40)}}, groups=groups, seed=s) for s in range(3)]
    row = failure_modes(joined(*tables)).set_index("group").loc["g=x"]
    assert (row["n_units"], row["n_outside"], row["interval_method"]) == (15, 25, "two-way t, CR2")
    assert 0 < row["p"] <= 1


def test_covariates_are_searched_too(planted):
    size = pd.DataFrame({"brightness": np.arange(N) / N}, index=[f"e{i}" for i in range(N)])
    groups = set(failure_modes(planted, covariates=size, bins=2, depth=1)["group"])
    assert {"brightness=q1: 0 to 0.496", "brightness=q2: 0.496 to 0.992", "type=a"} <= groups


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"level": 1.0}, "level is 1.0"),
        ({"depth": 3}, "depth is 3"),
        ({"min_size": 1}, "min_size is 1"),
        ({"correction": "hom"}, r'no correction "hom" \(did you mean holm\?\)'),
        ({"n_permutations": 0}, "n_permutations is 0"),
    ],
)
def test_refused(planted, arguments, says):
    with pytest.raises(EffectError, match=says):
        failure_modes(planted, **arguments)


def test_nothing_to_group_by(table):
    with pytest.raises(EffectError, match="no group columns"):
        failure_modes(table({"y": [0.0, 1.0]}, {"l": {"y": [1.0, 1.0]}}))


def test_one_example(table):
    one = table({"y": [0.0]}, {"l": {"y": [1.0]}}, groups={"g": ["x"]})
    assert failure_modes(one)["interval_method"].tolist() == ["undefined: 1 examples inside, fewer than 10"]
    with pytest.raises(EffectError, match="two clusters or more"):
        failure_modes(one, honest=True)


def test_bands_are_intervals_at_the_level_that_all_tests_of_the_outcome_need_at_once(planted):
    found = failure_modes(planted, depth=1).set_index(["lesion", "group"])
    (block,) = paired_blocks(planted)
    n_tests = 2 * (3 + 2)
    for i, lesion in enumerate(block.lesions):
        spread = inside_minus_outside(block, block.groups["type"] == "a")
        half = spread.half_width(0.95 ** (1 / n_tests))[i]
        row = found.loc[(lesion, "type=a")]
        assert row["band_low"] == pytest.approx(spread.center[i] - half, abs=1e-12)
        assert row["band_high"] == pytest.approx(spread.center[i] + half, abs=1e-12)
    assert (found["band_low"] < found["ci_low"]).all() and (found["band_high"] > found["ci_high"]).all()


def test_groups_that_are_undefined_widen_no_band(planted, table):
    frame = planted.frame
    whole = failure_modes(planted, depth=1)
    rare = ["rare" if i < 3 else "rest" for i in range(N)]
    values = {
        name: frame.loc[frame["lesion"] == name, "counterfactual"].astype(float).to_numpy()
        for name in ("nothing", "hurts")
    }
    factual = frame.loc[frame["lesion"] == "hurts", "factual"].astype(float).to_numpy()
    groups = {
        name: frame.loc[frame["lesion"] == "hurts", f"group.{name}"].astype(str).tolist() for name in ("type", "size")
    }
    more = table({"y": factual}, {name: {"y": y} for name, y in values.items()}, groups={**groups, "rarity": rare})
    with_rare = failure_modes(more, depth=1)
    keys = ["lesion", "group"]
    both = whole.merge(with_rare, on=keys, suffixes=("", "_more"))
    assert len(both) == len(whole)
    assert both["band_low_more"].to_numpy() == pytest.approx(both["band_low"].to_numpy(), abs=1e-9)
