import json
import subprocess
import sys

import pandas as pd
import pytest

from causalablate.errors import ExampleError, LedgerError
from causalablate.study import read_results, run

HEAD = "lm.layers.0.heads.0"


@pytest.fixture
def results(fake, tmp_path):
    plan = fake.plan(
        lesions=[{"do": {HEAD: "zero"}, "name": "a head"}, {"do": {"passes.fine": "mean"}}],
        controls={"n": 3},
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
    assert list(results.controls) == ["a head"]
    assert set(results.controls["a head"]) == set(results.table.lesions) - set(results.asked)
    assert results.kinds["a head"] == "head"
    assert results.kinds["passes.fine=mean"] == "pass"


def test_traces_are_by_lesion_name(results):
    assert list(results.traces) == ["a head", "passes.fine=mean"]
    assert [t.answer for t in results.traces["a head"]] == [f"{HEAD}=zero 0", f"{HEAD}=zero 1"]
    assert [t.answer for t in results.factual_traces] == ["factual 0", "factual 1"]


def test_an_unfinished_study_can_be_read_in_part(fake, tmp_path):
    with pytest.raises(Exception, match="nan"):
        run(fake.plan(), fake.FakeReplay(broken="scorers.salience=mean"), tmp_path, quiet=True)
    with pytest.raises(LedgerError, match="lacks 9 of 18 units"):
        read_results(tmp_path)
    results = read_results(tmp_path, partial=True)
    assert results.asked == ["scorers.salience=zero", "scorers.entropy=zero"]
    assert results.traces == {}


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
