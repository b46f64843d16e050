import io

import numpy as np
import pandas as pd

from causalablate.report.retraining.tables import (
    all_cells,
    capacity_cells,
    component_cells,
    csv_table,
    latex,
    markdown,
    ranking_cells,
)


def test_three_effects_with_intervals_and_a_reading(found):
    cells = component_cells(found, "correct")
    row = found.frame.query("outcome == 'correct' and group == 'all' and arm == 'arm0'").iloc[0]
    ends = ("ate_lesion", "ate_retraining", "compensation")
    shown = [cell.replace("−", "-") for cell in cells.rows[0]]
    assert [shown[1], shown[3], shown[5]] == [f"{100 * row[name]:+.1f}" for name in ends]
    assert shown[4] == f"[{100 * row['ci_low_retraining']:+.1f}, {100 * row['ci_high_retraining']:+.1f}]"
    assert shown[7:] == [f"{100 * row['ratio']:.0f} %", f"{row['p_holm']:.3f}", "3", "lesion overstates"]
    assert "compensation = retraining − lesion, in points; n = 400 examples" in cells.title
    # No share of a lesion whose effect may be zero.
    assert cells.rows[3][0] == "allocator=uniform" and cells.rows[3][7] == "–"
    assert cells.kinds.count("capacity control") == 1


def test_what_the_parameters_do_has_its_own_table(found, few):
    (row,) = capacity_cells(found, "correct").rows
    assert row[0] == "scorers.participatory=zero" and row[1] == "0.0" and row[2] == row[3] and row[-1] == "effect"
    assert capacity_cells(few, "correct") is None
    assert len(all_cells(found)) == len(all_cells(few)) + 1 == 4


def test_agreement_of_rankings(found):
    assert ranking_cells(found).rows[0] == ["Accuracy", "4", "+0.63", "[+0.63, +0.63]", "[+0.63, +0.63]", "1 of 2"]


def test_csv_holds_everything(found):
    frame = pd.read_csv(io.StringIO(csv_table(found)))
    assert len(frame) == len(found.frame) and (frame["effect_is"] == "counterfactual - factual").all()
    assert np.allclose(frame["compensation"], found.frame["compensation"])


def test_markdown_holds_sentences_tables_and_notes(found):
    text = markdown(found)
    assert text.startswith("# Lesion against retraining: small\n") and "Most understated" in text
    assert "| allocator=uniform " in text and "- Not compared: no\\_lab, seed 2 (diverged: NaN at step 3)." in text


def test_latex_sets_intervals_below_their_values(found):
    text = latex(found)
    assert text.count(r"\begin{longtable}") == 4 == text.count(r"\end{longtable}")
    assert r"\texttt{passes.\allowbreak{}fine=zero} & \shortstack[r]{$-$45.0 \\ {[$-$" in text
    # A bracket right after a line break would be read as its length.
    assert r"\\ [" not in text
    body = text.partition(r"\endfoot")[2].partition(r"\end{longtable}")[0]
    assert {line.count(" & ") for line in body.strip().splitlines()} == {7}
