"""Run by test_crash.py in a process of its own: forks workers, and kills them at random moments."""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import fake

from causalablate.errors import CausalAblateError
from causalablate.study import Ledger, Manifest, run, runner, store

os.fsync = lambda descriptor: None  # a killed process loses no written page, and flushing is slow on some disks
runner._COMPACT_ABOVE = 30  # so that kills also fall into compactions
store.ROWS_PER_PACK = 60
KILLS = 8


def plan():
    return fake.plan(batch_size=1)


def worker(out, log, delay):
    """Fork a process that runs the plan."""
    pid = os.fork()
    if pid == 0:
        try:
            run(plan(), fake.FakeReplay(log=log, delay=delay), out, quiet=True)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    return pid


def wait(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def finished(out):
    """Units that are on the disk, as (name, start)."""
    ledger = Ledger(Path(out), Manifest.of(plan(), fake.FakeReplay()))
    missing = set(ledger.missing())
    return {(unit.name, unit.start) for unit in plan().units if unit not in missing}


def computed(log):
    lines = Path(log).read_text().splitlines() if Path(log).exists() else []
    return [(line.split("|")[0], int(line.split("|")[1])) for line in lines]


def kill(out, log, seed):
    """Kill the run again and again, then let it end."""
    chance, kills, repeated, lost, code = random.Random(int(seed)), 0, [], [], None
    while code is None:
        before, n_before = finished(out), len(computed(log))
        pid = worker(out, log, delay=0.002)
        if kills < KILLS:
            # First soon after some more units, however fast the machine; then at any moment, the compaction included.
            soon, more = kills < KILLS // 2, chance.randint(1, plan().n_units // KILLS)
            while soon and len(computed(log)) < n_before + more:
                time.sleep(0.001)
            time.sleep(chance.uniform(0.0, 0.005 if soon else 0.3))
            os.kill(pid, signal.SIGKILL)  # one that has ended by itself stays until waited for
            kills += 1
            if wait(pid) == 0:
                code = 0
        else:
            code = wait(pid)
        repeated += [unit for unit in computed(log)[n_before:] if unit in before]
        lost += sorted(before - finished(out))
    return {
        "kills": kills,
        "code": code,
        "repeated": repeated,
        "lost": lost,
        "extra": len(computed(log)) - plan().n_units,
        "half_written": [path.name for path in Path(out).rglob(".*.tmp")],
    }


def together(out, log):
    """Two processes run the same plan in the same directory at once."""
    codes = [wait(pid) for pid in [worker(out, log, 0.002), worker(out, log, 0.002)]]
    return {"codes": codes, "computed": len(computed(log))}


def nobody(out, log):
    """Without the rights of root, run in a directory that only root may write."""
    os.setgid(65534)
    os.setuid(65534)
    replay = fake.FakeReplay()
    try:
        run(plan(), replay, Path(out) / "results", quiet=True)
    except CausalAblateError as error:
        return {"error": f"{type(error).__name__}: {error}", "calls": len(replay.calls)}
    return {"error": None}


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    print(json.dumps({"kill": kill, "together": together, "nobody": nobody}[action](*arguments)))
