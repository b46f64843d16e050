"""Several processes train what one would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from causalablate.declarative import dumps
from causalablate.errors import TrainingError
from causalablate.foveated.model import FoveatedVLM
from causalablate.training.processes import make_accelerator, shares
from causalablate.training.trainer import train

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("n_rows", "n_processes", "accumulate"), [(7, 1, 1), (7, 2, 1), (8, 2, 3), (64, 3, 2)])
def test_the_shares_of_a_step_are_its_rows_and_weigh_what_they_are(n_rows, n_processes, accumulate):
    found = [share for r in range(n_processes) for share in shares(n_rows, r, n_processes, accumulate)]
    rows = [row for share in found for row in range(n_rows)[share.rows]]
    assert rows == list(range(n_rows))
    for share in found:
        n = share.rows.stop - share.rows.start
        assert share.weight / (n_processes * accumulate) == pytest.approx(n / n_rows)
        assert n in (n_rows // len(found), n_rows // len(found) + 1)


def test_a_batch_that_cannot_be_split_is_refused(tiny):
    with pytest.raises(TrainingError, match=r"encoder_warmup\.batch_size is 7.*8 micro-batches.*at least 8"):
        make_accelerator(tiny(optimizer={"accumulate": 8}))


def launched(config, out):
    """Two processes on the CPU, as docs/training.md starts them."""
    file = out.with_suffix(".yaml")
    file.write_text(dumps(config))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "causalablate", "train", str(file), "--out", str(out), "--quiet", "--json"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)  # one process prints


def test_two_processes_reach_the_weights_of_one_and_the_same_bytes_twice(tiny, tmp_path):
    off = {"scorers.participatory": "zero"}
    config = tiny(without=off, evaluation={"every": 5, "examples": 7, "batch_size": 7})
    train(config, tmp_path / "one", quiet=True)
    for name in ("two", "again"):
        assert launched(config, tmp_path / name)["checkpoint"] == str(tmp_path / name / "checkpoint")
    one, two = (FoveatedVLM.from_pretrained(tmp_path / name / "checkpoint").state_dict() for name in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=2e-4, rtol=1e-3)
    for file in ("checkpoint/model.safetensors", "log.jsonl", "record.json", "maps.npz", "outcomes.npz"):
        assert (tmp_path / "two" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
    assert json.loads((tmp_path / "two" / "record.json").read_text())["processes"] == 2
    rows = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    for a, b in zip(*rows, strict=True):
        assert a["train_loss"] == pytest.approx(b["train_loss"], abs=1e-3)
        assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-3)
