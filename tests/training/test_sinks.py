"""Where runs are logged beside their own files."""

import json
import sys

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from causalablate.errors import TrainingError
from causalablate.training.sinks import SINKS, open_sinks
from causalablate.training.sinks.base import picture
from causalablate.training.trainer import train


def board(out):
    found = EventAccumulator(str(out / "tensorboard"), size_guidance={"scalars": 0, "images": 0})
    found.Reload()
    return found


def test_tensorboard_holds_every_number_of_every_row_and_the_maps_once_whatever_was_killed(tiny, tmp_path):
    train(tiny(), tmp_path, quiet=True, stop_after=4)  # logged at 3
    train(tiny(), tmp_path, quiet=True)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    found = board(tmp_path)
    for name in ("val_loss", "loss_ratio", "grad_norm", "learning_rate.vision", "samples_per_second"):
        assert [event.step for event in found.Scalars(name)] == [3, 6, 9, 10]
    logged = [event.value for event in found.Scalars("val_loss")]
    assert logged == pytest.approx([row["val_loss"] for row in rows], abs=1e-5)
    assert [event.step for event in found.Images("maps")] == [3, 6, 9, 10]


def test_the_picture_shows_each_map_from_its_least_to_its_most():
    maps = {"a": torch.tensor([[0.0, 1.0, 2.0, 4.0]]), "b": torch.full((1, 4), torch.nan)}
    shown = picture(maps, size=3)
    assert shown.shape == (8, 16, 3) and shown.dtype == np.uint8
    assert shown[1, 1, 0] == 0 and shown[1, 4, 0] == 63 and shown[5, 4, 0] == 255 and not shown[:, 8:].any()


def test_wandb_is_only_opened_where_it_is_asked_for(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)  # as if not installed
    assert len(open_sinks(tiny(), tmp_path, {}, 0)) == len(SINKS) - 1
    with pytest.raises(TrainingError, match=r"causalablate\[tracking\]"):
        open_sinks(tiny(tracking={"wandb": "offline"}), tmp_path, {}, 0)


def test_wandb_logs_offline(tiny, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    config = tiny(tracking={"wandb": "offline"})
    sink = SINKS["wandb"](config, tmp_path, {"flops_per_sample": 3}, 0)
    sink.write({"step": 3, "val_loss": 0.25, "stage": "main"}, {"allocation": torch.rand(10, 16)})
    sink.close()
    wandb.teardown()
    (kept,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    content = kept.read_bytes()
    assert b"val_loss" in content and b"contrastive_margin" in content
