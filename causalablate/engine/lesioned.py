"""A model under `do(lesion)`: the lesion acts on every forward inside the block, and leaves nothing behind."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.engine.hooks import hooked
from causalablate.engine.stack import Parts, Stack, Surroundings
from causalablate.errors import LesionError


@dataclass
class Action:
    """What a lesion did in the latest forward.

    Attributes:
        fired: Whether every part of the lesion acted, one bool per row.
        change_norm: L2 norm of the change, summed over all sites, positions and calls, one per row.
    """

    fired: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))
    change_norm: Tensor = field(default_factory=lambda: torch.zeros(0))


@contextmanager
def lesioned(
    root: nn.Module, parts: Parts, around: Surroundings, *, keys: Sequence[str] | None = None
) -> Iterator[Action]:
    """Put a lesion on every forward of `root` inside the block.

    Args:
        root: The whole model.
        parts: What `Lesion.resolve` gave.
        around: What the lesion refers to.
        keys: Names of the rows of each batch; a row's draws depend on its name. Default: its number.
    Yields:
        What the lesion did in the latest forward.
    Raises:
        InertLesionError: A forward went by in which some part never acted.
        LesionError: A part cannot act as asked.
    """
    if not parts:
        yield Action()
        return
    stack, action = Stack([parts], around), Action()

    def begin(_: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        n = _n_rows(kwargs)
        names = list(keys) if keys is not None else [str(i) for i in range(n)]
        if len(names) != n:
            raise LesionError(f"{len(names)} keys were given for a batch of {n} rows; give one key per row")
        stack.begin(names, around.token_groups(kwargs))
        action.fired, action.change_norm = torch.zeros(n, dtype=torch.bool), torch.zeros(n)

    def end() -> None:
        action.change_norm = stack.finish()[0]
        action.fired = torch.ones(len(stack.keys), dtype=torch.bool)

    with hooked(root, stack.edits(), begin=begin, end=end, calls=stack.calls):
        yield action


def _n_rows(inputs: Mapping[str, Any]) -> int:
    return next(v.shape[0] for v in inputs.values() if isinstance(v, Tensor) and v.ndim)
