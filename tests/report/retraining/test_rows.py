import pandas as pd
import pytest

from causalablate.report.retraining.rows import ALIKE, OVERSTATES, UNDECIDED, UNDERSTATES, component_rows, reading


@pytest.mark.parametrize(
    ("label", "lesion", "retraining", "expected"),
    [
        ("effect", -0.5, -0.1, OVERSTATES),
        ("effect", -0.1, -0.5, UNDERSTATES),
        ("effect", -0.5, 0.1, OVERSTATES),
        ("effect", 0.1, -0.5, UNDERSTATES),
        ("within noise", -0.5, -0.1, ALIKE),
        ("undecided", -0.5, -0.1, UNDECIDED),
    ],
)
def test_reading(label, lesion, retraining, expected):
    assert reading(pd.Series({"label": label, "ate_lesion": lesion, "ate_retraining": retraining})) == expected


def test_most_harmful_lesion_first_and_a_control_below_its_own(found):
    rows = component_rows(found, "correct")
    assert rows["lesion"].tolist() == [
        "passes.fine=zero",
        "scorers.participatory=zero",
        "scorers.participatory=zero, connector_hidden=104",
        "allocator=uniform",
        "opponent.focus_diversify=value(0.5)",
    ]
    assert rows["reading"].tolist() == [OVERSTATES, OVERSTATES, OVERSTATES, UNDERSTATES, ALIKE]
    assert len(component_rows(found, "correct", "question_type=a")) == 5
