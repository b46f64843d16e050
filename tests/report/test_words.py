import pytest

from causalablate.outcome import OUTCOMES as MEASURED
from causalablate.report.words import OUTCOMES, group_label, kind_title, outcome_words, primary_outcome


def test_every_outcome_that_can_be_measured_has_words():
    assert set(MEASURED) <= set(OUTCOMES)


def test_shares_are_shown_in_points_and_others_in_their_own_unit():
    assert (outcome_words("correct").unit, outcome_words("correct").scale) == ("points", 100.0)
    assert (outcome_words("loss").unit, outcome_words("loss").better) == ("nats", -1)


def test_an_unknown_outcome_keeps_its_name():
    assert outcome_words("reaction_time").title == "reaction time"
    assert outcome_words("reaction_time").better == 0


def test_primary_outcome_is_accuracy_where_it_was_measured():
    assert primary_outcome(["loss", "answer_logprob", "correct"]) == "correct"
    assert primary_outcome(["loss", "loss_fine"]) == "loss"


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("head", "Attention heads"),
        ("my_kind", "My kind"),
        ("head + mlp", "Attention heads and MLPs"),
        ("mlp + gate", "MLPs and opponent gates"),
    ],
)
def test_kind_title(kind, title):
    assert kind_title(kind) == title


def test_group_label_drops_the_factor():
    assert group_label("question_type=cue colour") == "cue colour"
    assert group_label("all") == "all"
