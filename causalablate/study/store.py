"""A folder of immutable Parquet parts: a unit is there or it is not, and what is read is what was written.

Loose parts are named by the key of their one unit; packs, made by `compact`, hold many units and list them in their
footer. Anything else in the folder is ignored.
"""

import contextlib
import errno
import hashlib
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from causalablate.durable import write_durably
from causalablate.errors import LedgerError
from causalablate.study.part import Part, decode, encode, units_of

ROWS_PER_PACK = 50_000

_PACK = "pack-"
_SUFFIX = ".parquet"
_ATTEMPTS = 5
_PAUSE_S = 0.02
_LOOK_EVERY_S = 1.0  # Listing a folder of a hundred thousand parts takes a tenth of that

T = TypeVar("T")


class Store:
    """Parts in one folder. Any number of processes may write, compact and read at once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._footers: dict[str, frozenset[str]] = {}
        self._packs: list[frozenset[str]] = []
        self._looked = -math.inf

    def contents(self) -> dict[Path, frozenset[str]]:
        """Every file and the keys of its units, packs first.

        Raises:
            LedgerError: The footer of a pack is damaged, or the folder cannot be read.
        """
        return self._steady(self._contents)

    def _contents(self) -> dict[Path, frozenset[str]]:
        # Of a file that is compacted away during one look, the next sees the pack. Whoever compacts that pack in turn
        # looks twice as well before it deletes anything, so two looks are enough.
        files = self._files() | self._files()
        ordered = sorted(files, key=lambda path: (not path.name.startswith(_PACK), path.name))
        return {path: self._units(path) for path in ordered}

    def _files(self, start: str = "") -> set[Path]:
        try:
            with os.scandir(self.folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(_SUFFIX)]
            return {self.folder / name for name in names if name.startswith(start)}
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise LedgerError(f"cannot read {self.folder}: {error.strerror}") from error

    def _steady(self, look: Callable[[], T]) -> T:
        """What `look` returns, tried again when a file that it had seen was compacted away before it read it."""
        for attempt in range(_ATTEMPTS):
            time.sleep(_PAUSE_S * attempt)
            with contextlib.suppress(FileNotFoundError):
                return look()
        raise LedgerError(f"{self.folder} keeps changing while it is read; wait until no other process compacts it")

    def keys(self) -> set[str]:
        """Keys of all units that are there."""
        return {key for keys in self.contents().values() for key in keys}

    def n_loose(self) -> int:
        """Number of parts that are not packed."""
        return sum(not path.name.startswith(_PACK) for path in self.contents())

    def has(self, key: str) -> bool:
        """Whether a unit is there: a quick look, made while other processes write and compact.

        What another process has packed within the last second may be missed.

        Raises:
            LedgerError: The footer of a pack is damaged, or the folder cannot be read.
        """
        if self._loose(key).exists():
            return True
        if time.monotonic() - self._looked >= _LOOK_EVERY_S:
            self._packs = self._steady(lambda: [self._units(path) for path in self._files(_PACK)])
            self._looked = time.monotonic()
        return any(key in keys for keys in self._packs)

    def write(self, part: Part) -> None:
        """Keep a finished unit; when this returns, it survives a power cut.

        Raises:
            LedgerError: The disk is full, or the folder cannot be written; nothing half-written remains.
        """
        write_durably(self._loose(part.key), encode([part]))

    def read(self, keys: Iterable[str]) -> dict[str, Part]:
        """The parts of these units; those that are not there are left out.

        Raises:
            LedgerError: A part is damaged; the message names the file.
        """
        wanted = set(keys)
        return self._steady(lambda: self._read(wanted))

    def _read(self, wanted: set[str]) -> dict[str, Part]:
        found: dict[str, Part] = {}
        for path, keys in self.contents().items():
            if (keys & wanted) - found.keys():
                found |= {part.key: part for part in self.load(path) if part.key in wanted}
        return found

    def load(self, path: Path) -> list[Part]:
        """The parts of one file, verified.

        Raises:
            FileNotFoundError: It is not there.
            LedgerError: It is damaged or cannot be read.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            if _is_gone(error):
                raise FileNotFoundError(path) from error
            raise LedgerError(f"cannot read {path}: {error.strerror}") from error
        try:
            parts = decode(content)
        except Exception as error:  # pyarrow raises many types, depending on which byte is wrong
            raise _damaged(path, error) from error
        if not path.name.startswith(_PACK) and [part.key for part in parts] != [path.stem]:
            raise _damaged(path, "it holds another unit than its name says")
        return parts

    def compact(self) -> int:
        """Merge small files into packs of `ROWS_PER_PACK` rows or more; what reads return stays the same.

        A pack is written and verified before the files that it replaces are deleted, so that a crash at any moment
        leaves every unit there, at worst twice; the next call removes the copies. When another process compacts the
        same files at the same moment, this one leaves the rest to it.

        Returns:
            By how many files there are fewer.
        """
        before = len(self.contents())
        with contextlib.suppress(FileNotFoundError):
            self._merge()
        return before - len(self.contents())

    def _merge(self) -> None:
        self._drop_copies()
        for parts, sources in self._groups():
            digest = hashlib.sha256("".join(part.key for part in parts).encode()).hexdigest()
            path = self.folder / f"{_PACK}{digest}{_SUFFIX}"
            write_durably(path, encode(parts))
            self.load(path)
            self._delete(source for source in sources if source != path)

    def _drop_copies(self) -> None:
        """Delete the files all of whose units are in larger packs."""
        owner: dict[str, Path] = {}
        verified: set[Path] = set()
        for path, keys in sorted(self.contents().items(), key=lambda item: (-len(item[1]), item[0].name)):
            if keys <= owner.keys():
                for pack in {owner[key] for key in keys} - verified:
                    self.load(pack)
                    verified.add(pack)
                self._delete([path])
            else:
                owner |= {key: path for key in keys if path.name.startswith(_PACK)}

    def _groups(self) -> Iterator[tuple[list[Part], list[Path]]]:
        """Parts to be packed together, and the files that hold them now."""
        small: dict[tuple[str, ...], list[tuple[list[Part], Path]]] = {}
        for path in self.contents():
            parts = self.load(path)
            if not path.name.startswith(_PACK) or sum(map(len, parts)) < ROWS_PER_PACK:
                small.setdefault(parts[0].schema, []).append((parts, path))
        for files in small.values():
            groups: list[list[tuple[list[Part], Path]]] = [[]]
            for file in files:
                if _rows(groups[-1]) >= ROWS_PER_PACK:
                    groups.append([])
                groups[-1].append(file)
            if len(groups) > 1 and _rows(groups[-1]) < ROWS_PER_PACK:
                remainder = groups.pop()
                groups[-1] += remainder
            for group in groups:
                if len(group) > 1:
                    unique = {part.key: part for parts, _ in group for part in parts}
                    yield [unique[key] for key in sorted(unique)], [path for _, path in group]

    def _units(self, path: Path) -> frozenset[str]:
        if not path.name.startswith(_PACK):
            return frozenset((path.stem,))
        if path.name not in self._footers:
            try:
                with path.open("rb") as file:
                    self._footers[path.name] = frozenset(units_of(file))
            except Exception as error:
                if _is_gone(error):
                    raise FileNotFoundError(path) from error
                raise _damaged(path, error) from error
        return self._footers[path.name]

    def _loose(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"

    def _delete(self, paths: Iterable[Path]) -> None:
        for path in paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise LedgerError(f"cannot delete {path} after compaction: {error.strerror}") from error


def _is_gone(error: Exception) -> bool:
    """Whether a file was deleted by another process, on this machine or, on a network disk, by another one."""
    return isinstance(error, FileNotFoundError) or (isinstance(error, OSError) and error.errno == errno.ESTALE)


def _rows(group: list[tuple[list[Part], Path]]) -> int:
    return sum(len(part) for parts, _ in group for part in parts)


def _damaged(path: Path, reason: object) -> LedgerError:
    return LedgerError(
        f"{path} is damaged ({reason}). Delete this file and run the same command again: "
        "only the units it held are computed again"
    )
