"""One progress bar for all long work: what is done, how fast, time left. Written to stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

Advance = Callable[[int, str], None]

_shown: list[Progress] = []
"""The bars on the screen, the latest last."""


@contextmanager
def progress_bar(description: str, total: int, *, done: int = 0, quiet: bool = False) -> Iterator[Advance]:
    """Show a bar for `total` units of work.

    Args:
        description: What is being done.
        total: Units in all, those already done included.
        done: Units finished by an earlier call of the same command.
        quiet: Show nothing.
    Yields:
        `advance(n, note)`: `n` more units are done; `note` is shown beside the bar.
    """
    fixed, rest = Column(no_wrap=True, overflow="fold"), Column(no_wrap=True, overflow="ellipsis", ratio=1)
    bar = Progress(
        TextColumn("{task.description}", table_column=fixed),
        BarColumn(16),
        MofNCompleteColumn(table_column=fixed),
        TimeElapsedColumn(table_column=fixed),
        TextColumn("left", table_column=fixed),
        TimeRemainingColumn(table_column=fixed),
        TextColumn("{task.fields[note]}", table_column=rest),
        console=Console(stderr=True),
        expand=True,
        disable=quiet,
    )
    with bar:
        task = bar.add_task(description, total=total, completed=done, note="")

        def advance(n: int = 1, note: str = "") -> None:
            bar.update(task, advance=n, note=note)

        _shown.append(bar)
        try:
            yield advance
        finally:
            _shown.remove(bar)


@contextmanager
def inner_progress_bar(description: str, total: int, *, after_s: float = 1.0) -> Iterator[Advance]:
    """A bar below the one on the screen, for a part of that work. Where none is on the screen, nothing is shown.

    Args:
        description: What is being done.
        total: Units in all.
        after_s: Work that takes less than this shows no bar of its own.
    Yields:
        `advance(n, note)`, as for `progress_bar`.
    """
    bar, begun, done, task = _shown[-1] if _shown else None, time.monotonic(), 0, None

    def advance(n: int = 1, note: str = "") -> None:
        nonlocal done, task
        done += n
        if bar is not None and task is None and time.monotonic() - begun >= after_s:
            task = bar.add_task(description, total=total, note="")
        if bar is not None and task is not None:
            bar.update(task, completed=done, note=note)

    try:
        yield advance
    finally:
        if bar is not None and task is not None:
            bar.remove_task(task)
