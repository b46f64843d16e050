import threading

import pytest

from causalablate.errors import TrainingError
from causalablate.training.record import as_json
from causalablate.training.sweep import worker
from causalablate.training.sweep.ending import read_ending, write_failure
from causalablate.training.sweep.worker import INTERRUPTED, RUN, locked, work


@pytest.fixture
def folder(tiny, plan_of, tmp_path):
    """The folder of a run that is about to begin."""
    run = next(iter(plan_of(tiny()).runs.values()))
    found = tmp_path / run.digest
    found.mkdir()
    (found / RUN).write_bytes(as_json(run.config.model_dump(mode="json")))
    return found


def never(steps):
    return False


@pytest.fixture
def trained(monkeypatch):
    """Replace training: by default it writes a record."""

    def make(status="finished", error=None):
        def train(config, out, *, directory, quiet, watch):
            assert config.name == out.name and directory == out.parent and quiet
            if status:
                (out / "cost.json").write_text("{}")
                (out / "record.json").write_bytes(as_json({"status": status, "reason": "r", "metrics": {}}))
            if error is not None:
                raise error

        monkeypatch.setattr(worker, "train", train)

    return make


def test_a_run_that_ends_is_over_and_is_not_made_again(folder, trained):
    trained()
    assert work(folder, never) == 0 and read_ending(folder).status == "finished"
    trained(error=AssertionError("made again"))
    assert work(folder, never) == 0 and read_ending(folder).status == "finished"


def test_a_run_that_diverged_is_a_result(folder, trained):
    trained("diverged", TrainingError("the loss is nan"))
    assert work(folder, never) == 0 and read_ending(folder).status == "diverged"


def test_an_error_is_written_down_and_the_run_is_tried_again(folder, trained, capsys):
    trained("", ValueError("no\n  good"))
    assert work(folder, never) == 0
    assert (read_ending(folder).status, read_ending(folder).reason) == ("failed", "ValueError: no good")
    assert "Traceback" in capsys.readouterr().err
    trained()
    write_failure(folder, "of the last time")
    assert work(folder, never) == 0 and read_ending(folder).status == "finished"


def test_a_run_that_is_stopped_has_no_end_yet(folder, trained):
    trained("")
    assert work(folder, never) == INTERRUPTED and read_ending(folder) is None


def test_a_run_stops_between_two_steps_with_its_state_saved_and_goes_on(folder):
    seen = []

    def watch(steps):
        seen.append(steps)
        return steps == 3

    assert work(folder, watch) == INTERRUPTED and seen == [1, 2, 3] and (folder / "state.pt").exists()
    assert work(folder, lambda steps: seen.append(steps) or False) == 0
    assert seen == [1, 2, 3, 4, 5, 6] and read_ending(folder).status == "finished"


def test_a_folder_is_held_by_one_process_at_a_time(tmp_path):
    entered = threading.Event()

    def enter():
        with locked(tmp_path):
            entered.set()

    with locked(tmp_path):
        other = threading.Thread(target=enter, daemon=True)
        other.start()
        assert not entered.wait(0.1)
    assert entered.wait(10)
    other.join()
