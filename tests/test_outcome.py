import math

import pytest
import torch

from causalablate.errors import OutcomeError
from causalablate.models import Readout
from causalablate.outcome import OUTCOMES, compute, outcome

LOGITS = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]))
FACTUAL = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.3, 0.6]]))
ANSWERS = torch.tensor([0, 1])


def values(name, logits=LOGITS, **others):
    world, factual = Readout({"answer": logits, **others}), Readout({"answer": FACTUAL})
    return compute([name], world, ANSWERS, factual, ["p", "q"])[0].tolist()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("answer_logprob", [math.log(0.7), math.log(0.3)]),
        ("loss", [-math.log(0.7), -math.log(0.3)]),
        ("correct", [1.0, 0.0]),
        ("logit_difference", [math.log(0.7 / 0.2), math.log(0.3 / 0.6)]),
        ("predicted_answer", [0.0, 2.0]),
        ("kl_to_factual", [0.5 * math.log(0.5 / 0.7) + 0.25 * math.log(1.25) + 0.25 * math.log(2.5), 0.0]),
    ],
)
def test_by_hand(name, expected):
    assert values(name) == pytest.approx(expected, abs=1e-6)


def test_outcomes_of_the_passes_read_their_own_logits():
    assert values("correct_coarse", coarse=LOGITS.flip(0)) == [0.0, 0.0]
    assert values("loss_coarse", coarse=FACTUAL) == pytest.approx([-math.log(0.5), -math.log(0.3)])
    assert values("loss_fine", fine=LOGITS) == pytest.approx([-math.log(0.7), -math.log(0.3)])


def test_a_mode_without_that_answer_says_so():
    with pytest.raises(OutcomeError, match='no "fine" answer; it gives answer'):
        values("loss_fine")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_names_the_example(bad):
    logits = LOGITS.clone()
    logits[1, 1] = bad
    with pytest.raises(OutcomeError, match='answer_logprob of example "q" is nan'):
        values("answer_logprob", logits)


def test_unknown_names_say_what_exists():
    with pytest.raises(OutcomeError, match="did you mean correct"):
        outcome("corect")
    assert all(outcome(name).name == name and outcome(name).unit for name in OUTCOMES)


@pytest.mark.parametrize("name", ["answer_logprob", "logit_difference", "loss", "kl_to_factual"])
def test_flat_says_where_the_gradient_at_the_factual_run_is_zero(name):
    logits = FACTUAL.clone().requires_grad_()
    outcome(name).compute(Readout({"answer": logits}), ANSWERS, Readout({"answer": FACTUAL})).sum().backward()
    assert logits.grad is not None
    assert (float(logits.grad.abs().max()) < 1e-6) == bool(outcome(name).flat)
