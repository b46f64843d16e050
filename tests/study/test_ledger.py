import numpy as np
import pandas as pd
import pytest

from causalablate.errors import LedgerError
from causalablate.study import Ledger, Manifest, run
from causalablate.study.store import Store
from causalablate.table import rows

OUTCOMES = ("correct", "answer_logprob", "predicted_answer")


@pytest.fixture
def plan(fake):
    return fake.plan(outcomes=OUTCOMES)


def in_memory(plan, replay):
    """What `counterfactuals()` does: all rows at once, lesion by lesion."""
    everything = slice(0, plan.n_examples)
    factual = replay.factual(everything)
    frames = []
    for planned in plan.lesions:
        world = replay.counterfactual(planned.lesion, everything)
        frames.append(
            rows(
                replay.units,
                study=plan.study.name,
                model=replay.model_hash,
                precision=replay.identity["precision"],
                seed=plan.study.seed,
                lesion=planned.name,
                factual=factual,
                counterfactual=world.values,
                fired=world.fired,
                change_norm=world.change_norm,
                categorical=replay.categorical,
            )
        )
    return pd.concat(frames, ignore_index=True)


def test_the_table_is_the_one_from_memory_bit_for_bit(fake, plan, tmp_path):
    table = run(plan, fake.FakeReplay(outcomes=OUTCOMES), tmp_path, quiet=True).table
    expected = in_memory(plan, fake.FakeReplay(outcomes=OUTCOMES))
    pd.testing.assert_frame_equal(table.frame, expected, check_exact=True)
    for column in ("factual", "counterfactual", "effect", "change_norm"):
        assert table.frame[column].to_numpy().tobytes() == expected[column].to_numpy().tobytes()
    assert table.labels == {"predicted_answer": ["zero", "one"]}
    assert table.outcomes == list(OUTCOMES)


def test_compaction_leaves_the_table_as_it_is(fake, plan, tmp_path):
    results = run(plan, fake.FakeReplay(outcomes=OUTCOMES), tmp_path, quiet=True)
    ledger = Ledger(tmp_path, results.manifest)
    assert ledger.store.compact() > 0
    assert ledger.missing() == []
    pd.testing.assert_frame_equal(ledger.counterfactuals().frame, results.table.frame, check_exact=True)


@pytest.mark.parametrize("step", range(1, 5))
def test_what_is_missing_is_right_while_another_process_compacts(fake, plan, tmp_path, monkeypatch, step):
    """At every step of the look, another process packs everything."""
    results = run(plan, fake.FakeReplay(outcomes=OUTCOMES), tmp_path, quiet=True)
    ledger = Ledger(tmp_path, results.manifest)
    real, calls = Store._files, [0]

    def files(self, *start):
        found = real(self, *start)
        calls[0] += 1
        if calls[0] == step:
            Store(self.folder).compact()
            return {path for path in found if path.exists()}
        return found

    monkeypatch.setattr(Store, "_files", files)
    assert ledger.missing() == []
    assert ledger.finished()[0] == list(plan.lesions)
    pd.testing.assert_frame_equal(ledger.counterfactuals().frame, results.table.frame, check_exact=True)
    assert all(ledger.store.has(ledger.key(unit)) for unit in plan.units)


def test_factual_outcomes_are_stored_once_per_example(fake, plan, tmp_path):
    results = run(plan, fake.FakeReplay(outcomes=OUTCOMES), tmp_path, quiet=True)
    store = Ledger(tmp_path, results.manifest).store
    stored = [part for path in store.contents() for part in store.load(path)]
    assert sum(len(part) for part in stored if part.fired is None) == 50
    assert sum(len(part) for part in stored) == 50 * (1 + len(plan.lesions))


def manifest(fake, plan, **identity):
    replay = fake.FakeReplay(outcomes=plan.study.outcomes)
    replay.identity |= identity
    return Manifest.of(plan, replay)


def keys(fake, plan, tmp_path, **identity):
    ledger = Ledger(tmp_path, manifest(fake, plan, **identity))
    return {(unit.name, unit.start): ledger.key(unit) for unit in plan.units}


def test_a_key_holds_everything_that_determines_the_unit(fake, tmp_path):
    plan = fake.plan()
    base = keys(fake, plan, tmp_path)
    assert len(set(base.values())) == plan.n_units
    for other in (
        keys(fake, plan, tmp_path, model="other"),
        keys(fake, plan, tmp_path, examples="other"),
        keys(fake, plan, tmp_path, precision="float16"),
        keys(fake, fake.plan(outcomes=["correct"]), tmp_path),
    ):
        assert set(other.values()).isdisjoint(base.values())


def test_names_and_orders_do_not_enter_the_key(fake, tmp_path):
    base = keys(fake, fake.plan(), tmp_path)
    assert keys(fake, fake.plan(outcomes=["correct", "answer_logprob"], description="?", gallery=0), tmp_path) == base
    named = fake.plan(lesions=[{"do": {"passes.fine": "mean"}, "name": "no fine pass"}])
    assert keys(fake, named, tmp_path)[("no fine pass", 0)] == base[("passes.fine=mean", 0)]


def test_the_reference_set_counts_only_for_lesions_that_read_it(fake, tmp_path):
    base, other = (keys(fake, fake.plan(), tmp_path, reference=r) for r in ("one", None))
    assert {name for (name, start), key in base.items() if other[(name, start)] != key} == {
        "scorers.salience=mean",
        "scorers.entropy=mean",
        "passes.fine=mean",
    }


def test_missing_units_are_counted_and_the_command_is_named(fake, plan, tmp_path):
    ledger = Ledger(tmp_path, manifest(fake, plan))
    assert len(ledger.missing()) == plan.n_units
    with pytest.raises(LedgerError, match=r'lacks 18 of 18 units of the study "fake".*causalablate run'):
        ledger.counterfactuals()


def test_an_unfinished_ledger_gives_the_lesions_that_are_finished(fake, plan, tmp_path):
    run(plan, fake.FakeReplay(outcomes=OUTCOMES), tmp_path, quiet=True)
    ledger = Ledger(tmp_path, manifest(fake, plan))
    unit = next(u for u in plan.units if u.name == "scorers.entropy=zero" and u.start == 20)
    (ledger.store.folder / f"{ledger.key(unit)}.parquet").unlink()
    assert ledger.missing() == [unit]
    lesions, shards = ledger.finished()
    assert [p.name for p in lesions] == [p.name for p in plan.lesions if p.name != unit.name]
    assert unit.name not in ledger.counterfactuals(lesions, shards).lesions
    factual = next(u for u in plan.units if u.lesion is None)
    (ledger.store.folder / f"{ledger.key(factual)}.parquet").unlink()
    lesions, shards = ledger.finished()  # no lesion can be compared on every example now
    assert (len(lesions), shards) == (len(plan.lesions), [(40, 50)])
    frame = ledger.counterfactuals(lesions, shards).frame
    assert sorted(set(frame["example"])) == [f"e{i}" for i in range(40, 50)]
    with pytest.raises(LedgerError, match='neither a lesion nor a shard of the study "fake" is finished'):
        ledger.counterfactuals(lesions, [])


def test_values_are_float32(fake, plan, tmp_path):
    frame = run(plan, fake.FakeReplay(outcomes=OUTCOMES), tmp_path, quiet=True).table.frame
    assert all(frame[c].dtype == np.float32 for c in ("factual", "counterfactual", "effect", "change_norm"))
