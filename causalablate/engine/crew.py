"""Workers: processes that share a sweep.

Matrix products of a lesioned forward are often too small to be worth splitting among threads, which then wait for each
other; whole forwards side by side do not. Workers are forked, so that they have the model and what was recorded of it
without a copy, and whatever they do to them stays with them. Threads of one process would wait for Python.
"""

import multiprocessing
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

import torch

from causalablate.errors import WorkerError

_LESIONS_PER_WORKER = 4
"""Below that, threads inside each forward serve better."""

_AHEAD = 2
"""Tasks per worker that may be finished before their turn: later ones may turn out not to be wanted."""

A = TypeVar("A")
R = TypeVar("R")


def fitting_workers(n_lesions: int, device: torch.device) -> int:
    """How many processes suit a sweep here; 1 stands for this process, with all its threads.

    That is so on a GPU, which runs one forward at full speed; on systems that cannot fork a process with threads; and
    in processes that may not have children.

    Args:
        n_lesions: Of the whole sweep.
        device: Where the model is.
    """
    alone = device.type != "cpu" or torch.cuda.is_initialized() or multiprocessing.current_process().daemon
    if alone or sys.platform != "linux":
        return 1
    return max(1, min(torch.get_num_threads(), n_lesions // _LESIONS_PER_WORKER))


def dealt(n_tasks: int, run: Callable[[int, A], R], ask: Callable[[], A], workers: int) -> Iterator[R]:
    """Run tasks in processes; which worker runs which depends on who is free.

    Args:
        n_tasks: They are numbered from 0.
        run: (task, answer) -> result, in a worker, on one thread. Results and errors travel as pickles.
        ask: Asked just before a task is given to a worker.
        workers: How many, each forked at the start.
    Yields:
        The results in the order of the tasks.
    Raises:
        Exception: What a task raised, in its turn.
        WorkerError: A worker died.
    """
    results: dict[int, tuple[bool, Any]] = {}
    given = 0
    with ExitStack() as stack:
        crew = {_start(run, stack): -1 for _ in range(min(workers, n_tasks))}
        for task in range(n_tasks):
            while task not in results:
                for worker, busy in crew.items():
                    if busy < 0 and given < min(n_tasks, task + _AHEAD * len(crew)):
                        _give(*worker, (given, ask()))
                        crew[worker], given = given, given + 1
                ready = wait([x for (process, pipe), k in crew.items() if k >= 0 for x in (pipe, process.sentinel)])
                for worker, k in crew.items():
                    if worker[1] in ready or worker[0].sentinel in ready:
                        results[k], crew[worker] = _result(*worker), -1
            fine, value = results.pop(task)
            if not fine:
                raise value
            yield value


_Worker = tuple[BaseProcess, Connection]


def _start(run: Callable[[int, A], R], stack: ExitStack) -> _Worker:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_work, args=(run, here, there), daemon=True)
    with warnings.catch_warnings():
        # Python warns of locks that other threads may hold; a worker takes none but those of torch, on one thread.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    there.close()
    stack.callback(_end, process, here)
    return process, here


def _end(process: BaseProcess, pipe: Connection) -> None:
    pipe.close()
    process.terminate()
    process.join()


def _give(process: BaseProcess, pipe: Connection, what: Any) -> None:
    try:
        pipe.send(what)
    except (BrokenPipeError, ConnectionResetError):
        raise _died(process) from None


def _result(process: BaseProcess, pipe: Connection) -> tuple[bool, Any]:
    with suppress(EOFError, ConnectionResetError):
        if pipe.poll():
            found: tuple[bool, Any] = pipe.recv()
            return found
    raise _died(process)


def _died(process: BaseProcess) -> WorkerError:
    process.join()
    return WorkerError(
        f"a worker process died (exit code {process.exitcode}); -9 is most often the system's answer to want of "
        "memory: use a smaller batch_size, or fewer threads (OMP_NUM_THREADS)"
    )


def _work(run: Callable[[int, A], R], above: Connection, pipe: Connection) -> None:
    """What a worker does until the pipe ends; Ctrl-C is for the process above."""
    above.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)  # the others did not survive the fork
    with suppress(EOFError, OSError):
        while True:
            task, answer = pipe.recv()
            try:
                found: tuple[bool, Any] = (True, run(task, answer))
            except BaseException as error:
                found = (False, _portable(error))
            pipe.send(found)


def _portable(error: BaseException) -> BaseException:
    """The error itself if it survives pickling, else its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return WorkerError(f"{type(error).__name__}: {error}")
    return error
