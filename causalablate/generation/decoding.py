"""From a prompt that has been read to an answer: token by token, chosen or given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from causalablate.engine.passes import Passes
from causalablate.errors import OutcomeError
from causalablate.generation.session import Session

Pick = Callable[[Tensor, int], tuple[Tensor, Tensor]]
"""(logits (rows, vocabulary), number of the token) -> tokens (rows,), and which rows end with them, bool (rows,)."""


@dataclass(frozen=True)
class Said:
    """An answer, as tokens.

    Attributes:
        tokens: Token ids, the one that ended the answer included.
        logprobs: Natural log of each token's probability given all before it, without temperature or cut-off.
    """

    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()


def decode(session: Session, passes: Passes, pick: Pick, *, alive: Tensor, most: int, acting: bool) -> list[Said]:
    """Go on from where a session is.

    Args:
        session: The prompts, read; it is used up.
        passes: The lesion.
        pick: Chooses tokens.
        alive: Rows that have anything to say, bool, shape (rows,), on the CPU.
        most: Most tokens.
        acting: Whether the lesion acts on generated positions.
    Raises:
        OutcomeError: The model gave NaN or infinity; the message names the example.
    """
    tokens: list[list[int]] = [[] for _ in passes.keys]
    logprobs: list[list[float]] = [[] for _ in passes.keys]
    for number in range(most):
        _check_finite(session.logits, alive, passes.keys)
        chosen, ends = pick(session.logits, number)
        probability = log_softmax(session.logits.double(), dim=-1).gather(1, chosen[:, None])[:, 0]
        for row in torch.nonzero(alive)[:, 0].tolist():
            tokens[row].append(int(chosen[row]))
            logprobs[row].append(float(probability[row]))
        alive = alive & ~ends
        if number + 1 == most or not alive.any():
            break
        session.extend(chosen, passes, alive=alive, acting=acting)
    return [Said(tuple(t), tuple(p)) for t, p in zip(tokens, logprobs, strict=True)]


def _check_finite(logits: Tensor, alive: Tensor, keys: Sequence[str]) -> None:
    bad = torch.nonzero(alive & (logits.isnan() | (logits == float("inf"))).any(-1))
    if len(bad):
        raise OutcomeError(
            f'the logits of example "{keys[int(bad[0])]}" hold NaN or infinity. '
            "Check the weights with `causalablate doctor CHECKPOINT`, and the lesion's values"
        )
