import os
import struct
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from causalablate.errors import EffectError, LedgerError
from causalablate.report import Gallery, GalleryExample, write_report
from causalablate.trace import Trace


@pytest.fixture(scope="module")
def small(study):
    """Two lesions: enough for every part of a report but quick to draw."""
    names = ["passes.fine=mean", "query.static=mean"]
    keep = study.effects["lesion"].isin(names)
    return replace(study, effects=study.effects[keep].reset_index(drop=True))


def everything(directory):
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


def test_every_part_is_written_and_named(small, tmp_path):
    paths = write_report(tmp_path / "report", **small.arguments())
    listed = {paths.page, paths.csv, paths.markdown, paths.latex, *paths.figures}
    assert {p.relative_to(tmp_path / "report").as_posix() for p in listed} == set(everything(tmp_path / "report"))
    assert all(p.stat().st_size > 500 for p in listed)
    for path in paths.figures[::2]:
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        assert path.suffix == ".png" and width > 400 and height > 200
    page = paths.page.read_text()
    assert all(f'href="{p.relative_to(paths.page.parent).as_posix()}"' in page for p in listed - {paths.page})


def test_the_same_input_gives_the_same_bytes(small, tmp_path):
    write_report(tmp_path / "a", **small.arguments())
    write_report(tmp_path / "b", **small.arguments())
    assert everything(tmp_path / "a") == everything(tmp_path / "b")


def test_level_and_band_come_from_the_effects(small, tmp_path):
    relabelled = small.effects.copy()
    relabelled.attrs = {"level": 0.9, "sesoi": {"correct": 0.02, "answer_logprob": float("nan")}}
    page = write_report(tmp_path, **{**small.arguments(), "effects": relabelled}).page.read_text()
    assert "90 % interval" in page
    assert "±2 points" in page


def test_an_empty_table_is_refused_before_anything_is_written(small, tmp_path):
    with pytest.raises(EffectError):
        write_report(tmp_path / "r", **{**small.arguments(), "effects": small.effects.iloc[:0]})
    assert not (tmp_path / "r").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission_is_named(small, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(LedgerError, match="Permission denied"):
        write_report(tmp_path / "r", **small.arguments())


def test_a_file_where_the_directory_should_be_is_named(small, tmp_path):
    (tmp_path / "r").write_text("")
    with pytest.raises(LedgerError, match="cannot write"):
        write_report(tmp_path / "r", **small.arguments())


def test_a_page_of_24_examples_and_40_lesions_stays_below_5_megabytes(study, tmp_path):
    rng = np.random.default_rng(0)
    names = [f"lm.layers.{i // 8}.heads.{i % 8}=mean" for i in range(40)]
    effects = pd.concat([study.effects.query("lesion == 'passes.fine=mean'").assign(lesion=name) for name in names])

    def trace():
        top = [(f"answer {k}", float(p)) for k, p in enumerate(rng.dirichlet([1] * 5))]
        return Trace(answer=top[0][0], probability=top[0][1], top=top, allocation=rng.uniform(64, 400, (4, 4)).tolist())

    examples = tuple(
        GalleryExample(
            str(i), tuple(rng.integers(0, 255, (48, 48, 3), dtype=np.uint8) for _ in range(2)), "what is it", "seven",
            {"question_type": "cue"}, trace(), {name: trace() for name in names},
        )
        for i in range(24)
    )  # fmt: skip
    from causalablate.report.html import page

    arguments = {**study.arguments(), "effects": effects, "gallery": Gallery(examples)}
    assert len(page(**arguments, sesoi={}, level=0.95).encode()) < 2_000_000
