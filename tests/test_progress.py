import pytest

from causalablate import progress
from causalablate.progress import inner_progress_bar, progress_bar


def test_it_writes_to_stderr_and_counts_what_was_done_before(capsys):
    with progress_bar("work", 3, done=1) as advance:
        advance(2, "last")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "work" in printed.err and "3/3" in printed.err


def test_quiet_is_silent(capsys):
    with progress_bar("work", 3, quiet=True) as advance:
        advance(3, "")
    assert capsys.readouterr() == ("", "")


def test_an_inner_bar_is_below_the_one_on_the_screen_and_goes_when_it_is_done(capsys):
    with progress_bar("work", 3) as advance, inner_progress_bar("a part", 40, after_s=0) as inner:
        inner(10, "ten")
        inner(30, "all")
        advance(3, "")
    shown = capsys.readouterr().err
    assert "work" in shown and "3/3" in shown
    assert "a part" not in shown.splitlines()[-1]


def test_an_inner_bar_shows_how_far_it_is():
    with progress_bar("work", 3), inner_progress_bar("a part", 40, after_s=0) as inner:
        inner(10, "ten")
        inner(5, "more")
        (task,) = (t for t in progress._shown[-1].tasks if t.description == "a part")
        assert (task.completed, task.total, task.fields["note"]) == (15, 40, "more")
    assert progress._shown == []


def test_short_work_and_work_without_a_bar_on_the_screen_show_no_inner_bar():
    with progress_bar("work", 3), inner_progress_bar("a part", 40, after_s=3600) as inner:
        inner(40, "")
        assert [task.description for task in progress._shown[-1].tasks] == ["work"]
    with inner_progress_bar("a part", 40, after_s=0) as inner:
        inner(40, "")
    with progress_bar("work", 3, quiet=True), inner_progress_bar("a part", 40, after_s=0) as inner:
        inner(40, "")


def test_a_bar_goes_from_the_screen_whatever_ends_its_work():
    with pytest.raises(KeyboardInterrupt), progress_bar("work", 3):
        raise KeyboardInterrupt
    assert progress._shown == []
