"""Which run is next, in small sweeps of made-up results."""

import pytest

from causalablate.errors import TrainingError
from causalablate.training.sweep.board import Board
from causalablate.training.sweep.ending import Ended

ARMS = [
    {"name": "baseline"},
    {"name": "f1", "set": {"model.freeze": ["vision"]}},
    {"name": "l2", "set": {"main.learning_rate": 1e-3}, "priority": "P1"},
    {"name": "l3", "set": {"main.learning_rate": 1e-4}},
    {"name": "late", "set": {"model.width": 32}, "priority": "P2"},
]
RULES = [{"if": {"arm": "f1", "beats": ["baseline"]}, "then": {"skip": ["l2", "l3"]}, "because": "of time"}]


@pytest.fixture
def board(tiny, plan_of):
    return Board(plan_of(tiny(arms=ARMS, rules=RULES)))


def end(board, arm, accuracy, status="finished"):
    for digest in board.plan.arms[arm].runs.values():
        board.over[digest] = Ended(status, "so it was", {"accuracy": accuracy}, 1.0)


def names(board, digests):
    return [(board.plan.runs[d].arm, board.plan.runs[d].config.seed) for d in digests]


def test_priorities_come_first_then_seeds_then_arms_and_what_a_rule_may_skip_waits(board):
    assert names(board, board.wanted()) == [
        ("baseline", 0), ("f1", 0), ("l3", 0), ("baseline", 1), ("f1", 1), ("l3", 1),
        ("l2", 0), ("l2", 1), ("late", 0), ("late", 1),
    ]  # fmt: skip
    ready = [("baseline", 0), ("f1", 0), ("baseline", 1), ("f1", 1), ("late", 0), ("late", 1)]
    assert names(board, board.ready()) == ready
    assert names(board, board.before(board.plan.arms["late"].runs[0])) == names(board, board.wanted()[:8])


def test_a_rule_is_decided_once_all_its_runs_are_over_and_what_it_skips_says_why(board):
    end(board, "f1", 0.9)
    assert board.settle() == []
    end(board, "baseline", 0.5)
    (decision,) = board.settle()
    assert decision.holds and board.settle() == []
    assert board.status(board.plan.arms["l2"], 0) == ("skipped", "rule 1: f1 (0.9) beats baseline (0.5)")
    assert names(board, board.ready()) == [("late", 0), ("late", 1)]


def test_a_rule_that_does_not_hold_lets_its_arms_run(board):
    end(board, "f1", 0.5)
    end(board, "baseline", 0.5)
    board.settle()
    assert names(board, board.ready())[:3] == [("l3", 0), ("l3", 1), ("l2", 0)]
    assert board.status(board.plan.arms["l2"], 0) == ("waiting", "")


def test_rules_follow_from_each_other(tiny, plan_of):
    second = {"if": {"arm": "l3", "beats": ["baseline"]}, "then": {"skip": ["late"]}, "because": "of time"}
    board = Board(plan_of(tiny(arms=ARMS, rules=[*RULES, second])))
    end(board, "f1", 0.9)
    end(board, "baseline", 0.5)
    first, then = board.settle()
    assert first.holds and not then.holds and "l3 has runs without accuracy" in then.why
    assert names(board, board.ready()) == [("late", 0), ("late", 1)]


def test_a_run_that_a_skipped_arm_shares_is_made_for_the_other_one(tiny, plan_of):
    arms = [*ARMS, {"name": "twin", "set": {"main.learning_rate": 1e-4}, "priority": "P2"}]
    board = Board(plan_of(tiny(arms=arms, rules=RULES)))
    shared = board.plan.arms["l3"].runs[0]
    assert shared in board.ready()  # Whatever the rule says, twin needs it
    end(board, "f1", 0.9)
    end(board, "baseline", 0.5)
    board.settle()
    assert names(board, board.ready()) == [("l3", 0), ("late", 0), ("l3", 1), ("late", 1)]
    end(board, "l3", 0.7)
    assert board.status(board.plan.arms["l3"], 0)[0] == "skipped"
    assert board.status(board.plan.arms["twin"], 0) == ("finished", "so it was")


def test_what_does_not_fit_takes_lower_priorities_with_it(board):
    digest = board.plan.arms["f1"].runs[1]
    board.refuse(digest, "no time")
    assert board.status(board.plan.arms["f1"], 1) == ("skipped", "no time")
    assert board.status(board.plan.arms["late"], 0) == ("skipped", "no time")
    assert board.status(board.plan.arms["f1"], 0)[0] == "waiting"


def test_the_backbone_comes_before_everything_and_has_to_end_well(tiny, plan_of, tmp_path):
    (tmp_path / "b.yaml").write_text("name: b\nmodel: {width: 16, layers: 1}\n")
    board = Board(plan_of(tiny(start="b.yaml"), tmp_path))
    assert board.ready() == [board.plan.backbone] and len(board.wanted()) == 5
    board.over[board.plan.backbone] = Ended("finished")
    assert names(board, board.ready())[0] == ("baseline", 0)
    board.over[board.plan.backbone] = Ended("diverged", "at step 3")
    with pytest.raises(TrainingError, match="all others start from diverged: at step 3"):
        board.ready()
