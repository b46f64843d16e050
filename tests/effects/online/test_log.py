import numpy as np
import pandas as pd
import pytest

from causalablate.effects.kinds import Kind
from causalablate.effects.online.log import Columns, read_log
from causalablate.errors import EffectError

FRAME = pd.DataFrame(
    {
        "unit": ["a", "b", "c", "b", "d"],
        "arm": ["lesioned", "control", "control", "control", "lesioned"],
        "when": ["2025-03-02", "2025-03-01", "2025-03-03", "2025-03-04", "2025-03-05"],
        "team": ["x", "y", "y", "y", "x"],
        "age": [3.0, 1.0, 2.0, 1.0, 4.0],
        "correct": [1, 0, 1, 1, 0],
        "seconds": [0.5, 1.5, 2.5, 3.5, 4.5],
    }
)


def test_events_come_by_unit_and_units_by_arrival():
    log = read_log(FRAME, Columns(time="when"), outcomes=["correct", "seconds"])
    assert log.arms == ("control", "lesioned")
    assert list(log.arm) == [0, 1, 0, 1], "b, a, c, d"
    assert list(log.unit) == [0, 0, 1, 2, 3]
    assert list(log.outcomes["seconds"]) == [1.5, 3.5, 0.5, 2.5, 4.5]
    assert log.kinds == {"correct": Kind.BINARY, "seconds": Kind.REAL}
    assert list(log.arrival.astype("datetime64[D]").astype(str)) == [
        "2025-03-01", "2025-03-02", "2025-03-03", "2025-03-05",
    ]  # fmt: skip


def test_without_times_rows_are_in_order_of_arrival():
    log = read_log(FRAME, Columns(), outcomes=["seconds"])
    assert list(log.arm) == [1, 0, 0, 1] and list(log.outcomes["seconds"]) == [0.5, 1.5, 3.5, 2.5, 4.5]
    assert log.arrival is None


def test_samples_of_an_arm_and_of_the_first_units():
    log = read_log(FRAME, Columns(time="when"), outcomes=["seconds"])
    sample = log.sample(log.outcomes["seconds"], 0)
    assert list(sample.values) == [1.5, 3.5, 2.5] and list(sample.unit) == [0, 0, 1]
    assert sample.n_units == 2 and not sample.one_event
    early = log.sample(log.outcomes["seconds"], 1, until=2)
    assert list(early.values) == [0.5] and early.one_event
    assert log.sample(log.outcomes["seconds"], 1, until=1).n_units == 0


def test_clusters_are_what_was_randomised():
    log = read_log(FRAME, Columns(cluster="team"), outcomes=["seconds"])
    assert list(log.arm) == [1, 0] and list(log.unit) == [0, 0, 1, 1, 1]


def test_outcomes_by_default_are_all_other_numbers():
    assert list(read_log(FRAME, Columns(time="when", covariate="age")).outcomes) == ["correct", "seconds"]
    flags = FRAME[["unit", "arm"]].assign(solved=[True, False, True, True, False])
    assert read_log(flags, Columns()).kinds == {"solved": Kind.BINARY}


def test_the_control_by_its_usual_names_or_as_said():
    renamed = FRAME.replace({"arm": {"control": "baseline"}})
    assert read_log(renamed, Columns()).arms == ("baseline", "lesioned")
    assert read_log(FRAME, Columns(), control="lesioned").arms == ("lesioned", "control")


def test_times_may_be_numbers_or_have_time_zones():
    numbers = FRAME.assign(when=[2, 1, 3, 4, 5])
    assert list(read_log(numbers, Columns(time="when"), outcomes=["seconds"]).arrival) == [1, 2, 3, 5]
    zones = FRAME.assign(when=[f"2025-03-0{d}T00:00:00+02:00" for d in (2, 1, 3, 4, 5)])
    assert list(read_log(zones, Columns(time="when"), outcomes=["seconds"]).arm) == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("frame", "arguments", "message"),
    [
        (FRAME.iloc[:0], {}, "no rows"),
        (FRAME.drop(columns="unit"), {}, 'no column "unit"'),
        (FRAME, {"outcomes": ["secnds"]}, "did you mean seconds"),
        (FRAME, {"outcomes": []}, "name at least one column"),
        (FRAME, {"outcomes": ["unit"]}, "no other role"),
        (FRAME, {"outcomes": ["when"]}, "which is no number"),
        (FRAME[["unit", "arm", "team"]], {}, "none holds numbers"),
        (FRAME.assign(arm="control"), {}, 'one arm, "control"'),
        (FRAME.replace({"arm": {"control": "old"}}), {}, "which arm is the control"),
        (FRAME, {"control": "contrl"}, "did you mean control"),
        (FRAME.assign(arm=["control", *FRAME["arm"][1:4], None]), {}, 'no value for "arm"'),
        (FRAME.assign(arm=[*FRAME["arm"][:3], "lesioned", "lesioned"]), {}, r'unit "b" is in several arms \(control'),
        (FRAME.assign(seconds=[0.5, np.nan, 2.5, np.inf, 4.5]), {}, '"seconds" is nan for unit "b"; 2 of 5'),
        (FRAME, {"columns": Columns(time="team")}, "neither numbers nor dates"),
        (FRAME, {"columns": Columns(covariate="seconds"), "outcomes": ["correct"]}, 'several values for unit "b"'),
        (
            FRAME.assign(team=["x", "x", "y", "x", "x"]),
            {"columns": Columns(cluster="team")},
            'cluster "x" is in several',
        ),
    ],
)
def test_bad_input_is_one_clear_error(frame, arguments, message):
    with pytest.raises(EffectError, match=message):
        read_log(frame, arguments.pop("columns", Columns()), **arguments)
