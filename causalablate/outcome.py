"""Outcomes: one number per example, from what the model said in one world (and, for KL, in the factual one)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from causalablate.errors import OutcomeError, nearest

if TYPE_CHECKING:  # the names of outcomes are needed where no model is: validating a study, reading its results
    from causalablate.models.adapter import Readout

Compute = Callable[["Readout", Tensor, "Readout"], Tensor]
"""(readout, true answers (rows,), factual readout) -> outcome (rows,)."""


@dataclass(frozen=True)
class Outcome:
    """A number per example.

    Attributes:
        name: In tables and study files.
        unit: Of its values.
        meaning: One line for people.
        compute: How.
        categorical: Its values index the vocabulary; an effect is whether it changed.
        flat: Why its gradient at the factual run says nothing; empty where it says something.
        limits: Least and greatest value it can take.
    """

    name: str
    unit: str
    meaning: str
    compute: Compute
    categorical: bool = False
    flat: str = ""
    limits: tuple[float, float] = (-math.inf, math.inf)


def _logits(readout: Readout, which: str) -> Tensor:
    if which not in readout.logits:
        raise OutcomeError(
            f'this model in this mode gives no "{which}" answer; it gives {", ".join(readout.logits)}. '
            "Choose another outcome or mode"
        )
    return readout.logits[which]


def _logprob(which: str) -> Compute:
    def compute(readout: Readout, answers: Tensor, factual: Readout) -> Tensor:
        return log_softmax(_logits(readout, which), dim=-1).gather(1, answers[:, None])[:, 0]

    return compute


def _loss(which: str) -> Compute:
    return lambda readout, answers, factual: -_logprob(which)(readout, answers, factual)


def _correct(which: str) -> Compute:
    return lambda readout, answers, factual: (_logits(readout, which).argmax(-1) == answers).float()


def _logit_difference(readout: Readout, answers: Tensor, factual: Readout) -> Tensor:
    logits = _logits(readout, "answer")
    answer = logits.gather(1, answers[:, None])
    others = logits.scatter(1, answers[:, None], float("-inf"))
    return answer[:, 0] - others.amax(dim=1)


def _kl_to_factual(readout: Readout, answers: Tensor, factual: Readout) -> Tensor:
    p, q = log_softmax(_logits(factual, "answer"), -1), log_softmax(_logits(readout, "answer"), -1)
    return (p.exp() * (p - q)).sum(-1)


def _predicted_answer(readout: Readout, answers: Tensor, factual: Readout) -> Tensor:
    return _logits(readout, "answer").argmax(-1).float()


_STEPS = "it is 0 or 1, and steps"
_CATEGORY = "it is a category"
_AT_MINIMUM = "it is at its minimum there, where every slope is zero"

_SHARE = (0.0, 1.0)
_AT_MOST_0 = (-math.inf, 0.0)
_AT_LEAST_0 = (0.0, math.inf)

OUTCOMES: dict[str, Outcome] = {
    outcome.name: outcome
    for outcome in (
        Outcome("answer_logprob", "nats", "log-probability of the true answer", _logprob("answer"), limits=_AT_MOST_0),
        Outcome(
            "correct", "0 or 1", "the most probable answer is the true one", _correct("answer"), False, _STEPS, _SHARE
        ),
        Outcome("logit_difference", "logits", "true answer's logit minus the best other", _logit_difference),
        Outcome("loss", "nats", "cross-entropy of the true answer", _loss("answer"), limits=_AT_LEAST_0),
        Outcome(
            "kl_to_factual",
            "nats",
            "KL(factual ‖ counterfactual) over answers",
            _kl_to_factual,
            False,
            _AT_MINIMUM,
            _AT_LEAST_0,
        ),
        Outcome("predicted_answer", "category", "the most probable answer", _predicted_answer, True, _CATEGORY),
        Outcome("loss_fine", "nats", "cross-entropy after the fine pass", _loss("fine"), limits=_AT_LEAST_0),
        Outcome("loss_coarse", "nats", "cross-entropy after the coarse pass", _loss("coarse"), limits=_AT_LEAST_0),
        Outcome(
            "correct_coarse",
            "0 or 1",
            "the coarse pass's answer is the true one",
            _correct("coarse"),
            False,
            _STEPS,
            _SHARE,
        ),
    )
}


def outcome(name: str) -> Outcome:
    """The outcome of this name.

    Raises:
        OutcomeError: There is none.
    """
    if name not in OUTCOMES:
        raise OutcomeError(f'no outcome "{name}"{nearest(name, OUTCOMES)}; there are {", ".join(OUTCOMES)}')
    return OUTCOMES[name]


def compute(
    names: Sequence[str], readout: Readout, answers: Tensor, factual: Readout, keys: Sequence[str]
) -> list[Tensor]:
    """Compute outcomes for one batch, each float32, shape (rows,).

    Args:
        names: Which outcomes.
        readout: This world.
        answers: Vocabulary index of the true answers, shape (rows,).
        factual: The factual world.
        keys: Example ids, for the error message.
    Raises:
        OutcomeError: A value is NaN or infinite; the message names the example.
    """
    values = [outcome(name).compute(readout, answers, factual).float() for name in names]
    for name, value in zip(names, values, strict=True):
        bad = torch.nonzero(~torch.isfinite(value))
        if len(bad):
            i = int(bad[0])
            raise OutcomeError(
                f'{name} of example "{keys[i]}" is {float(value[i].detach())}: the model gave NaN or infinity. '
                "Check the weights with `causalablate doctor CHECKPOINT`, and the lesion's values"
            )
    return values
