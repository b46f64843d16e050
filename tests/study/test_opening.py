import pandas as pd
import pytest

from causalablate.counterfactual import counterfactuals
from causalablate.errors import CheckpointError, ComponentNotFoundError
from causalablate.study import Study, open_study, run


@pytest.fixture(scope="module")
def checkpoint(make_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint")
    make_model().module.save_pretrained(path)
    return str(path)


def study(checkpoint, **changes):
    settings = {
        "name": "small",
        "model": checkpoint,
        "examples": {"kind": "digits", "n": 26},
        "reference": {"kind": "digits", "n": 16, "split": "validation"},
        "outcomes": ["correct", "answer_logprob", "predicted_answer"],
        "lesions": [{"each": "scorers.*", "off": "uniform"}, {"do": {"passes.fine": "resample"}, "name": "other"}],
        "batch_size": 5,
        "gallery": 3,
    }
    return Study(**(settings | changes))


def test_ledger_and_memory_agree_bit_for_bit_on_a_real_model(checkpoint, tmp_path):
    asked = study(checkpoint)
    plan, replay = open_study(asked)
    found = run(plan, replay, tmp_path, quiet=True)
    expected = counterfactuals(
        replay.model,
        replay.examples,
        {planned.name: planned.lesion for planned in plan.lesions},
        outcomes=asked.outcomes,
        reference=asked.reference.load(),
        batch_size=5,
        study="small",
    )
    pd.testing.assert_frame_equal(found.table.frame, expected.frame, check_exact=True)
    assert found.table.labels == expected.labels
    assert [trace.answer for trace in found.factual_traces] == [
        expected.labels["predicted_answer"][int(value)]
        for value in expected.select(lesion="other", outcome="predicted_answer").frame["factual"][:3]
    ]


def test_the_reference_set_is_made_only_where_a_lesion_reads_it(checkpoint):
    assert open_study(study(checkpoint))[1].identity["reference"] is not None
    silent = study(checkpoint, lesions=[{"do": {"passes.fine": "zero"}}])
    assert open_study(silent)[1].identity["reference"] is None


def test_the_mode_is_passed_on_and_determines_the_units(checkpoint, tmp_path):
    coarse = study(checkpoint, mode="coarse_only", lesions=[{"do": {"passes.coarse": "zero"}}])
    plan, replay = open_study(coarse)
    run(plan, replay, tmp_path, quiet=True)
    _, other = open_study(coarse.model_copy(update={"mode": "coarse_fine"}))
    assert other.identity != replay.identity
    with pytest.raises(ComponentNotFoundError, match=r"passes\.fine"):
        open_study(study(checkpoint, mode="coarse_only", lesions=[{"do": {"passes.fine": "zero"}}]))


def test_what_cannot_be_opened_says_so(checkpoint):
    with pytest.raises(CheckpointError):
        open_study(study("/nowhere"))
