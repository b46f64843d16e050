"""Seeded draws: each is a function of (seed, what for, example, call), never of the process stream or the batch."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def derived_seed(*what: object) -> int:
    """A 63-bit seed from the text of its arguments (SHA-256)."""
    return int.from_bytes(hashlib.sha256("|".join(map(str, what)).encode()).digest()[:8], "little") >> 1


def _generator(*what: object) -> torch.Generator:
    return torch.Generator().manual_seed(derived_seed(*what))


def normal(shape: torch.Size, keys: Sequence[str], *what: object, real: Tensor | None = None) -> Tensor:
    """Standard normal draws, shape `shape`; row i depends on keys[i] and `what` alone.

    Args:
        shape: Of the result.
        keys: Names of the rows.
        what: What the draws are for.
        real: Which positions of dimension 1 are no padding, bool, shape (rows, length). Padding gets zero, and the
            others what they get without it.
    """
    if real is None or bool(real.all()):
        return torch.stack([torch.randn(shape[1:], generator=_generator(*what, key)) for key in keys])
    drawn = torch.zeros(shape)
    for row, here, key in zip(drawn, real.cpu(), keys, strict=True):
        row[here] = torch.randn((int(here.sum()), *shape[2:]), generator=_generator(*what, key))
    return drawn


def normal_at(shape: torch.Size, first: Sequence[int], keys: Sequence[str], *what: object) -> Tensor:
    """Standard normal draws for positions that come one by one, shape `shape`.

    The draw of row i at position j of dimension 1 depends on keys[i], `what` and first[i] + j alone.
    """
    rows = [
        [torch.randn(shape[2:], generator=_generator(*what, key, start + j)) for j in range(shape[1])]
        for key, start in zip(keys, first, strict=True)
    ]
    return torch.stack([torch.stack(row) for row in rows])


def permutations(n: int, keys: Sequence[str], *what: object) -> Tensor:
    """One permutation of n items per key, shape (keys, n)."""
    return torch.stack([torch.randperm(n, generator=_generator(*what, key)) for key in keys])


def donor(key: str, candidates: Sequence[str], seed: int, draw: int = 0) -> int | None:
    """Index of the donor for an example: any candidate but itself; None where there is no other.

    Draws of other numbers are independent, so that a donor may come again.
    """
    start = derived_seed("donor", seed, key, *([draw] if draw else [])) % len(candidates)
    order = (*range(start, len(candidates)), *range(start))
    return next((i for i in order if candidates[i] != key), None)
