import os
import signal

import pytest

from causalablate.training import run
from causalablate.training.interrupts import held_back
from causalablate.training.state import RunState
from causalablate.training.trainer import train


@pytest.fixture(autouse=True)
def _ctrl_c_as_at_first():
    # A shell starts jobs in the background with SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_signal_is_noted_and_the_second_acts():
    with held_back() as asked:
        os.kill(os.getpid(), signal.SIGINT)
        assert asked.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 0.1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_who_minds_a_signal_himself_goes_on_to():
    calls = []
    before = signal.signal(signal.SIGTERM, lambda *_: calls.append(1))
    try:
        with held_back() as asked:
            os.kill(os.getpid(), signal.SIGTERM)
        assert calls == [1] and asked.signal is None
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_run_stops_where_its_watcher_says_so(tiny, tmp_path):
    steps = []
    train(tiny(), tmp_path, quiet=True, watch=lambda step: steps.append(step) or step == 3)
    assert steps == [1, 2, 3] and RunState.load(tmp_path, run.build(tiny()).identity).step == 3


def test_ctrl_c_in_the_middle_of_a_step_loses_nothing(tiny, tmp_path, monkeypatch):
    whole = run.answers_task

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return whole(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run, "answers_task", interrupted)
        train(tiny(save_every=100), tmp_path, quiet=True)
    identity = run.build(tiny(save_every=100)).identity
    state = RunState.load(tmp_path, identity)
    assert state is not None and state.step == 5 and not (tmp_path / "record.json").exists()
    train(tiny(save_every=100), tmp_path, quiet=True)
    assert (tmp_path / "record.json").exists()
