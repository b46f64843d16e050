import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from causalablate.errors import TrainingError
from causalablate.foveated.model import FoveatedVLM
from causalablate.training.trainer import train

WEIGHTS = "model.safetensors"


def log_without_time(folder):
    return (folder / "log.jsonl").read_text()


def test_a_run_ends_in_a_checkpoint_with_config_log_and_curve(tiny, tmp_path):
    state = torch.get_rng_state()
    folder = train(tiny(), tmp_path / "run", quiet=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert FoveatedVLM.from_pretrained(folder).config.vision_config.hidden_size == 16
    assert (folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    run = json.loads((folder / "training.json").read_text())
    assert run["config"] == tiny().model_dump(mode="json")
    assert run["cost"]["steps"] == 10 and run["cost"]["seconds"] > 0
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [3, 6, 9, 10]
    assert [row["stage"] for row in rows] == ["encoder_warmup", "main", "settle", "settle"]
    wanted = "val_loss loss_fine loss_coarse loss_ratio grad_norm attention_entropy feature_similarity accuracy"
    rates = [f"learning_rate.{group}" for group in ("vision", "lm", "bridge", "foveation")]
    assert {*wanted.split(), *rates, "accuracy.location", "accuracy.cue_colour"} <= set(rows[0])


@pytest.mark.parametrize("stop", [2, 3, 5, 9])
def test_a_resumed_run_ends_in_the_same_bytes(tiny, tmp_path, stop):
    straight = train(tiny(), tmp_path / "straight", quiet=True)
    train(tiny(), tmp_path / "resumed", quiet=True, stop_after=stop)
    resumed = train(tiny(), tmp_path / "resumed", quiet=True)
    assert (resumed / WEIGHTS).read_bytes() == (straight / WEIGHTS).read_bytes()
    assert log_without_time(resumed) == log_without_time(straight)


def test_a_killed_process_resumes_to_the_same_bytes(tiny, tmp_path):
    config = tiny(main={"steps": 30, "batch_size": 7, "warmup_steps": 2})
    straight = train(config, tmp_path / "straight", quiet=True)
    script = (
        "import sys; from pathlib import Path; from causalablate.training.config import TrainingConfig;"
        "from causalablate.training.trainer import train;"
        "train(TrainingConfig.model_validate_json(sys.argv[1]), Path(sys.argv[2]), quiet=True)"
    )
    killed = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", script, config.model_dump_json(), str(killed)])
    while not (killed / "state.pt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / "checkpoint").exists()
    resumed = train(config, killed, quiet=True)
    assert (resumed / WEIGHTS).read_bytes() == (straight / WEIGHTS).read_bytes()


def test_seed_decides(tiny, tmp_path):
    one, other = (train(tiny(seed=s), tmp_path / str(s), quiet=True) for s in (0, 1))
    assert (one / WEIGHTS).read_bytes() != (other / WEIGHTS).read_bytes()


def test_another_config_in_the_same_directory_is_refused(tiny, tmp_path):
    train(tiny(), tmp_path, quiet=True, stop_after=2)
    with pytest.raises(TrainingError, match="another config"):
        train(tiny(seed=1), tmp_path, quiet=True)


def test_an_unwritable_directory_is_named(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="file"):
        train(tiny(), tmp_path / "file" / "run", quiet=True)


def test_a_diverging_run_stops(tiny, tmp_path):
    wild = tiny(encoder_warmup={"steps": 9, "batch_size": 7, "warmup_steps": 0, "learning_rate": 1e30})
    with pytest.raises(TrainingError, match="learning rate"):
        train(wild, tmp_path, quiet=True)
