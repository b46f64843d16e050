import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from causalablate.report.figures.volcano import threshold, volcano

METHODS = {"bonferroni": "bonferroni", "holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}


@pytest.mark.parametrize("correction", METHODS)
@pytest.mark.parametrize("power", [0.2, 1.0, 4.0, 12.0])
def test_the_line_divides_what_is_significant_after_correction(correction, power):
    p = np.random.default_rng(3).random(60) ** power
    rejected = multipletests(p, alpha=0.05, method=METHODS[correction])[0]
    line = threshold(p, 0.05, correction)
    assert ((p <= line) == rejected).all()


def test_all_or_none_can_be_significant():
    assert threshold(np.full(4, 1e-9), 0.05, "holm") == 0.05
    assert threshold(np.ones(4), 0.05, "holm") == threshold(np.ones(4), 0.05, "bh") == 0.05 / 4
    assert threshold(np.ones(4), 0.05, "maxt") is None


def test_points_and_names(study, texts):
    figure = volcano(study.effects, study.kinds, "correct", sesoi=0.005)
    found = texts(figure)
    assert "passes.fine=mean" in found
    assert "effect on accuracy, points (counterfactual − factual)" in found
    assert any(text.startswith("5 % after Holm: p < ") for text in found)
    assert any("too small to matter" in text for text in found)
    assert any("; 7 lesions" in text for text in found)
    rows = study.effects.query("outcome == 'correct' and group == 'all'")
    drawn = {round(float(line.get_xdata()[0]), 6) for line in figure.axes[0].lines if len(line.get_xdata()) == 1}
    assert {round(100 * ate, 6) for ate in rows["ate"]} <= drawn


def test_tiny_p_values_stand_at_the_top(study, texts):
    figure = volcano(study.effects.assign(p=1e-200), study.kinds, "correct")
    assert any("p below 1e-16 at 16" in text for text in texts(figure))
    assert max(float(np.max(line.get_ydata())) for line in figure.axes[0].lines if len(line.get_xdata()) == 1) == 16


def test_the_smallest_p_of_a_permutation_test_is_told(study, texts):
    found = texts(volcano(study.effects, study.kinds, "answer_logprob"))
    assert any("499 random sign flips give no p below 2.0e-03" in text for text in found)


def test_without_p_there_is_no_volcano(study):
    assert volcano(study.effects.drop(columns="p"), study.kinds, "correct") is None
    assert volcano(study.effects.assign(p=np.nan), study.kinds, "correct") is None


@pytest.mark.parametrize("n", [1, 5, 300])
def test_names_never_overlap(study, texts, n):
    row = study.effects.query("outcome == 'correct' and group == 'all'").iloc[[0]]
    effects = row.loc[row.index.repeat(n)].reset_index(drop=True)
    rng = np.random.default_rng(n)
    effects["lesion"] = [f"lm.layers.{i}.heads.3=a long off" for i in range(n)]
    effects["ate"], effects["p"] = rng.normal(size=n) / 10, rng.random(n) ** 5
    effects.attrs = study.effects.attrs
    assert sum("heads" in text for text in texts(volcano(effects, {}, "correct"))) >= min(n, 3)
