import io

import numpy as np
import pandas as pd

from causalablate.report.tables import all_cells, csv_table, effect_cells, group_cells, latex, markdown


def test_csv_gives_back_every_number_exactly(study):
    back = pd.read_csv(io.StringIO(csv_table(study.effects, study.kinds)))
    assert (back.pop("effect_is") == "counterfactual - factual").all()
    assert list(back.pop("kind")) == [study.kinds[name] for name in study.effects["lesion"]]
    assert list(back.columns) == list(study.effects.columns)
    for column in study.effects.columns:
        if pd.api.types.is_numeric_dtype(study.effects[column]):
            np.testing.assert_array_equal(back[column].to_numpy(float), study.effects[column].to_numpy(float))


def test_effect_cells_show_sign_unit_and_points(study):
    cells = effect_cells(study.effects, study.kinds, "correct")
    assert "counterfactual − factual" in cells.title
    row = next(r for r in cells.rows if r[0] == "passes.fine=mean")
    expected = study.effects.query("outcome == 'correct' and lesion == 'passes.fine=mean' and group == 'all'").iloc[0]
    assert row[cells.header.index("effect (points)")] == f"−{abs(100 * expected['ate']):.1f}"
    assert row[cells.header.index("right→wrong")] == str(int(expected["n_flips_down"]))
    assert len(cells.rows) == len(study.kinds) == len(cells.kinds)


def test_columns_without_values_are_left_out(study):
    header = effect_cells(study.effects, study.kinds, "answer_logprob").header
    assert "right→wrong" not in header
    assert "effect (nats)" in header


def test_group_cells_have_a_column_per_question_type(study):
    cells = group_cells(study.effects, study.kinds, "correct", "question_type")
    assert cells.header[:2] == ["lesion", "all"]
    assert set(cells.header[2:]) == set(study.table.frame["group.question_type"])
    static = next(r for r in cells.rows if r[0] == "query.static=mean")
    assert {head for head, cell in zip(cells.header, static, strict=True) if cell.startswith("−")} == {"all", "cue"}


def test_what_is_the_same_in_every_row_stands_in_the_title(study):
    cells = effect_cells(study.effects, study.kinds, "correct")
    intact = study.effects.query("outcome == 'correct' and group == 'all'")["factual_mean"].iloc[0]
    assert cells.title.endswith(f"in points; intact model {100 * intact:.1f} %; n = 280")
    assert not {"n", "factual (%)"} & set(cells.header)
    uneven = study.effects.assign(n_units=range(len(study.effects)))
    assert "n" in effect_cells(uneven, study.kinds, "correct").header


def test_an_outcome_without_means_has_no_column_for_them(study):
    effects = study.effects.assign(factual_mean=np.nan, counterfactual_mean=np.nan)
    cells = effect_cells(effects, study.kinds, "correct")
    assert "intact" not in cells.title
    assert "lesioned (%)" not in cells.header


def test_the_leading_outcome_comes_first_whatever_the_order(study):
    reverse = study.effects.iloc[::-1]
    assert all_cells(reverse, study.kinds)[0].title.startswith("Accuracy:")


def test_markdown_states_the_sign_and_escapes_names(study):
    effects = study.effects.replace({"lesion": {"passes.fine=mean": "a|b_c"}})
    text = markdown(effects, {}, "T_1", "Why?")
    assert "**effect = counterfactual − factual**" in text
    assert r"a\|b\_c" in text
    assert text.startswith("# T\\_1\n")
    widths = {
        line.count("|") - line.count(r"\|") for line in text.split("\n## ")[1].splitlines() if line.startswith("|")
    }
    assert len(widths) == 1


def test_latex_is_escaped_booktabs(study):
    text = latex(study.effects, study.kinds, "100 % & more")
    assert r"100 \% \& more" in text
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") == 3
    assert r"\textit{Attention heads}" in text
    assert "−" not in text and "→" not in text
    body = text.split(r"\endfoot")[1].split(r"\end{longtable}")[0]
    columns = {line.count(" & ") for line in body.splitlines() if line.startswith(r"\texttt")}
    assert len(columns) == 1


def test_the_p_that_verdicts_stand_on_is_shown(study):
    effects = study.effects.assign(p_bh=0.25)
    assert "p (bh)" not in effect_cells(effects, study.kinds, "correct").header
    effects.attrs = {**effects.attrs, "correction": "bh"}
    shown = effect_cells(effects, study.kinds, "correct")
    at = shown.header.index("p (bh)")
    assert shown.header[at - 1] == "p (Holm)" and {row[at] for row in shown.rows} == {"0.25"}
