import threading

import pytest

from causalablate.study.writer import Writer


def test_everything_put_is_written_and_reported_in_order():
    written, done = [], []
    with Writer() as writer:
        for i in range(100):
            writer.put(lambda i=i: written.append(i), lambda i=i: done.append(i))
    assert sorted(written) == list(range(100)) and done == list(range(100))


def test_nothing_is_done_before_it_is_written():
    gate, done = threading.Event(), []
    with Writer() as writer:
        writer.put(gate.wait, lambda: done.append("slow"))
        writer.put(lambda: None, lambda: done.append("fast"))
        assert done == []
        gate.set()
    assert done == ["slow", "fast"]


def test_a_failed_write_raises_and_is_not_done():
    done = []

    def fail():
        raise OSError("full")

    with pytest.raises(OSError, match="full"), Writer() as writer:
        writer.put(fail, lambda: done.append(1))
    assert done == []


def test_an_interrupt_waits_for_what_was_computed():
    gate, written = threading.Event(), []

    def write():
        gate.wait()
        written.append(1)

    def leave():
        with Writer() as writer:
            writer.put(write, lambda: None)
            gate.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert written == [1]
