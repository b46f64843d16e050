import socket

import numpy as np
import pandas as pd
import pytest

from causalablate.errors import InertLesionError, LedgerError, OutcomeError
from causalablate.study import Ledger, Manifest, run, runner


def run_quietly(plan, replay, out):
    return run(plan, replay, out, quiet=True)


def test_every_unit_is_computed_once_and_never_again(fake, tmp_path):
    plan, replay = fake.plan(), fake.FakeReplay()
    first = run_quietly(plan, replay, tmp_path)
    assert sorted(replay.calls) == sorted((u.name, u.start, u.stop) for u in plan.units)
    again = fake.FakeReplay()
    second = run_quietly(plan, again, tmp_path)
    assert (again.calls, again.traced, again.prepared) == ([], [], [[]])
    pd.testing.assert_frame_equal(second.table.frame, first.table.frame, check_exact=True)


def test_a_longer_study_computes_only_what_is_new(fake, tmp_path):
    run_quietly(fake.plan(), fake.FakeReplay(), tmp_path)
    replay = fake.FakeReplay()
    longer = fake.plan(lesions=[{"do": {"opponent.focus": "zero"}}, {"each": "scorers.*", "off": ["zero", "mean"]}])
    results = run_quietly(longer, replay, tmp_path)
    assert {name for name, *_ in replay.calls} == {"opponent.focus=zero"}
    assert replay.prepared == [["opponent.focus=zero"]]
    assert results.table.lesions[0] == "opponent.focus=zero"


def test_the_lesions_left_are_prepared_together_before_anything_runs(fake, tmp_path):
    plan, replay = fake.plan(), fake.FakeReplay()
    run_quietly(plan, replay, tmp_path)
    assert replay.prepared == [[p.lesion.name for p in plan.lesions]]


class Stopping:
    """Raise when the third unit of a lesion is asked for."""

    def __init__(self, replay, error):
        self.replay, self.error = replay, error

    def __getattr__(self, name):
        return getattr(self.replay, name)

    def worlds(self, *args, **kwargs):
        for found in self.replay.worlds(*args, **kwargs):
            if len(self.replay.calls) == 7:
                raise self.error
            yield found


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InertLesionError("scorers.x=zero never acted"), MemoryError()])
def test_whatever_stops_a_run_what_is_finished_stays(fake, tmp_path, error):
    plan, replay = fake.plan(), fake.FakeReplay()
    with pytest.raises(type(error)):
        run_quietly(plan, Stopping(replay, error), tmp_path)
    ledger = Ledger(tmp_path, Manifest.of(plan, replay))
    assert len(ledger.missing()) == plan.n_units - 6
    rest = fake.FakeReplay()
    results = run_quietly(plan, rest, tmp_path)
    assert len(rest.calls) == plan.n_units - 6
    whole = run_quietly(plan, fake.FakeReplay(), tmp_path / "whole")
    pd.testing.assert_frame_equal(results.table.frame, whole.table.frame, check_exact=True)


def test_nan_names_the_example_and_keeps_nothing_of_the_unit(fake, tmp_path):
    plan = fake.plan()
    with pytest.raises(OutcomeError, match=r'under scorers\.entropy=zero: answer_logprob of example "e3" is nan'):
        run_quietly(plan, fake.FakeReplay(broken="scorers.entropy=zero"), tmp_path)
    ledger = Ledger(tmp_path, Manifest.of(plan, fake.FakeReplay()))
    assert len(ledger.missing()) == plan.n_units - 2
    done = {("factual", 0), ("scorers.salience=zero", 0)}
    assert done.isdisjoint({(unit.name, unit.start) for unit in ledger.missing()})


def test_an_infinite_norm_is_refused_too(fake, tmp_path):
    replay = fake.FakeReplay()
    real = replay.counterfactual
    replay.counterfactual = lambda lesion, rows: fake.World(
        **(vars(real(lesion, rows)) | {"change_norm": np.array([1, np.inf])})
    )
    with pytest.raises(OutcomeError, match='change_norm of example "e1" is inf'):
        run_quietly(fake.plan(), replay, tmp_path)


def test_a_damaged_part_is_noticed_and_only_it_is_computed_again(fake, tmp_path):
    plan = fake.plan()
    results = run_quietly(plan, fake.FakeReplay(), tmp_path)
    path = sorted((tmp_path / "ledger").glob("*.parquet"))[4]
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(LedgerError, match=path.name):
        run_quietly(plan, fake.FakeReplay(), tmp_path)
    path.unlink()
    replay = fake.FakeReplay()
    mended = run_quietly(plan, replay, tmp_path)
    assert len(replay.calls) == 1
    pd.testing.assert_frame_equal(mended.table.frame, results.table.frame, check_exact=True)


def test_many_parts_are_compacted_at_the_end(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_COMPACT_ABOVE", 5)
    plan = fake.plan()
    results = run_quietly(plan, fake.FakeReplay(), tmp_path)
    assert len(list((tmp_path / "ledger").iterdir())) == 2
    replay = fake.FakeReplay()
    pd.testing.assert_frame_equal(
        run_quietly(plan, replay, tmp_path).table.frame, results.table.frame, check_exact=True
    )
    assert replay.calls == []


def test_the_bar_counts_the_total(fake, tmp_path, monkeypatch):
    seen = []
    real = runner.progress_bar
    monkeypatch.setattr(
        runner, "progress_bar", lambda text, total, **k: (seen.append((total, k["done"])), real(text, total, **k))[1]
    )
    plan = fake.plan()
    with pytest.raises(OutcomeError):
        run_quietly(plan, fake.FakeReplay(broken="passes.fine=mean"), tmp_path)
    run_quietly(plan, fake.FakeReplay(), tmp_path)
    assert seen == [(18 + 6, 0), (18 + 6, 5)]


def test_an_unwritable_directory_is_found_before_anything_is_computed(fake, tmp_path):
    (tmp_path / "file").write_text("x")
    replay = fake.FakeReplay()
    with pytest.raises(LedgerError, match="cannot write"):
        run_quietly(fake.plan(), replay, tmp_path / "file" / "out")
    assert replay.calls == []


def test_what_killed_processes_left_half_written_is_swept(fake, tmp_path):
    left = [tmp_path / folder / f".{socket.gethostname()}-{2**22 + 1}-a.tmp" for folder in ("", "ledger", "traces")]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    run_quietly(fake.plan(), fake.FakeReplay(), tmp_path)
    assert not any(path.exists() for path in left)
