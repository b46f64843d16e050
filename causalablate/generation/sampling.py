"""How the next token is picked, under noise that every world of an example shares."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from causalablate.engine.draws import derived_seed
from causalablate.errors import OutcomeError


@dataclass(frozen=True)
class Sampling:
    """Draw tokens from softmax(logits / temperature), cut to the likeliest ones.

    By the Gumbel-max trick: the token with the largest logit / temperature + g, where g is Gumbel noise and a function
    of (seed, example, position, token) alone. Factual and counterfactual world share it, so that they part only where
    the lesion makes them, and a token of the factual world is given up only for one that gained on it.

    Attributes:
        temperature: Above 0. Towards 0 the likeliest token is taken, as without sampling.
        top_k: Only the k likeliest tokens.
        top_p: Only the likeliest tokens that together have this probability, at least one.

    Source: Oberst & Sontag (2019), Counterfactual Off-Policy Evaluation with Gumbel-Max Structural Causal Models, ICML;
    Chatzi et al. (2024), Counterfactual Token Generation in Large Language Models.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.temperature < float("inf"):
            raise OutcomeError(
                f"temperature is {self.temperature}; it must be a finite number above 0. For the likeliest token, "
                "leave sampling out"
            )
        if self.top_k is not None and self.top_k < 1:
            raise OutcomeError(f"top_k is {self.top_k}; it must be at least 1")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise OutcomeError(f"top_p is {self.top_p}; it must be above 0 and at most 1")

    def pick(self, logits: Tensor, keys: Sequence[str], position: int, seed: int) -> Tensor:
        """One token per row.

        Args:
            logits: Shape (rows, vocabulary), on the CPU.
            keys: Example ids of the rows.
            position: Number of the token in the answer, from 0.
            seed: Of the noise.
        Returns:
            Token ids, shape (rows,).
        """
        noise = torch.stack([gumbel(logits.shape[1], seed, key, position) for key in keys])
        return (self._kept(logits.double() / self.temperature) + noise).argmax(-1)

    def _kept(self, scores: Tensor) -> Tensor:
        """Scores with -inf for tokens that are cut off."""
        if self.top_k is not None:
            least = scores.topk(min(self.top_k, scores.shape[1])).values[:, -1:]
            scores = scores.masked_fill(scores < least, float("-inf"))
        if self.top_p is not None:
            ordered, order = scores.sort(descending=True, stable=True)
            probability = ordered.softmax(-1)
            before = probability.cumsum(-1) - probability
            cut = (before >= self.top_p).scatter(1, order, before >= self.top_p)
            scores = scores.masked_fill(cut, float("-inf"))
        return scores


def gumbel(n_tokens: int, seed: int, key: str, position: int) -> Tensor:
    """Standard Gumbel noise for every token at one position of one example, float64, shape (n_tokens,)."""
    generator = torch.Generator().manual_seed(derived_seed("gumbel", seed, key, position))
    return -torch.empty(n_tokens, dtype=torch.float64).exponential_(generator=generator).log()


def greedy(logits: Tensor) -> Tensor:
    """The likeliest token of each row, shape (rows,)."""
    return logits.argmax(-1)
