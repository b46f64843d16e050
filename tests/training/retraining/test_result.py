"""Intervals of compensation over seeds x examples, against closed forms; rankings, families, warnings."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from scipy.stats import t as student

from causalablate.table import Counterfactuals, Units, rows
from causalablate.training.retraining.result import Facts, comparison

RNG = np.random.default_rng(0)


def tables(compensations, outcome, *, base=None, lesioned=None):
    """Both tables with these individual compensations, lesion to (seeds, examples)."""
    made = ([], [])
    for lesion, d in compensations.items():
        n_seeds, n = d.shape
        units = Units([f"e{i}" for i in range(n)], [f"e{i}" for i in range(n)])
        for s in range(n_seeds):
            factual = np.linspace(-1, 1, n) if base is None else base[s]
            cut = factual if lesioned is None else lesioned[s]
            for frames, after in zip(made, (cut, cut + d[s]), strict=True):
                frames.append(
                    rows(
                        units,
                        study="s",
                        model=f"m{s}",
                        seed=s,
                        lesion=lesion,
                        factual={outcome: factual},
                        counterfactual={outcome: after},
                        fired=np.ones(n, dtype=bool),
                        change_norm=np.ones(n),
                    )
                )
    return [Counterfactuals(pd.concat(frames, ignore_index=True)) for frames in made]


def compared(d, outcome="y", **worlds):
    found = comparison(*tables({"l": d}, outcome, **worlds), Facts("t", {"l": "arm"}))
    return found.frame.iloc[0]


def half_width(cells, df, level=0.95):
    """Two-way t of a balanced table of means (seeds, examples), from its analysis of variance."""
    n_seeds, n = cells.shape
    total, by_seed, by_example = cells.mean(), cells.mean(axis=1), cells.mean(axis=0)
    interaction = cells - by_seed[:, None] - by_example[None] + total
    v_seed, v_example = by_seed.var(ddof=1) / n_seeds, by_example.var(ddof=1) / n
    v_cell = (interaction**2).sum() / ((n_seeds - 1) * (n - 1)) / (n_seeds * n)
    quantiles = student.ppf((1 + level) / 2, df)
    return np.sqrt(quantiles[0] ** 2 * v_seed + quantiles[1] ** 2 * max(v_example - v_cell, 0))


def limits(row):
    return row["ci_low"], row["ci_high"]


def test_seeds_alone_are_a_t_interval_over_seeds():
    shift = np.array([0.1, 0.5, 0.3])
    row = compared(np.repeat(shift[:, None], 50, axis=1))
    half = student.ppf(0.975, 2) * shift.std(ddof=1) / np.sqrt(3)
    assert row["compensation"] == pytest.approx(0.3, abs=1e-6)
    assert limits(row) == pytest.approx((0.3 - half, 0.3 + half), abs=1e-5)


def test_examples_alone_are_a_t_interval_over_examples():
    each = RNG.normal(size=50)
    row = compared(np.repeat(each[None], 3, axis=0))
    half = student.ppf(0.975, 49) * each.std(ddof=1) / np.sqrt(50)
    assert limits(row) == pytest.approx((each.mean() - half, each.mean() + half), abs=1e-5)


def test_seeds_and_examples_add_square_by_square():
    shift, each = np.array([0.3, -0.2, 0.4, 0.1]), RNG.normal(size=40)
    row = compared(shift[:, None] + each[None])
    over_seeds = student.ppf(0.975, 3) * shift.std(ddof=1) / 2
    over_examples = student.ppf(0.975, 39) * each.std(ddof=1) / np.sqrt(40)
    centre = shift.mean() + each.mean()
    half = np.hypot(over_seeds, over_examples)
    assert limits(row) == pytest.approx((centre - half, centre + half), abs=1e-5)


def test_what_seeds_and_examples_share_is_counted_once():
    d = 0.3 + 0.2 * RNG.normal(size=(3, 1)) + 0.5 * RNG.normal(size=(1, 30)) + RNG.normal(size=(3, 30))
    row = compared(d)
    half = half_width(d, (2, 29))
    assert limits(row) == pytest.approx((d.mean() - half, d.mean() + half), abs=1e-5)


def test_binary_outcomes_get_one_example_more_in_each_direction():
    lesioned = (RNG.random((3, 60)) < 0.5).astype(float)
    retrained = np.maximum(lesioned, RNG.random((3, 60)) < 0.6)
    d = retrained - lesioned
    row = compared(d, "correct", base=np.ones((3, 60)), lesioned=lesioned)
    ends = np.hstack([d, np.ones((3, 1)), -np.ones((3, 1))])
    half = half_width(ends, (2, 59))
    assert row["interval_method"] == "two-way t, Bonett-Price adjusted"
    assert row["compensation"] == pytest.approx(d.mean())
    assert limits(row) == pytest.approx((ends.mean() - half, ends.mean() + half), abs=1e-6)


def test_binary_outcomes_without_any_difference_keep_an_interval():
    ones = np.ones((3, 100))
    row = compared(np.zeros((3, 100)), "correct", base=ones, lesioned=ones)
    half = student.ppf(0.975, 99) * np.r_[np.zeros(100), 1, -1].std(ddof=1) / np.sqrt(102)
    assert limits(row) == pytest.approx((-half, half))


def test_what_the_full_model_says_cancels():
    lesioned = (RNG.random((3, 40)) < 0.5).astype(float)
    d = (RNG.random((3, 40)) < 0.9).astype(float) - lesioned
    one, other = (compared(d, "correct", base=x, lesioned=lesioned) for x in (np.ones((3, 40)), lesioned))
    assert limits(one) == limits(other) and one["p"] == other["p"]
    assert one["ate_lesion"] != other["ate_lesion"]


def test_both_effects_have_their_own_interval_and_label():
    lesioned = np.linspace(-1, 1, 60) - 1 - 0.1 * RNG.normal(size=(3, 60))
    row = compared(1 - 0.05 * RNG.normal(size=(3, 60)), lesioned=lesioned)
    cut = lesioned - np.linspace(-1, 1, 60)
    half = half_width(cut, (2, 59))
    assert (row["ci_low_lesion"], row["ci_high_lesion"]) == pytest.approx(
        (cut.mean() - half, cut.mean() + half), abs=1e-5
    )
    assert row["label_lesion"] == row["label"] == "effect" and row["label_retraining"] != "effect"


def test_rankings_agree_as_their_means_do():
    # Without the lesion nothing changes; retraining adds so much to each of five components.
    sizes = {f"l{i}": x for i, x in enumerate((0.5, 0.1, -0.2, 0.9, 0.0))}
    d = {name: x + 0.3 * RNG.normal(size=(3, 50)) for name, x in sizes.items()}
    a, b = tables(d, "y")
    cut = {name: -2.0 * i for i, name in enumerate(sizes)}
    a.frame["counterfactual"] += a.frame["lesion"].map(cut).astype(np.float32)
    a.frame["effect"] = a.frame["counterfactual"] - a.frame["factual"]
    row = comparison(a, b, Facts("t", dict.fromkeys(sizes, "arm"))).ranking.iloc[0]
    means = np.array([x.mean() for x in d.values()])
    assert row["spearman"] == pytest.approx(spearmanr(list(cut.values()), means).statistic)
    each = [spearmanr(list(cut.values()), [x[s].mean() for x in d.values()]).statistic for s in range(3)]
    assert (row["seed_lowest"], row["seed_highest"]) == pytest.approx((min(each), max(each)))
    assert row["k"] == 2


def test_controls_are_a_family_of_their_own():
    d = {name: 0.2 + RNG.normal(size=(3, 60)) for name in ("a", "b", "c", "c wide")}
    found = comparison(*tables(d, "y"), Facts("t", {n: n for n in d}, {"c wide": "c"}))
    assert found.frame["control"].tolist() == [False, False, False, True]
    assert found.ranking["n_lesions"].tolist() == [3]
    plain, control = found.frame[~found.frame["control"]], found.frame[found.frame["control"]]
    assert plain["p_holm"].min() == pytest.approx(min(1, 3 * plain["p"].min()))
    assert control["p_holm"].item() == pytest.approx(control["p"].item())
    capacity = found.capacity.iloc[0]
    assert capacity["lesion"] == "c"
    assert capacity["difference"] == pytest.approx((d["c wide"] - d["c"]).mean(), abs=1e-6)
    half = half_width(d["c wide"] - d["c"], (2, 59))
    assert capacity["ci_high"] - capacity["difference"] == pytest.approx(half, abs=1e-5)


def test_a_component_may_lack_a_seed():
    d = {"a": RNG.normal(size=(3, 40)), "b": RNG.normal(size=(2, 40))}
    frame = comparison(*tables(d, "y"), Facts("t", {n: n for n in d})).frame.set_index("lesion")
    assert frame["n_seeds_retraining"].to_dict() == {"a": 3, "b": 2}
    for name, df in (("a", 2), ("b", 1)):
        assert frame.loc[name, "compensation"] == pytest.approx(d[name].mean(), abs=1e-6)
        half = half_width(d[name], (df, 39))
        assert frame.loc[name, "ci_high"] - frame.loc[name, "compensation"] == pytest.approx(half, abs=1e-5)


@pytest.mark.parametrize(
    ("seeds", "says"),
    [
        ({"a": 3, "b": 3}, ()),
        ({"a": 1, "b": 1}, ("All components have one seed: the intervals are over examples only",)),
        ({"a": 2, "b": 2}, ("All components have fewer than 3 seeds",)),
        ({"a": 3, "b": 2}, ("b has fewer than 3 seeds",)),
    ],
)
def test_few_seeds_are_said(seeds, says):
    d = {name: RNG.normal(size=(n, 20)) for name, n in seeds.items()}
    notes = comparison(*tables(d, "y"), Facts("t", {n: n for n in d}, notes=("first",))).notes
    assert notes[0] == "first" and len(notes) == 1 + len(says)
    assert all(text in note for text, note in zip(says, notes[1:], strict=True))
