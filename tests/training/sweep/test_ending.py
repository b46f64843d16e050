import json

from causalablate.training.sweep.ending import Ended, forget_failure, read_ending, write_failure


def test_a_run_is_over_once_it_has_a_record(tmp_path):
    assert read_ending(tmp_path) is None
    (tmp_path / "cost.json").write_text('{"seconds": 2.5}')
    assert read_ending(tmp_path) is None
    record = {"status": "diverged", "reason": "at step 3", "metrics": {"accuracy": 0.5}}
    (tmp_path / "record.json").write_text(json.dumps(record))
    assert read_ending(tmp_path) == Ended("diverged", "at step 3", {"accuracy": 0.5}, 2.5)


def test_a_failure_is_told_until_it_is_forgotten(tmp_path):
    write_failure(tmp_path, "ValueError: no")
    assert read_ending(tmp_path) == Ended("failed", "ValueError: no")
    forget_failure(tmp_path)
    forget_failure(tmp_path)
    assert read_ending(tmp_path) is None
