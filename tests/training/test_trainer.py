import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from causalablate.errors import TrainingError
from causalablate.foveated.model import FoveatedVLM
from causalablate.training.trainer import train

WEIGHTS = "model.safetensors"


FIXED = ("record.json", "log.jsonl", "maps.npz", "outcomes.npz")
"""Files of a run that are the same whenever and however often it was interrupted."""
IN_CHECKPOINT = (WEIGHTS, "config.json", "training.json", "log.jsonl", "learning_curve.png")


def fixed(out):
    files = [out / name for name in FIXED] + [out / "checkpoint" / name for name in IN_CHECKPOINT]
    return {str(file.relative_to(out)): file.read_bytes() for file in files}


def test_a_run_ends_in_a_checkpoint_with_config_log_and_curve(tiny, tmp_path):
    state = torch.get_rng_state()
    folder = train(tiny(), tmp_path / "run", quiet=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert FoveatedVLM.from_pretrained(folder).config.vision_config.hidden_size == 16
    assert (folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    run = json.loads((folder / "training.json").read_text())
    assert run["config"] == tiny().model_dump(mode="json") and run["cost"]["steps"] == 10
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [3, 6, 9, 10]
    assert [row["samples"] for row in rows] == [21, 42, 63, 70]
    assert [row["stage"] for row in rows] == ["encoder_warmup", "main", "settle", "settle"]
    wanted = "val_loss loss_fine loss_coarse loss_ratio grad_norm attention_entropy feature_similarity accuracy"
    rates = [f"learning_rate.{group}" for group in ("vision", "lm", "bridge", "foveation")]
    assert {*wanted.split(), *rates, "accuracy.location", "accuracy.cue_colour"} <= set(rows[0])
    modes = [f"accuracy.mode.{mode}" for mode in ("coarse_only", "coarse_fine", "autoregressive")]
    assert set(modes) <= set(rows[-1]) and not set(modes) & set(rows[-2])
    assert rows[-1]["accuracy.mode.coarse_fine"] == rows[-1]["accuracy"]


def test_a_run_leaves_a_record_costs_maps_and_outcomes(tiny, tmp_path):
    train(tiny(), tmp_path, quiet=True)
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["status"], record["step"], record["checkpoint_step"], record["samples"]) == ("finished", 10, 10, 70)
    assert record["config"] == tiny().model_dump(mode="json")
    assert record["model"]["min_budget"] == 64.0 and record["versions"]["torch"] == torch.__version__
    assert record["hardware"]["cores"] >= 1 and record["hardware"]["cpu"] and "git_commit" in record
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert record["metrics"] == {k: v for k, v in last.items() if k not in ("step", "stage", "samples")}
    with np.load(tmp_path / "maps.npz") as maps:
        assert maps["steps"].tolist() == [3, 6, 9, 10] and len(maps["ids"]) == 10
        for name in ("allocation", "static", "dynamic"):
            assert maps[name].shape == (4, 10, 16) and np.isfinite(maps[name]).all()
        assert np.allclose(maps["allocation"].mean(-1), 100, atol=1e-3) and np.allclose(maps["static"].sum(-1), 1)
    with np.load(tmp_path / "outcomes.npz") as found:
        assert found["correct"].mean() == pytest.approx(last["accuracy"], abs=1e-6)
        assert -found["answer_logprob"].mean() == pytest.approx(last["val_loss"], abs=1e-5)
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert cost["seconds"] > 0 and cost["peak_memory_mib"] > 10 and cost["processes"] == 1
    rows = [json.loads(line) for line in (tmp_path / "cost.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [3, 6, 9, 10] and all(row["samples_per_second"] > 0 for row in rows)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run that nobody interrupted."""

    def run(config):
        out = tmp_path_factory.mktemp("straight")
        train(config, out, quiet=True)
        return fixed(out)

    known = {}

    def remembered(config):
        if config.identity not in known:
            known[config.identity] = run(config)
        return known[config.identity]

    return remembered


@pytest.mark.parametrize("stop", [2, 3, 5, 9])
def test_a_resumed_run_ends_in_the_same_bytes(tiny, tmp_path, straight, stop):
    train(tiny(), tmp_path, quiet=True, stop_after=stop)
    assert not (tmp_path / "record.json").exists()
    train(tiny(), tmp_path, quiet=True)
    assert fixed(tmp_path) == straight(tiny())


def test_a_killed_process_resumes_to_the_same_bytes(tiny, tmp_path, straight):
    config = tiny(main={"steps": 30, "batch_size": 7, "warmup_steps": 2})
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
    train(config, killed, quiet=True)
    assert fixed(killed) == straight(config)


def test_a_kill_before_the_last_files_leaves_them_to_the_next_start(tiny, tmp_path, straight, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    for name in ("write_end", "write_checkpoint"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(f"causalablate.training.run.{name}", killed)
            train(tiny(), tmp_path, quiet=True)
        assert not (tmp_path / "record.json").exists()
    train(tiny(), tmp_path, quiet=True)
    assert fixed(tmp_path) == straight(tiny())


def test_name_threads_and_tracking_are_no_part_of_a_run(tiny, tmp_path):
    train(tiny(), tmp_path, quiet=True, stop_after=2)
    train(tiny(name="other", threads=2, tracking={"wandb": "off"}), tmp_path, quiet=True, stop_after=4)


def test_micro_batches_add_up_to_the_step(tiny, tmp_path):
    whole = FoveatedVLM.from_pretrained(train(tiny(), tmp_path / "whole", quiet=True)).state_dict()
    split = tiny(optimizer={"accumulate": 3})
    parts = FoveatedVLM.from_pretrained(train(split, tmp_path / "parts", quiet=True)).state_dict()
    assert any(not torch.equal(whole[name], parts[name]) for name in whole)
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, atol=2e-4, rtol=1e-3)


def test_samples_are_those_of_the_data_seed(tiny, tmp_path, monkeypatch):
    from causalablate.training import run

    seen = []
    task = run.answers_task
    monkeypatch.setattr(
        run, "answers_task", lambda config, batch, *rest: seen.append(batch) or task(config, batch, *rest)
    )
    for seed in (0, 1):
        train(tiny(seed=seed, data_seed=5), tmp_path / str(seed), quiet=True, stop_after=6)
    one, other = seen[:2], seen[2:]
    assert len(one) == len(other) == 2
    assert all(torch.equal(a.inputs["pixel_values"], b.inputs["pixel_values"]) for a, b in zip(one, other, strict=True))
    weights = [(tmp_path / str(seed) / "checkpoint" / WEIGHTS).read_bytes() for seed in (0, 1)]
    assert weights[0] != weights[1]


def test_a_run_that_gets_no_better_stops_and_keeps_its_best_checkpoint(tiny, tmp_path):
    config = tiny(
        encoder_warmup={"steps": 0},
        main={"steps": 60, "batch_size": 7, "warmup_steps": 0, "learning_rate": 0.3},
        stopping={"patience": 2},
        evaluation={"every": 3, "examples": 14, "batch_size": 14},
    )
    train(config, tmp_path / "whole", quiet=True)
    record = json.loads((tmp_path / "whole" / "record.json").read_text())
    rows = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    best = min(rows, key=lambda row: row["val_loss"])
    assert record["status"] == "stopped_early" and record["step"] == rows[-1]["step"] == best["step"] + 6 < 60
    assert record["checkpoint_step"] == best["step"] and record["metrics"]["val_loss"] == best["val_loss"]
    with np.load(tmp_path / "whole" / "outcomes.npz") as found:
        assert -found["answer_logprob"].mean() == pytest.approx(best["val_loss"], abs=1e-4)
    train(config, tmp_path / "again", quiet=True, stop_after=best["step"] + 1)
    train(config, tmp_path / "again", quiet=True)
    assert fixed(tmp_path / "again") == fixed(tmp_path / "whole")


def test_bf16_is_near_and_repeats(tiny, tmp_path):
    config = tiny(optimizer={"precision": "bf16"})
    one, again, full = (
        (train(c, tmp_path / n, quiet=True) / WEIGHTS).read_bytes()
        for n, c in (("1", config), ("2", config), ("3", tiny()))
    )
    assert one == again != full


@pytest.mark.skipif(torch.cuda.is_available(), reason="fp16 needs a GPU")
def test_a_precision_that_is_not_to_be_had_is_named(tiny, tmp_path):
    with pytest.raises(TrainingError, match=r"fp16 needs a GPU.*use bf16 or no"):
        train(tiny(optimizer={"precision": "fp16"}), tmp_path, quiet=True)


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


WILD = {"steps": 9, "batch_size": 7, "warmup_steps": 0, "learning_rate": 1e30}


def test_a_diverging_run_stops(tiny, tmp_path):
    with pytest.raises(TrainingError, match=r"at step 1; lower the learning rate.*there was none before"):
        train(tiny(encoder_warmup=WILD), tmp_path, quiet=True)
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["status"], record["step"], record["checkpoint_step"]) == ("diverged", 1, None)
    assert "at step 1" in record["reason"] and record["metrics"] == {} and not (tmp_path / "checkpoint").exists()


def test_the_last_good_checkpoint_of_a_diverging_run_is_kept(tiny, tmp_path):
    config = tiny(main=WILD)
    for _ in range(2):  # it diverged for good: the next start says so again
        with pytest.raises(TrainingError, match=r"that of step 3 is kept"):
            train(config, tmp_path / "wild", quiet=True)
    record = json.loads((tmp_path / "wild" / "record.json").read_text())
    assert record["status"] == "diverged" and record["step"] in (5, 6) and record["checkpoint_step"] == 3
    calm = tiny(encoder_warmup={"steps": 4, "batch_size": 7, "warmup_steps": 2}, main=WILD)
    train(calm, tmp_path / "calm", quiet=True, stop_after=3)
    kept, good = (tmp_path / n / "checkpoint" / WEIGHTS for n in ("wild", "calm"))
    assert kept.read_bytes() == good.read_bytes()
    with pytest.raises(TrainingError, match="step 3 is kept"):
        train(calm, tmp_path / "calm", quiet=True)
    assert fixed(tmp_path / "calm") == fixed(tmp_path / "wild")
