import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from causalablate.errors import LedgerError
from causalablate.study import Ledger, Manifest, read_results, run, writer

SCRIPT = Path(__file__).parent / "crash.py"


def act(action, *arguments):
    done = subprocess.run(
        [sys.executable, SCRIPT, action, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def uninterrupted(fake, tmp_path):
    return run(fake.plan(batch_size=1), fake.FakeReplay(), tmp_path / "whole", quiet=True).table.frame


@pytest.mark.parametrize("seed", [0, 1])
def test_killing_a_run_at_any_moment_loses_nothing_finished_and_repeats_nothing(uninterrupted, tmp_path, seed):
    out = tmp_path / "out"
    found = act("kill", out, tmp_path / "log", seed)
    assert found["kills"] >= 3
    assert found["code"] == 0
    assert found["repeated"] == []
    assert found["lost"] == []
    # A kill costs the unit that is being computed and those on their way to the disk.
    assert 0 <= found["extra"] <= found["kills"] * (2 + writer._MOST_WAITING)
    assert found["half_written"] == []
    pd.testing.assert_frame_equal(read_results(out).table.frame, uninterrupted, check_exact=True)


def test_two_processes_in_one_directory_do_not_clash(fake, uninterrupted, tmp_path):
    out = tmp_path / "out"
    found = act("together", out, tmp_path / "log")
    assert found["codes"] == [0, 0]
    n_units = fake.plan(batch_size=1).n_units
    assert n_units <= found["computed"] < 2 * n_units  # what one has finished, the other does not compute
    pd.testing.assert_frame_equal(read_results(out).table.frame, uninterrupted, check_exact=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop its rights")
def test_a_directory_without_write_permission_is_refused_before_anything_runs(tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    found = act("nobody", tmp_path, "log")
    assert found["calls"] == 0
    assert found["error"].startswith(f"LedgerError: cannot write {tmp_path}")
    assert "no permission to write there; choose another directory" in found["error"]


def test_a_disk_that_fills_up_keeps_what_is_finished(fake, tmp_path, monkeypatch):
    plan, real, room = fake.plan(), os.write, [20_000]

    def write(descriptor, data):
        if room[0] < len(data):
            real(descriptor, bytes(data[: room[0]]))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= len(data)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(LedgerError, match="the disk is full; free some space, then run the same command again"):
        run(plan, fake.FakeReplay(), tmp_path, quiet=True)
    monkeypatch.undo()
    assert list(tmp_path.rglob(".*.tmp")) == []
    ledger = Ledger(tmp_path, Manifest.of(plan, fake.FakeReplay()))
    left = len(ledger.missing())
    assert 0 < left < plan.n_units
    replay = fake.FakeReplay()
    results = run(plan, replay, tmp_path, quiet=True)
    assert len(replay.calls) == left
    whole = run(plan, fake.FakeReplay(), tmp_path / "whole", quiet=True)
    pd.testing.assert_frame_equal(results.table.frame, whole.table.frame, check_exact=True)
