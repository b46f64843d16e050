import numpy as np
import pandas as pd
import pytest

from causalablate.report.effects import kind_of, methods
from causalablate.report.views import Shown, significant, view_cells


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (3.0, "3"), (-0.012345, "−0.0123"), (12345.6, "12,346"), (1e-7, "1e−07"),
     (np.nan, "–"), (np.inf, "∞"), (-np.inf, "−∞")],
)  # fmt: skip
def test_numbers_have_three_digits(value, text):
    assert significant(value) == text


def shown():
    frame = pd.DataFrame(
        {
            "outcome": ["correct"] * 3 + ["loss"],
            "lesion": ["a", "a", "b", "a"],
            "group": ["all", "t=x", "all", "all"],
            "ate": [-0.5, 0.25, 0.0, 1.5],
            "ci_low": [-0.75, np.nan, -0.125, 1.0],
            "ci_high": [-0.25, np.nan, 0.125, 2.0],
            "p": [0.0001, np.nan, 0.5, 0.25],
            "n_units": [100, 100, 100, 1234],
            "note": ["", "", "", ""],
            "hidden": [1, 2, 3, 4],
        }
    )
    frame.attrs = {"level": 0.9}
    return Shown("what was found", frame, ("ate", "ci_low", "p", "n_units", "note", "missing"))


def test_a_view_is_one_table_per_outcome():
    correct, loss = view_cells(shown())
    assert correct.title == "Accuracy: what was found; n_units 100"
    assert correct.header == ["lesion", "group", "ate", "90 % interval", "p"]
    assert correct.rows == [
        ["a", "all", "−0.5", "[−0.75, −0.25]", "< 0.001"],
        ["a", "t=x", "0.25", "–", "–"],
        ["b", "all", "0", "[−0.125, 0.125]", "0.50"],
    ]
    assert correct.right == [False, False, True, True, True]
    assert loss.header == ["lesion", "ate", "90 % interval", "p", "n_units"]
    assert loss.rows == [["a", "1.5", "[1, 2]", "0.25", "1,234"]]


def test_long_views_show_all_examples_first():
    assert [row[0] for row in view_cells(shown(), most=2)[0].rows] == ["a", "b"]
    assert [row[0] for row in view_cells(shown(), most=1)[0].rows] == ["a"]


def test_an_empty_view_has_no_tables():
    view = shown()
    assert view_cells(Shown(view.title, view.frame.iloc[:0], view.columns)) == []


@pytest.mark.parametrize(
    ("lesion", "kind"),
    [
        ("lm.layers.1.heads.2=mean", "head"),
        ("lm.layers.1=mean", "layer"),
        ("lm.layers.1.mlp=zero & lm.layers.1.heads.0=zero", "head + mlp"),
        ("scorers.propositional=uniform", "scorer"),
        ("lm.layers.0.edges.image.answer=knockout", "edge"),
        ("retrained without dropout", "other"),
    ],
)
def test_kinds_are_told_from_names(lesion, kind):
    assert kind_of(lesion) == kind


def test_methods_are_said(study):
    effects = study.effects.copy()
    effects.attrs = study.effects.attrs | {"correction": "bh"}
    found = methods(effects)
    assert found[0] == "correct: intervals by Bonett-Price, tests by McNemar, exact; smallest effect of interest 0.005"
    assert found[-1] == "verdicts: p below 0.05 after Benjamini–Hochberg, over all lesions"
