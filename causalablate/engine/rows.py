"""Activations of many examples, kept until donors are drawn: in memory while they fit, else in a temporary file."""

import io
import math
import tempfile
import weakref
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from causalablate.engine.memory import free_memory
from causalablate.errors import StorageError


class Rows(Protocol):
    """One activation per example, of one shape and dtype."""

    def put(self, start: int, x: Tensor) -> None:
        """Keep the activations of the examples from number `start` on, shape (examples, ...)."""
        ...

    def take(self, examples: Tensor) -> Tensor:
        """A copy of the activations of these examples, on the CPU, bit for bit as they were put."""
        ...


class RowStore:
    """Space for the activations of `n` examples at any number of places.

    Each place is kept in memory if it fits into what is left of the budget, and in one temporary file otherwise. The
    file has no name where the system allows it, so that it is gone when the process is, however that ends.

    Attributes:
        n_bytes_in_memory: What the places kept in memory take.
    """

    def __init__(self, n: int, *, memory: int | None = None, folder: Path | None = None):
        """Nothing is allocated yet.

        Args:
            n: Number of examples.
            memory: Bytes of main memory that all places together may take; by default half of what is free.
            folder: Where the temporary file is made; by default the system's folder, which TMPDIR sets.
        """
        self._n = n
        self._memory = free_memory() // 2 if memory is None else memory
        self._file = _TemporaryFile(folder)
        self.n_bytes_in_memory = 0

    def reserve(self, shape: torch.Size, dtype: torch.dtype) -> Rows:
        """Space for one activation of this shape per example."""
        n_bytes = self._n * math.prod(shape) * dtype.itemsize
        if self.n_bytes_in_memory + n_bytes > self._memory:
            return _OnDisk(self._file, self._n, shape, dtype)
        self.n_bytes_in_memory += n_bytes
        return _InMemory(self._n, shape, dtype)

    @property
    def n_bytes_on_disk(self) -> int:
        """Size of the temporary file."""
        return self._file.size

    def close(self) -> None:
        """Give up what is on the disk; nothing can be read from it any more."""
        self._file.close()


class _InMemory:
    """`Rows` as one tensor."""

    def __init__(self, n: int, shape: torch.Size, dtype: torch.dtype):
        with torch.inference_mode(False):  # A tensor of inference mode could not enter a computation with gradients
            self._rows = torch.empty((n, *shape), dtype=dtype)

    def put(self, start: int, x: Tensor) -> None:
        self._rows[start : start + len(x)] = x.detach()

    def take(self, examples: Tensor) -> Tensor:
        return self._rows.index_select(0, examples)


class _OnDisk:
    """`Rows` as a span of a file."""

    def __init__(self, file: "_TemporaryFile", n: int, shape: torch.Size, dtype: torch.dtype):
        self._file, self._n, self._shape, self._dtype = file, n, shape, dtype
        self._row_bytes = math.prod(shape) * dtype.itemsize
        self._offset = file.reserve(n * self._row_bytes)

    def put(self, start: int, x: Tensor) -> None:
        content = x.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        self._file.write(self._offset + start * self._row_bytes, content.numpy().data)

    def take(self, examples: Tensor) -> Tensor:
        span = self._file.read_only()[self._offset : self._offset + self._n * self._row_bytes]
        chosen = span.reshape(self._n, self._row_bytes)[examples.numpy()]
        return torch.from_numpy(chosen).reshape(-1).view(self._dtype).reshape(len(examples), *self._shape)


class _TemporaryFile:
    """Written piece by piece, so that a full disk is an error and not a crash; read through a memory map."""

    def __init__(self, folder: Path | None):
        self._folder = Path(tempfile.gettempdir()) if folder is None else folder
        self._file: io.FileIO | None = None
        self._map: np.ndarray | None = None
        self.size = 0

    def reserve(self, n_bytes: int) -> int:
        """Offset of the next `n_bytes` bytes; they take room only when they are written."""
        self.size += n_bytes
        return self.size - n_bytes

    def write(self, offset: int, content: memoryview) -> None:
        """Write at an offset.

        Raises:
            StorageError: The disk is full, or cannot be written.
        """
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(  # noqa: SIM115 (it outlives this call)
                    dir=self._folder, buffering=0, prefix="causalablate-"
                )
                weakref.finalize(self, self._file.close)
            self._file.seek(offset)
            while content:
                content = content[self._file.write(content) :]
        except OSError as error:
            raise StorageError(
                f"cannot keep the activations of the reference set in {self._folder}: {error.strerror}. They take "
                f"{self.size / 1e9:,.2f} GB there. Make room, set TMPDIR to a larger disk, allow them more memory, use "
                "a smaller reference set, or resample fewer components at once"
            ) from error

    def read_only(self) -> np.ndarray:
        """Everything written, bytes."""
        if self._map is None or len(self._map) < self.size:
            assert self._file is not None, "nothing was written"
            self._file.truncate(self.size)
            self._map = np.memmap(self._file, dtype=np.uint8, mode="r", shape=(self.size,))
        return self._map

    def close(self) -> None:
        """Delete it."""
        self._map = None
        if self._file is not None:
            self._file.close()
            self._file = None
