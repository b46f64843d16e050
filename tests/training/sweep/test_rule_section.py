import pytest

from causalablate.training.sweep.rule_section import Condition


@pytest.mark.parametrize(
    ("metric", "better", "higher"),
    [
        ("accuracy", None, True),
        ("val_loss", None, False),
        ("loss_fine", None, False),
        ("feature_similarity", "lower", False),
        ("loss_ratio", "higher", True),
    ],
)
def test_losses_are_better_lower_unless_said_otherwise(metric, better, higher):
    assert Condition(arm="a", beats=["b"], on=metric, better=better).higher is higher


def test_a_condition_in_words():
    assert str(Condition(arm="a", beats=["b", "c"], by=0.01)) == "a beats b, c on accuracy by more than 0.01"
    assert Condition(arm="a", beats=["b", "c"]).arms == ("a", "b", "c")
