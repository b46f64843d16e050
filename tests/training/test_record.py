import json
import math

from causalablate.training import record


def test_json_has_no_infinities_and_repeats():
    content = record.as_json({"a": math.nan, "b": [1.5, math.inf], "c": {"d": "e"}})
    assert json.loads(content) == {"a": None, "b": [1.5, None], "c": {"d": "e"}}


def test_the_machine_is_named():
    found = record.hardware()
    assert found == record.hardware() and found["memory_gib"] > 0.1 and isinstance(found["gpus"], list)


def test_the_commit_is_that_of_the_package_or_nothing(tmp_path, monkeypatch):
    found = record.git()
    assert set(found) == {"git_commit", "git_changed"} and (
        found["git_commit"] is None or len(found["git_commit"]) == 40
    )
    monkeypatch.setattr(record.causalablate, "__file__", str(tmp_path / "__init__.py"))
    assert record.git() == {"git_commit": None, "git_changed": None}
