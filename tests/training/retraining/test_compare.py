from dataclasses import replace

import numpy as np
import pytest

from causalablate.counterfactual import counterfactuals
from causalablate.errors import CheckpointError, LedgerError
from causalablate.examples import digits
from causalablate.intervention import do
from causalablate.models import load
from causalablate.replay import Replay
from causalablate.study.sets import DigitsSpec
from causalablate.training.retraining import CompareSection, compare_sweep, measure, read_comparison
from causalablate.training.retraining.files import LESION, RETRAINING

SECTION = CompareSection(examples=DigitsSpec(n=42, seed=3))


@pytest.fixture
def loads(monkeypatch):
    """Checkpoints that were loaded, in order."""
    found = []

    def counted(path):
        found.append(path.parent.name)
        return load(path)

    monkeypatch.setattr(measure, "load", counted)
    return found


def rows(table, lesion, seed, outcome):
    frame = table.frame.query("lesion == @lesion and seed == @seed and outcome == @outcome")
    return frame.set_index("example")


def test_both_tables_hold_what_the_models_say(sweep, trained, tmp_path):
    section = SECTION.model_copy(update={"outcomes": ("answer_logprob", "predicted_answer")})
    found = compare_sweep(sweep(arms=("baseline", "no_participatory", "even")), section, tmp_path, quiet=True)
    examples, lesion = digits(42, seed=3), do("scorers.participatory", off="zero")
    assert found.lesion.lesions == found.retraining.lesions == [lesion.name, "allocator=uniform"]
    for seed in (0, 1):
        full = load(trained / f"baseline-{seed}" / "checkpoint")
        expected = counterfactuals(full, examples, [lesion], outcomes=section.outcomes, stack=1, quiet=True).frame
        retrained = Replay(load(trained / f"no_participatory-{seed}" / "checkpoint"), examples, stack=1)
        without = retrained.counterfactual(lesion, slice(0, 42)).values["answer_logprob"]
        cut, made = (rows(t, lesion.name, seed, "answer_logprob") for t in (found.lesion, found.retraining))
        here = expected[expected["outcome"] == "answer_logprob"].set_index("example")
        for column in ("factual", "counterfactual", "change_norm", "cluster", "group.question_type"):
            assert (cut[column] == here[column]).all()
        assert (made["factual"] == here["factual"]).all()
        assert (made["counterfactual"].to_numpy(np.float32) == without).all()
        answers = [rows(t, lesion.name, seed, "predicted_answer") for t in (found.lesion, found.retraining)]
        assert (answers[0]["factual"] == answers[1]["factual"]).all()
        assert made["fired"].all() and (made["model"] != cut["model"]).all()


def test_the_frame_is_the_difference_of_the_two_effects(sweep, tmp_path):
    found = compare_sweep(sweep(), SECTION, tmp_path, quiet=True)
    everyone = found.frame.query("group == 'all'")
    assert len(everyone) == 4 * 2
    assert np.allclose(everyone["compensation"], everyone["ate_retraining"] - everyone["ate_lesion"], atol=1e-7)
    assert set(everyone["arm"][everyone["control"]]) == {"no_fine_wide"}
    real = everyone.query("outcome == 'answer_logprob'")
    for name in ("lesion", "retraining"):
        assert (real[f"ci_low_{name}"] < real[f"ate_{name}"]).all() and (
            real[f"ate_{name}"] < real[f"ci_high_{name}"]
        ).all()
    assert (everyone["n_seeds_retraining"] == 2).all()
    assert found.ranking["n_lesions"].tolist() == [3, 3]
    assert (found.ranking["seed_lowest"].dropna() <= found.ranking["seed_highest"].dropna()).all()
    assert found.notes == ("All components have fewer than 3 seeds: intervals over seeds are unreliable. "
                           "Train at least 3.",)  # fmt: skip
    assert found.capacity["lesion"].unique().tolist() == ["passes.fine=zero"]


def test_finished_units_are_not_computed_again(sweep, tmp_path, loads):
    arms = ("baseline", "no_participatory", "even")
    compare_sweep(sweep(arms=arms[:2]), SECTION, tmp_path, quiet=True)
    assert sorted(loads) == ["baseline-0", "baseline-1", "no_participatory-0", "no_participatory-1"]
    files = {name: (tmp_path / name).read_bytes() for name in (LESION, RETRAINING)}
    loads.clear()
    compare_sweep(sweep(arms=arms[:2]), SECTION, tmp_path, quiet=True)
    assert not loads and files == {name: (tmp_path / name).read_bytes() for name in files}
    compare_sweep(sweep(arms=arms), SECTION, tmp_path, quiet=True)
    assert sorted(loads) == ["baseline-0", "baseline-1", "even-0", "even-1"]


def test_a_killed_comparison_goes_on_to_the_same_bytes(sweep, tmp_path, monkeypatch):
    results = sweep(arms=("baseline", "even"))
    whole = compare_sweep(results, SECTION, tmp_path / "whole", quiet=True)
    write, left = measure.Measurements._write, [3]

    def killed(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(measure.Measurements, "_write", killed)
        compare_sweep(results, SECTION, tmp_path / "cut", quiet=True)
    assert len(list((tmp_path / "cut" / "units").glob("*.parquet"))) == 3
    again = compare_sweep(results, SECTION, tmp_path / "cut", quiet=True)
    assert again.frame.equals(whole.frame) and again.frame.equals(read_comparison(tmp_path / "cut").frame)
    for name in (LESION, RETRAINING, "comparison.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_refused(sweep, tmp_path):
    results = sweep(arms=("baseline", "even"), seeds=(0,))
    gone = tuple(replace(run, folder=tmp_path / "gone") for run in results.runs)
    with pytest.raises(CheckpointError, match=r"cannot read .*gone/checkpoint/config.json"):
        compare_sweep(replace(results, runs=gone), SECTION, tmp_path / "out", quiet=True)
    with pytest.raises(LedgerError, match="holds no comparison of lesions with retraining"):
        read_comparison(tmp_path)
    (tmp_path / "comparison.json").write_text("{}")
    with pytest.raises(LedgerError, match="is damaged"):
        read_comparison(tmp_path)
