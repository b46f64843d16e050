"""FSDP and DeepSpeed: two processes with shards train what one would, and go on where they stopped."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from causalablate.declarative import dumps
from causalablate.errors import TrainingError
from causalablate.foveated.model import FoveatedVLM
from causalablate.training import processes, sharded
from causalablate.training.trainer import train

ROOT = Path(__file__).parents[2]
FSDP = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_TRANSFORMER_CLS_TO_WRAP": "LlamaDecoderLayer,Dinov2Layer",
    "FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT",
}
ZERO = {"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "2", "DS_ACCELERATOR": "cpu"}
without_deepspeed = pytest.mark.skipif(find_spec("deepspeed") is None, reason="DeepSpeed is not installed")


def launched(shards, file, out, stop_after=""):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [*command, "-m", "tests.training.sharded_on_cpu", str(file), str(out), str(stop_after)],
        env={**os.environ, **shards, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[:3000]


@pytest.mark.parametrize("shards", [FSDP, pytest.param(ZERO, marks=without_deepspeed)], ids=["FSDP", "ZeRO"])
def test_shards_train_what_one_process_would_and_go_on_to_the_same_bytes(tiny, tmp_path, shards):
    config = tiny(without={"scorers.participatory": "zero"}, encoder_warmup={"steps": 0}, optimizer={"accumulate": 2})
    file = tmp_path / "run.yaml"
    file.write_text(dumps(config))
    train(config, tmp_path / "one", quiet=True)
    launched(shards, file, tmp_path / "two")
    launched(shards, file, tmp_path / "stopped", stop_after=4)
    assert (tmp_path / "stopped" / "shards" / "4").is_dir()
    launched(shards, file, tmp_path / "stopped")
    one, two = (FoveatedVLM.from_pretrained(tmp_path / name / "checkpoint").state_dict() for name in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=1e-3, rtol=1e-3)
    assert any((two[name] - tensor).abs().max() > 0 for name, tensor in one.items())  # summed in another order
    for name in ("checkpoint/model.safetensors", "log.jsonl", "outcomes.npz", "maps.npz"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes(), name


def test_shards_of_another_number_of_processes_are_refused(tmp_path):
    folder = tmp_path / sharded.FOLDER / "4"
    folder.mkdir(parents=True)
    for process in range(3):
        (folder / f"{process}.pt").touch()
    run = sharded.Sharded(processes.Accelerator(cpu=True), torch.nn.Linear(1, 1), None)
    with pytest.raises(TrainingError, match=r"the shards of 3 processes, and this run has 1; go on with 3"):
        sharded.load(run, tmp_path, 4)


def test_the_warm_up_is_refused_in_shards(tiny, monkeypatch):
    monkeypatch.setattr(processes, "SHARDED", (processes.DistributedType.NO,))
    with pytest.raises(TrainingError, match=r"FSDP and DeepSpeed keep in shards.*give a checkpoint to start from"):
        processes.make_accelerator(tiny())
