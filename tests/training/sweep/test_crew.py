import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from causalablate.errors import WorkerError
from causalablate.training.sweep.crew import Crew


@pytest.fixture
def crew():
    """A crew whose server is a pair of pipes; `said` reads what it was told, `say` answers."""
    told_out, told_in = os.pipe()
    answer_out, answer_in = os.pipe()
    with os.fdopen(told_in, "wb") as stdin, os.fdopen(answer_out, "rb") as stdout:
        process = SimpleNamespace(stdin=stdin, stdout=stdout, wait=lambda: -9, kill=lambda: None)
        made = Crew(process)
        made.said = lambda: os.read(told_out, 1000)
        made.say = lambda text: os.write(answer_in, text)
        made.hang_up = lambda: os.close(answer_in)
        yield made
    os.close(told_out)


def test_folders_are_sent_and_ends_come_back_however_they_are_cut(crew):
    a, b = Path("/runs/a b"), Path("/runs/b")
    crew.start(a)
    crew.start(b)
    assert crew.said() == b"/runs/a b\n/runs/b\n" and crew.ended(0) == []
    crew.say(b"step 5 /runs/b\nend 0 /runs/a")
    assert crew.ended(1) == [] and crew.busy == {a: 0, b: 5}
    crew.say(b" b\nstep 9 /runs/a b\nend -9 /runs/b\n")
    assert crew.ended(1) == [(a, 0), (b, -9)] and crew.busy == {}


def test_stopping_waits_for_all(crew):
    crew.start(Path("/a"))
    crew.start(Path("/b"))
    crew.say(b"step 3 /a\n")
    threading.Timer(0.2, crew.say, [b"end 130 /a\nend 0 /b\n"]).start()
    assert crew.stop() == [(Path("/a"), 130), (Path("/b"), 0)] and crew.said().endswith(b"stop\n")


def test_a_server_that_is_gone_says_what_to_do(crew):
    crew.start(Path("/a"))
    crew.hang_up()
    with pytest.raises(WorkerError, match=r"exit code -9.*the same command again"):
        crew.ended(1)
