"""FSDP: two processes with shards of the parameters train what one would, and go on where they stopped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from causalablate.declarative import dumps
from causalablate.errors import TrainingError
from causalablate.foveated.model import FoveatedVLM
from causalablate.training import processes
from causalablate.training.trainer import train

ROOT = Path(__file__).parents[2]
WRAPPED = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_TRANSFORMER_CLS_TO_WRAP": "LlamaDecoderLayer,Dinov2Layer",
    "FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT",
}


def launched(file, out, stop_after=""):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "tests.training.fsdp_on_cpu", str(file), str(out), str(stop_after)],
        env={**os.environ, **WRAPPED, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[:3000]


def test_shards_train_what_one_process_would_and_go_on_to_the_same_bytes(tiny, tmp_path):
    config = tiny(without={"scorers.participatory": "zero"}, encoder_warmup={"steps": 0})
    file = tmp_path / "run.yaml"
    file.write_text(dumps(config))
    train(config, tmp_path / "one", quiet=True)
    launched(file, tmp_path / "two")
    launched(file, tmp_path / "stopped", stop_after=4)
    assert (tmp_path / "stopped" / "shards" / "4").is_dir()
    launched(file, tmp_path / "stopped")
    one, two = (FoveatedVLM.from_pretrained(tmp_path / name / "checkpoint").state_dict() for name in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=1e-3, rtol=1e-3)
    assert any((two[name] - tensor).abs().max() > 0 for name, tensor in one.items())  # summed in another order
    for file in ("checkpoint/model.safetensors", "log.jsonl", "outcomes.npz", "maps.npz"):
        assert (tmp_path / "two" / file).read_bytes() == (tmp_path / "stopped" / file).read_bytes(), file


def test_the_warm_up_is_refused_in_shards(tiny, monkeypatch):
    monkeypatch.setattr(processes, "SHARDED", (processes.DistributedType.NO,))
    with pytest.raises(TrainingError, match=r"FSDP and DeepSpeed keep in shards.*give a checkpoint to start from"):
        processes.make_accelerator(tiny())
