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
