import pytest

from causalablate.training.sweep.rule_section import RuleSection
from causalablate.training.sweep.rules import Ending, decide


def rule(**condition):
    said = {"arm": "a", "beats": ["b", "c"], **condition}
    return RuleSection.model_validate({"if": said, "then": {"skip": ["d"]}, "because": "it costs less"})


def ended(*values, metric="accuracy", status="finished"):
    return {seed: Ending(status, {metric: value}) for seed, value in enumerate(values)}


def test_an_arm_that_beats_all_others_by_its_mean_skips_what_the_rule_names():
    found = decide(1, rule(), {"a": ended(0.8, 0.6), "b": ended(0.65, 0.7), "c": ended(0.1, 0.2), "z": ended(1.0)})
    assert found.holds and found.skipped == ("d",)
    assert found.to_json() == {
        "rule": 1,
        "if": "a beats b, c on accuracy",
        "numbers": {
            "a": {"mean": 0.7, "seeds": {"0": 0.8, "1": 0.6}, "status": ["finished"]},
            "b": {"mean": 0.675, "seeds": {"0": 0.65, "1": 0.7}, "status": ["finished"]},
            "c": {"mean": 0.15, "seeds": {"0": 0.1, "1": 0.2}, "status": ["finished"]},
        },
        "holds": True,
        "why": "a (0.7) beats b (0.675), c (0.15)",
        "skipped": ["d"],
        "because": "it costs less",
    }


def test_one_that_is_not_beaten_is_enough_for_nothing_to_be_skipped():
    found = decide(1, rule(), {"a": ended(0.7), "b": ended(0.7), "c": ended(0.1)})
    assert not found.holds and found.skipped == () and found.why == "a (0.7) does not beat b (0.7)"


@pytest.mark.parametrize(("by", "holds"), [(0.05, True), (0.15, False)])
def test_the_margin_counts(by, holds):
    assert decide(1, rule(by=by), {"a": ended(0.7), "b": ended(0.6), "c": ended(0.1)}).holds is holds


def test_of_losses_the_lower_wins():
    endings = {name: ended(v, metric="val_loss") for name, v in {"a": 1.0, "b": 2.0, "c": 1.5}.items()}
    assert decide(1, rule(on="val_loss"), endings).holds
    assert not decide(1, rule(on="val_loss", better="higher"), endings).holds


def test_an_arm_that_diverged_loses_to_one_that_did_not():
    bad = {0: Ending("diverged", {"accuracy": 0.99}), 1: Ending("finished", {"accuracy": 0.99})}
    assert decide(1, rule(beats=["b"]), {"a": ended(0.2, 0.2), "b": bad}).holds
    found = decide(1, rule(beats=["b"]), {"a": bad, "b": ended(0.2, 0.2)})
    assert not found.holds and found.numbers["a"]["mean"] is None and "a (diverged) does not beat" in found.why
    assert not decide(1, rule(beats=["b"]), {"a": bad, "b": bad}).holds


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_what_is_not_known_skips_nothing(status):
    found = decide(1, rule(beats=["b"]), {"a": ended(0.9), "b": {0: Ending(status, {})}})
    assert not found.holds and "b has runs without accuracy" in found.why
