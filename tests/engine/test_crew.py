import os
import signal
import time

import pytest
import torch

from causalablate.engine import crew
from causalablate.engine.crew import dealt, fitting_workers
from causalablate.errors import LesionError, WorkerError


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def children():
    return set(crew.multiprocessing.active_children())


def test_results_come_in_the_order_of_the_tasks_from_several_processes():
    def run(task, answer):
        time.sleep(0.05 * (task % 3 == 0))
        return task * answer, os.getpid(), torch.get_num_threads()

    found = list(dealt(9, run, lambda: 10, 2))
    assert [value for value, *_ in found] == [10 * task for task in range(9)]
    pids = {pid for _, pid, _ in found}
    assert len(pids) == 2 and os.getpid() not in pids
    assert {threads for *_, threads in found} == {1}
    assert not children()


def test_what_a_worker_changes_stays_with_it():
    held = torch.zeros(3)
    assert [float(x) for x in dealt(3, lambda task, _: float(held.add_(1).sum()), lambda: None, 1)] == [3, 6, 9]
    assert held.sum() == 0


def test_the_question_is_asked_here_just_before_a_task_is_given():
    done = []
    for task in dealt(12, lambda task, known: (task, known), lambda: len(done), 2):
        done.append(task)
    assert done[0] == (0, 0)
    assert all(task - 4 <= known <= task for task, known in done)


def test_an_error_is_raised_in_its_turn():
    def run(task, _):
        if task == 2:
            raise LesionError("no such thing")
        return task

    found = dealt(5, run, lambda: None, 2)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(LesionError, match="no such thing"):
        next(found)
    assert not children()


def test_an_error_that_cannot_travel_comes_as_text():
    class LocalError(Exception):
        pass

    def run(task, _):
        raise LocalError("only here")

    with pytest.raises(WorkerError, match="LocalError: only here"):
        list(dealt(2, run, lambda: None, 2))


def test_a_worker_that_dies_is_an_error_and_no_hanging():
    def run(task, _):
        if task == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2)
        return task

    with pytest.raises(WorkerError, match="exit code -9"):
        list(dealt(6, run, lambda: None, 2))
    assert not children()


def test_leaving_early_ends_the_workers():
    found = dealt(100, lambda task, _: time.sleep(0.01) or task, lambda: None, 2)
    next(found)
    assert len(children()) == 2
    found.close()
    assert not children()


def test_one_process_where_forking_does_not_pay_or_is_not_possible(two_threads, monkeypatch):
    cpu = torch.device("cpu")
    assert fitting_workers(100, cpu) == 2
    assert fitting_workers(7, cpu) == 1
    assert fitting_workers(100, torch.device("cuda")) == 1
    monkeypatch.setattr(crew.sys, "platform", "darwin")
    assert fitting_workers(100, cpu) == 1
    torch.set_num_threads(1)
    monkeypatch.setattr(crew.sys, "platform", "linux")
    assert fitting_workers(100, cpu) == 1
