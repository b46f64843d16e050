import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest

from causalablate import durable
from causalablate.errors import LedgerError
from causalablate.study import store
from causalablate.study.part import Part
from causalablate.study.store import Store


def make(i, n=10, lesioned=True):
    values = {"loss": np.full(n, i, dtype=np.float32)}
    key = f"{i:064x}"
    return Part(key, "x", 0, values, np.ones(n, bool), values["loss"] * 2) if lesioned else Part(key, "f", 0, values)


@pytest.fixture
def full(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ROWS_PER_PACK", 35)
    full = Store(tmp_path / "ledger")
    for i in range(11):
        full.write(make(i, lesioned=i > 2))
    return full


def contents(s):
    return {key: part.values["loss"].tolist() for key, part in s.read(s.keys()).items()}


def test_what_is_written_is_there(full):
    assert full.has(make(3).key)
    assert not full.has(make(99).key)
    assert len(full.keys()) == 11
    assert contents(full)[make(5).key] == [5.0] * 10
    assert full.read([make(99).key]) == {}


def test_an_empty_or_absent_folder_holds_nothing(tmp_path):
    assert Store(tmp_path / "nowhere").keys() == set()


def test_compaction_changes_no_answer_and_is_idempotent(full):
    before = contents(full)
    assert full.compact() == 11 - 3
    names = sorted(path.name for path in full.folder.iterdir())
    assert len(names) == 3  # one pack of the factual parts, two of the lesioned ones with 40 rows each
    assert contents(full) == contents(Store(full.folder)) == before
    assert full.compact() == 0
    assert sorted(path.name for path in full.folder.iterdir()) == names


def test_packs_are_large_enough(full):
    full.compact()
    sizes = sorted(sum(map(len, full.load(path))) for path in full.contents())
    assert sizes == [30, 40, 40]


@pytest.mark.parametrize("n", [5, 6, 7, 9, 10, 11, 14])
def test_a_remainder_too_small_for_a_pack_joins_the_last_one(tmp_path, monkeypatch, n):
    monkeypatch.setattr(store, "ROWS_PER_PACK", 35)
    kept = Store(tmp_path)
    for i in range(n):
        kept.write(make(i))
    before = contents(kept)
    kept.compact()
    assert contents(Store(tmp_path)) == before
    sizes = [sum(map(len, kept.load(path))) for path in kept.contents()]
    assert len(sizes) == n // 4 and min(sizes) >= 35


def test_new_parts_join_a_small_pack(full):
    full.compact()
    full.write(make(50, lesioned=False))
    before = contents(full)
    full.compact()
    assert contents(full) == before
    assert len(full.contents()) == 3


@pytest.mark.parametrize("after", range(6))
def test_a_crash_in_compaction_loses_and_repeats_nothing(full, monkeypatch, after):
    before, calls = contents(full), [0]

    def count(*_, **__):
        calls[0] += 1
        if calls[0] > after:
            raise KeyboardInterrupt

    real_write, real_delete = durable.write_durably, Store._delete
    monkeypatch.setattr(store, "write_durably", lambda *a: (count(), real_write(*a)))
    monkeypatch.setattr(Store, "_delete", lambda self, paths: [(count(), real_delete(self, [p])) for p in paths])
    with pytest.raises(KeyboardInterrupt):
        full.compact()
    assert contents(Store(full.folder)) == before
    monkeypatch.undo()
    monkeypatch.setattr(store, "ROWS_PER_PACK", 35)
    again = Store(full.folder)
    again.compact()
    assert contents(again) == before
    assert sum(len(again.load(path)) for path in again.contents()) == 11  # no copies


def test_damage_names_the_file_and_the_remedy(full):
    path = full.folder / f"{make(4).key}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(bytes(content))
    with pytest.raises(LedgerError, match=rf"{path} is damaged .*Delete this file and run the same command again"):
        full.read([make(4).key])
    assert make(5).key in full.read([make(5).key])
    with pytest.raises(LedgerError, match="is damaged"):
        full.compact()
    assert path.exists()


def test_a_part_under_the_name_of_another_is_damage(full):
    (full.folder / f"{make(4).key}.parquet").replace(full.folder / f"{make(5).key}.parquet")
    with pytest.raises(LedgerError, match="it holds another unit than its name says"):
        full.read([make(5).key])


def test_a_pack_with_a_damaged_footer_is_reported(full):
    full.compact()
    path = next(iter(full.contents()))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(LedgerError, match=f"{path.name} is damaged"):
        Store(full.folder).keys()


def test_damage_in_a_pack_never_deletes_what_it_replaces(full, monkeypatch):
    before = contents(full)
    real = durable.write_durably
    monkeypatch.setattr(store, "write_durably", lambda path, content: real(path, content[:200] + b"\0" + content[201:]))
    with pytest.raises(LedgerError, match="is damaged"):
        full.compact()
    for path in full.folder.glob("pack-*"):
        path.unlink()
    assert contents(Store(full.folder)) == before


def test_a_reader_outlives_a_compaction(full, monkeypatch):
    keys, real, once = full.keys(), Store.load, []

    def load(self, path):
        if not once:
            once.append(path)
            Store(full.folder).compact()
        return real(self, path)

    monkeypatch.setattr(Store, "load", load)
    assert len(full.read(keys)) == 11


def test_what_is_not_a_part_is_left_alone(full):
    (full.folder / ".host-1-a.tmp").write_bytes(b"half")
    (full.folder / "notes.txt").write_text("mine")
    assert len(full.keys()) == 11
    assert (full.folder / "notes.txt").exists()


def interrupted(monkeypatch, method, step, act, module=Store):
    """Before the call number `step` of a method, let `act` happen; its own calls do not count. Returns the counter."""
    real, calls, busy = getattr(module, method), [0], []

    def wrapped(*args, **kwargs):
        if not busy:
            calls[0] += 1
            if calls[0] == step:
                busy.append(True)
                act()
                busy.clear()
        return real(*args, **kwargs)

    monkeypatch.setattr(module, method, wrapped)
    return calls


STEPS = [(Store, "load", 13), (Store, "_delete", 3), (store, "write_durably", 3), (Store, "_files", 8)]
"""Every call that one compaction of the parts below makes of what touches the disk, up to how many."""


@pytest.mark.parametrize(
    ("owner", "method", "step"), [(owner, name, step) for owner, name, last in STEPS for step in range(1, last + 1)]
)
def test_two_compactions_at_once_lose_nothing_and_neither_fails(full, monkeypatch, owner, method, step):
    before = contents(full)
    calls = interrupted(monkeypatch, method, step, lambda: Store(full.folder).compact(), owner)
    full.compact()
    assert calls[0] >= step  # the moment was reached
    assert contents(full) == contents(Store(full.folder)) == before
    full.compact()
    assert contents(Store(full.folder)) == before
    assert len(Store(full.folder).contents()) == 3


@pytest.mark.parametrize("step", range(1, 12))
def test_a_compaction_gives_way_to_one_that_has_more_to_pack(full, monkeypatch, step):
    """The other process finds further parts, so that the packs of the two differ and one goes into the other."""
    full.compact()
    for i in (60, 61):
        full.write(make(i, lesioned=False))
    before = contents(full) | {make(62).key: [62.0] * 10}

    def other():
        Store(full.folder).write(make(62, lesioned=False))
        Store(full.folder).compact()

    interrupted(monkeypatch, "load" if step < 6 else "_files", step if step < 6 else step - 5, other)
    full.compact()
    assert contents(full) == contents(Store(full.folder)) == before


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_pack_that_goes_into_a_larger_one_while_it_is_looked_at(full, monkeypatch, step):
    full.compact()
    full.write(make(50, lesioned=False))
    before = contents(full)
    late = Store(full.folder)
    interrupted(monkeypatch, "_units", step, lambda: Store(full.folder).compact())
    assert late.keys() == before.keys()
    assert contents(late) == before


def torn(monkeypatch, folder, times=1):
    """A listing during which another process compacts: it has passed the pack's place, and not reached the parts'."""
    real, left = Store._files, [times]

    def files(self, *start):
        found = real(self, *start)
        if left[0]:
            left[0] -= 1
            Store(folder).compact()
            return {path for path in found if path.exists()}
        return found

    monkeypatch.setattr(Store, "_files", files)


def test_a_listing_that_a_compaction_overtakes_misses_nothing(full, monkeypatch):
    keys = full.keys()
    torn(monkeypatch, full.folder)
    assert Store(full.folder).keys() == keys


def test_a_reading_that_a_compaction_overtakes_misses_nothing(full, monkeypatch):
    before = contents(full)
    torn(monkeypatch, full.folder)
    assert {key: part.values["loss"].tolist() for key, part in full.read(before).items()} == before


def test_a_compaction_whose_listing_another_overtakes_loses_nothing(full, monkeypatch):
    before = contents(full)
    torn(monkeypatch, full.folder)
    full.compact()
    assert contents(full) == contents(Store(full.folder)) == before


def test_what_another_process_has_packed_is_there(full, monkeypatch):
    monkeypatch.setattr(store, "_LOOK_EVERY_S", 0)
    late = Store(full.folder)
    assert late.has(make(3).key)
    full.compact()
    assert late.has(make(3).key)
    assert not late.has(make(99).key)
    full.write(make(50, lesioned=False))
    full.compact()
    assert late.has(make(0).key) and late.has(make(50).key)


def test_packs_are_looked_for_now_and_then(full, monkeypatch):
    now, looks, real = [0.0], [], Store._files
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Store, "_files", lambda self, *start: (looks.append(start), real(self, *start))[1])
    late, other = Store(full.folder), make(99)
    assert not late.has(other.key)
    for i in (99, 100, 101):
        full.write(make(i))
    full.compact()
    looks.clear()
    assert not any(late.has(other.key) for _ in range(1000)) and looks == []
    now[0] = 2.0
    assert late.has(other.key) and len(looks) == 1
    assert all(late.has(make(i).key) for i in range(11)) and len(looks) == 1


