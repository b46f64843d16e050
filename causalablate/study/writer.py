"""Write finished work in the background: flushing to the disk takes long, and needs no processor."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

_WRITERS = 4
_MOST_WAITING = 16


class Writer:
    """A queue of writes. Leaving the block waits for all of them, whatever ended it.

    A write that fails raises at the next `put`, or when the block is left.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_WRITERS, thread_name_prefix="ledger")
        self._waiting: deque[tuple[Future[object], Callable[[], None]]] = deque()

    def __enter__(self) -> "Writer":
        return self

    def put(self, write: Callable[[], object], done: Callable[[], None]) -> None:
        """Queue a write; `done` is called, in this thread and in order, after it is on the disk."""
        self._waiting.append((self._pool.submit(write), done))
        while self._waiting and (len(self._waiting) > _MOST_WAITING or self._waiting[0][0].done()):
            self._finish_oldest()

    def _finish_oldest(self) -> None:
        future, done = self._waiting.popleft()
        future.result()
        done()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        if kind is None:
            while self._waiting:
                self._finish_oldest()
