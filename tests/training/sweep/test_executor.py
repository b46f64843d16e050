"""In which order runs are made, and what becomes of those that fail: with workers that only pretend to train."""

import contextlib
import json
import signal

import pytest

from causalablate.training.sweep import executor
from causalablate.training.sweep.ending import read_ending
from causalablate.training.sweep.executor import default_workers, execute, found_board

ARMS = [
    {"name": "baseline"},
    {"name": "f1", "set": {"model.freeze": ["vision"]}},
    {"name": "l2", "set": {"main.learning_rate": 1e-3}},
    {"name": "late", "set": {"model.width": 32}, "priority": "P2"},
]
RULES = [{"if": {"arm": "f1", "beats": ["baseline"]}, "then": {"skip": ["l2"]}, "because": "of time"}]


class Pretending:
    """A crew whose runs are over at once.

    Attributes:
        started: Arm and seed of the runs, in the order they were started.
        together: How many were at it at most.
    """

    def __init__(self, plan, ends, seconds=10.0):
        self.plan, self.ends, self.seconds = plan, ends, seconds
        self.started, self.together, self.busy = [], 0, {}

    def start(self, folder):
        run = self.plan.runs[folder.name]
        assert json.loads((folder / "run.json").read_text())["name"] == folder.name
        self.started.append((run.arm, run.config.seed))
        self.busy[folder] = 1
        self.together = max(self.together, len(self.busy))

    def ended(self, timeout_s):
        folder = next(iter(self.busy))
        del self.busy[folder]
        end = self.ends.get(self.plan.runs[folder.name].arm, 0.5)
        if isinstance(end, int):
            return [(folder, end)]
        status, accuracy = end if isinstance(end, tuple) else ("finished", end)
        (folder / "cost.json").write_text(json.dumps({"seconds": self.seconds}))
        (folder / "record.json").write_text(
            json.dumps({"status": status, "reason": "", "metrics": {"accuracy": accuracy}})
        )
        return [(folder, 0)]

    def stop(self):
        self.busy.clear()
        return []


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Carry out a plan with pretending workers; returns board and crew."""

    def go(plan, workers=1, ends=None, **others):
        hands = Pretending(plan, ends or {}, **others)
        monkeypatch.setattr(executor, "crew", lambda threads: contextlib.nullcontext(hands))
        return execute(plan, tmp_path, workers=workers, quiet=True), hands

    return go


def statuses(board):
    arms = board.plan.arms.values()
    return {arm.name: [board.status(arm, seed)[0] for seed in board.plan.spec.seeds] for arm in arms}


def test_runs_are_made_in_order_and_only_once(tiny, plan_of, run, tmp_path):
    plan = plan_of(tiny(arms=ARMS, rules=RULES))
    board, hands = run(plan, ends={"f1": 0.4})
    order = [("baseline", 0), ("f1", 0), ("baseline", 1), ("f1", 1), ("l2", 0), ("l2", 1), ("late", 0), ("late", 1)]
    assert hands.started == order and hands.together == 1
    assert statuses(board) == {name: ["finished"] * 2 for name in ("baseline", "f1", "l2", "late")}
    assert run(plan)[1].started == []


def test_what_a_rule_skips_is_not_made(tiny, plan_of, run):
    board, hands = run(plan_of(tiny(arms=ARMS, rules=RULES)), workers=3, ends={"f1": 0.6})
    assert ("l2", 0) not in hands.started and statuses(board)["l2"] == ["skipped", "skipped"]
    assert hands.together == 3 and board.decisions[1].holds


def test_a_run_that_fails_or_dies_does_not_stop_the_others_and_is_tried_again(tiny, plan_of, run, tmp_path):
    plan = plan_of(tiny(arms=ARMS))
    ends = {"f1": -signal.SIGKILL, "l2": ("diverged", 0.1), "late": 1}
    board, hands = run(plan, ends=ends)
    assert len(hands.started) == 8
    assert statuses(board) == {
        "baseline": ["finished"] * 2, "f1": ["failed"] * 2, "l2": ["diverged"] * 2, "late": ["failed"] * 2,
    }  # fmt: skip
    assert "SIGKILL" in board.status(plan.arms["f1"], 0)[1] and "exit code 1" in board.status(plan.arms["late"], 0)[1]
    board, hands = run(plan)
    assert hands.started == [("f1", 0), ("f1", 1), ("late", 0), ("late", 1)]
    assert statuses(board)["f1"] == ["finished"] * 2 and statuses(board)["l2"] == ["diverged"] * 2


def test_hours_leave_out_the_lowest_priorities_and_more_hours_bring_them_back(tiny, plan_of, run):
    plan = plan_of(tiny(arms=ARMS, hours=1.0))
    board, hands = run(plan, workers=2, seconds=700.0)
    assert hands.started == [("baseline", 0), ("f1", 0), ("l2", 0), ("baseline", 1), ("f1", 1)]
    assert statuses(board) == {
        "baseline": ["finished"] * 2, "f1": ["finished"] * 2, "l2": ["finished", "skipped"], "late": ["skipped"] * 2,
    }  # fmt: skip
    assert "a larger budget runs it" in board.status(plan.arms["late"], 0)[1]
    board, hands = run(plan, seconds=700.0)
    assert hands.started == [] and statuses(board)["late"] == ["skipped"] * 2
    board, hands = run(plan_of(tiny(arms=ARMS, hours=1.2)), seconds=700.0)
    assert hands.started == [("l2", 1)]


def test_ctrl_c_stops_the_workers_and_what_is_there_stays(tiny, plan_of, run, monkeypatch):
    stopped = []
    whole = Pretending.ended

    def interrupted(self, timeout_s):
        if len(self.started) == 2:
            raise KeyboardInterrupt
        return whole(self, timeout_s)

    monkeypatch.setattr(Pretending, "ended", interrupted)
    monkeypatch.setattr(Pretending, "stop", lambda self: stopped.append(list(self.busy)) or [])
    plan = plan_of(tiny(arms=ARMS))
    with pytest.raises(KeyboardInterrupt):
        run(plan)
    assert len(stopped) == 1 and len(stopped[0]) == 1


def test_what_is_there_is_found_again(tiny, plan_of, run, tmp_path):
    plan = plan_of(tiny(arms=ARMS, rules=RULES))
    run(plan, ends={"late": 1})
    board, budget = found_board(plan, tmp_path)
    assert len(board.over) == len(budget.seconds) == 6 and board.decisions[1].why
    assert [plan.runs[digest].arm for digest in board.wanted()] == ["late", "late"]
    assert read_ending(tmp_path / board.wanted()[0]).status == "failed"


def test_as_many_workers_as_there_are_cores_for(monkeypatch):
    monkeypatch.setattr(executor.os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert [default_workers(threads) for threads in (1, 3, 16)] == [8, 2, 1]
