from causalablate.progress import progress_bar


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
