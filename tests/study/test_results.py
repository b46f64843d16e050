import json
import subprocess
import sys

import pandas as pd
import pytest

from causalablate.errors import ExampleError, LedgerError
from causalablate.study import Manifest, read_results, run
from causalablate.study.results import results_of

HEAD = "lm.layers.0.heads.0"


@pytest.fixture
def results(fake, tmp_path):
    plan = fake.plan(
        lesions=[{"do": {HEAD: "zero"}, "name": "a head"}, {"do": {"passes.fine": "mean"}}],
        controls={"components": 3},
        gallery=2,
    )
    return run(plan, fake.FakeReplay(), tmp_path, quiet=True)


def test_they_read_back_equal(results):
    again = read_results(results.out)
    pd.testing.assert_frame_equal(again.table.frame, results.table.frame, check_exact=True)
    assert (again.manifest, again.traces, again.factual_traces) == (
        results.manifest,
        results.traces,
        results.factual_traces,
    )


def test_controls_are_in_the_table_but_were_not_asked_for(results):
    assert results.asked == ["a head", "passes.fine=mean"]
    assert len(results.table.lesions) == 5
    assert {kind: list(some) for kind, some in results.controls.items()} == {"components": ["a head"]}
    assert set(results.controls["components"]["a head"]) == set(results.table.lesions) - set(results.asked)
    assert results.kinds["a head"] == "head"
    assert results.kinds["passes.fine=mean"] == "pass"


def test_traces_are_by_lesion_name(results):
    assert list(results.traces) == ["a head", "passes.fine=mean"]
    assert [t.answer for t in results.traces["a head"]] == [f"{HEAD}=zero 0", f"{HEAD}=zero 1"]
    assert [t.answer for t in results.factual_traces] == ["factual 0", "factual 1"]


def test_an_unfinished_study_can_be_read_in_part(fake, tmp_path):
    """Stopped in the first of three shards there is nothing; in the third, all lesions on the examples before it."""
    with pytest.raises(Exception, match="nan"):
        run(fake.plan(), fake.FakeReplay(broken="scorers.salience=mean"), tmp_path / "first", quiet=True)
    with pytest.raises(LedgerError, match="lacks 15 of 18 units"):
        read_results(tmp_path / "first")
    with pytest.raises(LedgerError, match="neither a lesion nor a shard"):
        read_results(tmp_path / "first", partial=True)
    replay = fake.FakeReplay()
    replay.fail_at = 40
    with pytest.raises(KeyboardInterrupt):
        run(fake.plan(), replay, tmp_path / "third", quiet=True)
    results = read_results(tmp_path / "third", partial=True)
    whole = run(fake.plan(), fake.FakeReplay(), tmp_path / "whole", quiet=True)
    assert results.asked == whole.asked
    assert results.traces == {}
    frame = whole.table.frame
    before = frame[frame["example"].isin([f"e{i}" for i in range(40)])].reset_index(drop=True)
    pd.testing.assert_frame_equal(results.table.frame, before, check_exact=True)


def test_the_finished_lesions_of_a_longer_study_are_read_on_all_examples(fake, tmp_path):
    run(fake.plan(), fake.FakeReplay(), tmp_path, quiet=True)
    longer = fake.plan(lesions=[{"each": "scorers.*", "off": "zero"}, {"do": {"opponent.focus": "zero"}}])
    with pytest.raises(Exception, match="nan"):
        run(longer, fake.FakeReplay(broken="opponent.focus=zero"), tmp_path, quiet=True)
    results = read_results(tmp_path, partial=True)
    assert results.asked == ["scorers.salience=zero", "scorers.entropy=zero"]
    assert results.table.frame["example"].nunique() == 50


def test_of_an_unfinished_study_the_controls_are_those_that_are_finished(fake, tmp_path):
    def plan(n):
        return fake.plan(lesions=[{"do": {HEAD: "zero"}, "name": "a head"}], controls={"components": n})

    run(plan(1), fake.FakeReplay(), tmp_path, quiet=True)
    with pytest.raises(Exception, match="nan"):
        run(plan(3), fake.FakeReplay(broken=plan(3).lesions[-1].name), tmp_path, quiet=True)
    assert read_results(tmp_path, partial=True).controls == plan(1).controls
    results = run(plan(3), fake.FakeReplay(), tmp_path, quiet=True)
    assert results.controls == plan(3).controls
    assert results.controls["components"]["a head"][:1] == plan(1).controls["components"]["a head"]


def test_another_version_of_the_study_in_the_directory_does_not_change_what_one_found(fake, results):
    """Another process has started an edited study in the same directory, and finished nothing yet."""
    Manifest.of(fake.plan(lesions=[{"do": {HEAD: "zero"}}], seed=9), fake.FakeReplay(seed=9)).write(results.out)
    with pytest.raises(LedgerError, match="lacks"):
        read_results(results.out)
    again = results_of(results.manifest, results.out)
    pd.testing.assert_frame_equal(again.table.frame, results.table.frame, check_exact=True)
    assert again.traces == results.traces


def test_gallery_examples_are_made_again_and_checked(fake, tmp_path):
    replay = fake.FakeReplay()
    plan = fake.plan(examples={"kind": "digits", "n": 50}, gallery=3)
    replay.identity["examples"] = plan.study.examples.load().hash
    results = run(plan, replay, tmp_path, quiet=True)
    assert [e.id for e in results.gallery_examples()] == [e.id for e in plan.study.examples.load()[:3]]

    replay.identity["examples"] = "what they were before"
    changed = run(plan, replay, tmp_path / "b", quiet=True)
    with pytest.raises(ExampleError, match="has changed since"):
        changed.gallery_examples()


def test_reading_results_needs_no_model_library(results):
    code = (
        "import sys, json; from causalablate.study import read_results; "
        f"r = read_results({str(results.out)!r}); "
        "print(json.dumps([len(r.table), 'transformers' in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(found) == [len(results.table), False]
