"""One progress bar for all long work: what is done, how fast, time left. Written to stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

Advance = Callable[[int, str], None]


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

        yield advance
