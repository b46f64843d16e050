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


def normal(shape: torch.Size, keys: Sequence[str], *what: object) -> Tensor:
    """Standard normal draws, shape `shape`; row i depends on keys[i] and `what` alone."""
    return torch.stack([torch.randn(shape[1:], generator=_generator(*what, key)) for key in keys])


def permutations(n: int, keys: Sequence[str], *what: object) -> Tensor:
    """One permutation of n items per key, shape (keys, n)."""
    return torch.stack([torch.randperm(n, generator=_generator(*what, key)) for key in keys])


def donor(key: str, candidates: Sequence[str], seed: int) -> int | None:
    """Index of the donor for an example: any candidate but itself; None where there is no other."""
    start = derived_seed("donor", seed, key) % len(candidates)
    order = (*range(start, len(candidates)), *range(start))
    return next((i for i in order if candidates[i] != key), None)
