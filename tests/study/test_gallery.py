import pytest

from causalablate.errors import LedgerError
from causalablate.study import Manifest
from causalablate.study.gallery import TraceFolder


@pytest.fixture
def folder(fake, tmp_path):
    plan = fake.plan(lesions=[{"do": {"lm.layers.0.heads.0": "zero"}}], controls={"components": 2}, gallery=5)
    manifest = Manifest.of(plan, fake.FakeReplay())
    return TraceFolder(tmp_path, manifest)


def test_the_factual_world_and_every_lesion_but_the_controls_are_traced(folder):
    assert [name for name, _ in folder.missing()] == ["factual", "lm.layers.0.heads.0=zero"]


def test_traces_come_back_as_they_were_made(fake, folder):
    replay = fake.FakeReplay()
    for _, lesion in folder.missing():
        folder.make(lesion, replay)()
        assert folder.read(lesion) == replay.trace(lesion, range(5))
    assert folder.missing() == []


def test_traces_that_another_process_has_made_by_now_are_not_made_again(fake, folder):
    one, other = fake.FakeReplay(), fake.FakeReplay()
    missing = folder.missing()
    for _, lesion in missing:
        folder.make(lesion, one)()
    for _, lesion in missing:
        folder.make(lesion, other)()
        assert folder.read(lesion) == one.trace(lesion, range(5))
    assert other.traced == []


def test_scattered_rows_are_traced_together(fake, tmp_path):
    replay = fake.FakeReplay()
    replay.units.groups["type"][:] = ["a"] * 6 + ["b"] * 44
    folder = TraceFolder(tmp_path, Manifest.of(fake.plan(gallery=5), replay))
    folder.make(None, replay)()
    assert replay.traced == [("factual", (0, 1, 2, 6, 7))]
    assert [trace.answer for trace in folder.read(None)] == [f"factual {i}" for i in (0, 1, 2, 6, 7)]


def test_no_gallery_no_traces(fake, tmp_path):
    folder = TraceFolder(tmp_path, Manifest.of(fake.plan(gallery=0), fake.FakeReplay()))
    assert folder.missing() == []
    assert folder.read(None) == []


def test_a_damaged_file_names_itself(fake, folder):
    folder.make(None, fake.FakeReplay())()
    path = folder.path(None)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(LedgerError, match=rf"{path} is damaged .*Delete this file"):
        folder.read(None)