@pytest.mark.parametrize("step", [1, 2])
def test_has_finds_a_unit_whose_pack_goes_into_a_larger_one(full, monkeypatch, step):
    monkeypatch.setattr(store, "_LOOK_EVERY_S", 0)
    full.compact()
    full.write(make(50, lesioned=False))
    interrupted(monkeypatch, "_units", step, lambda: Store(full.folder).compact())
    late = Store(full.folder)
    assert all(late.has(make(i).key) for i in (*range(11), 50))


def test_a_part_that_another_machine_deleted_is_looked_for_again(full, monkeypatch):
    """On a network disk, what another machine deletes while it is open reads as a stale handle."""
    before, real, once = contents(full), Path.read_bytes, []

    def read_bytes(self):
        if not once:
            once.append(self)
            Store(full.folder).compact()
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert contents(full) == before


def test_a_folder_that_never_rests_is_one_clear_error(full, monkeypatch):
    def gone(self, path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(store, "_PAUSE_S", 0)
    monkeypatch.setattr(Store, "load", gone)
    with pytest.raises(LedgerError, match="keeps changing while it is read; wait until no other process compacts it"):
        full.read(full.keys())


def test_a_folder_that_cannot_be_read_is_no_empty_ledger(full, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LedgerError, match=rf"cannot read {full.folder}: Permission denied"):
        full.keys()
