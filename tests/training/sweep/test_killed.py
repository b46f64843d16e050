"""A sweep that is killed ends in the bytes of one that was not."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from causalablate.declarative import dumps
from causalablate.errors import WorkerError
from causalablate.training.sweep.carrying_out import failures, retrain
from causalablate.training.sweep.crew import Crew

SCRIPT = (
    "import sys; from causalablate.declarative import loads; from causalablate.training.sweep import *;"
    "retrain(loads(open(sys.argv[1]).read(), SweepSpec), sys.argv[2], workers=2, quiet=True)"
)
SAME = ("record.json", "log.jsonl", "outcomes.npz", "run.json")


def contents(out):
    """What has to be the same, by path."""
    runs = sorted((out / "runs").iterdir())
    files = [out / "plan.json", out / "results.csv", out / "decisions.jsonl"]
    files += [run / name for run in runs for name in SAME]
    files += [file for run in runs for file in sorted((run / "checkpoint").iterdir())]
    # Somebody may commit while the test runs; that is recorded, and rightly so.
    return {
        str(file.relative_to(out)): re.sub(rb'"git_(commit|changed)": [^\n]*', b"", file.read_bytes()) for file in files
    }


def wait_for(there, seconds=300.0):
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_killing_the_sweep_and_killing_its_workers_changes_no_byte(tiny, tmp_path, monkeypatch):
    slow = {"name": "slow", "set": {"main.learning_rate": 1e-9}}
    late = {"name": "late", "set": {"main.learning_rate": 1e-8}, "priority": "P2"}
    arms = [*tiny().model_dump(mode="json")["arms"], slow, late]
    rule = {"if": {"arm": "slow", "beats": ["baseline"], "on": "grad_norm"}, "then": {"skip": ["late"]}}
    spec = tiny(seeds=[0], arms=arms, rules=[{**rule, "because": "of bytes"}])
    straight = retrain(spec, tmp_path / "straight", workers=2, quiet=True)
    assert failures(straight) == [] and straight.decisions[0]["numbers"]["slow"]["mean"] > 0

    killed, file = tmp_path / "killed", tmp_path / "sweep.yaml"
    file.write_text(dumps(spec))
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(file), str(killed)])
    wait_for(lambda: any(killed.glob("runs/*/state.pt")) or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    def kill_all_workers(moment):
        """Kill the server and its workers, all at once, in the midst of a later run."""

        def kill():
            wait_for(lambda: moment() and started)
            os.killpg(started[-1].process.pid, signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()

    started, begin = [], Crew.start
    monkeypatch.setattr(Crew, "start", lambda crew, folder: (started.append(crew), begin(crew, folder)))
    kill_all_workers(lambda: any(killed.glob("runs/*/record.json")))
    with pytest.raises(WorkerError, match="same command"):
        retrain(spec, killed, workers=2, quiet=True)
    finished = retrain(spec, killed, workers=1, quiet=True)
    assert contents(killed) == contents(tmp_path / "straight")
    measured = ["seconds", "peak_memory_mib"]
    assert finished.frame.drop(columns=measured).equals(straight.frame.drop(columns=measured))
