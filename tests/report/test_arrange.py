import pandas as pd
import pytest

from causalablate.errors import EffectError
from causalablate.report.arrange import arrange, check_effects, group_factors, main_factor


def frame(outcome="correct", **ates):
    rows = [{"outcome": outcome, "lesion": n, "group": "all", "ate": a} for n, a in ates.items()]
    return pd.DataFrame(rows)


KINDS = {"a": "head", "b": "pass", "c": "head", "d": "pass"}


def test_kinds_by_largest_effect_and_lesions_by_harm():
    rows = arrange(frame(a=-0.1, b=0.05, c=0.02, d=-0.4), KINDS, "correct")
    assert list(rows["lesion"]) == ["d", "b", "a", "c"]
    assert list(rows["kind"]) == ["pass", "pass", "head", "head"]


def test_harm_follows_the_better_side_of_the_outcome():
    assert list(arrange(frame("loss", a=-0.1, c=0.3), KINDS, "loss")["lesion"]) == ["c", "a"]
    assert list(arrange(frame("kl_to_factual", a=0.1, c=0.3), KINDS, "kl_to_factual")["lesion"]) == ["c", "a"]


def test_undefined_effects_come_last_and_unknown_lesions_are_other():
    rows = arrange(frame(a=float("nan"), c=-0.1, z=0.0), KINDS, "correct")
    assert list(rows["lesion"]) == ["c", "a", "z"]
    assert rows["kind"].iloc[-1] == "other"


def test_factors_of_the_groups(study):
    assert main_factor(study.effects) == "question_type"
    assert len(group_factors(study.effects)["question_type"]) == 7
    assert main_factor(frame(a=1.0)) is None


def test_check_effects_names_what_is_missing(study):
    check_effects(study.effects)
    with pytest.raises(EffectError, match="ci_low"):
        check_effects(study.effects.drop(columns="ci_low"))
    with pytest.raises(EffectError, match="all examples"):
        check_effects(study.effects.iloc[:0])
