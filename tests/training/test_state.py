import os

import pytest
import torch

from causalablate.errors import TrainingError
from causalablate.training.state import FILE, RunState


def test_round_trip(tmp_path):
    state = RunState("c", step=3, seconds=1.5, log=[{"step": 3}], tensors={"model": {"w": torch.ones(2)}})
    state.save(tmp_path)
    again = RunState.load(tmp_path, "c")
    assert (again.step, again.seconds, again.log) == (3, 1.5, [{"step": 3}])
    assert torch.equal(again.tensors["model"]["w"], torch.ones(2))
    assert [p.name for p in tmp_path.iterdir()] == [FILE]


def test_a_kill_while_saving_leaves_the_old_state(tmp_path, monkeypatch):
    RunState("c", step=1).save(tmp_path)

    def killed(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        RunState("c", step=2).save(tmp_path)
    assert RunState.load(tmp_path, "c").step == 1


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(TrainingError, match="the disk is full"):
        RunState("c").save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_config_or_a_damaged_file_is_refused(tmp_path):
    assert RunState.load(tmp_path, "c") is None
    RunState("c").save(tmp_path)
    with pytest.raises(TrainingError, match="another config"):
        RunState.load(tmp_path, "d")
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:100])
    with pytest.raises(TrainingError, match=FILE):
        RunState.load(tmp_path, "c")
