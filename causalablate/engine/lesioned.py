"""A model under `do(lesion)`: the lesion acts on every forward inside the block, and leaves nothing behind."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.engine.hooks import Forward, edited, hooked, intercepted
from causalablate.engine.nested import worlds_read
from causalablate.engine.stack import Parts, Stack, Surroundings
from causalablate.engine.values import OpaqueError, flatten, map_tensors
from causalablate.errors import LesionError
from causalablate.intervention import Lesion


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

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs = {str(i): x for i, x in enumerate(args)} | kwargs
        n = _n_rows(inputs)
        names = list(keys) if keys is not None else [str(i) for i in range(n)]
        if len(names) != n:
            raise LesionError(f"{len(names)} keys were given for a batch of {n} rows; give one key per row")
        stack.begin(names, around.token_groups(inputs))
        action.fired, action.change_norm = torch.zeros(n, dtype=torch.bool), torch.zeros(n)

    def end() -> None:
        action.change_norm = stack.finish()[0]
        action.fired = torch.ones(len(stack.keys), dtype=torch.bool)

    if not (read := worlds_read([parts], around.components)):
        with hooked(root, stack.edits(), begin=begin, end=end, calls=stack.calls):
            yield action
        return

    def nested(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begin(args, kwargs)
        stack.worlds.known.clear()
        for world, places in read.items():
            there = Stack([Lesion(world).resolve(around.components)], around, worlds=stack.worlds, watched=places)
            with edited(root, there.edits(), there.calls):
                there.begin(stack.keys, stack.groups)
                forward(*_copies(args), **_copies(kwargs))
            there.finish()
            stack.worlds.known[world] = dict(there.seen)
        with edited(root, stack.edits(), stack.calls):
            output = forward(*args, **kwargs)
        end()
        return output

    with intercepted({root: nested}):
        yield action


def _copies(inputs: Any) -> Any:
    """Inputs of a forward that another one will get too."""
    try:
        flatten(inputs)
    except OpaqueError as error:
        raise LesionError(
            f"a patch runs the model in another world first, so its inputs must be given twice; a {error} cannot be. "
            "Run the model without a cache, or use counterfactuals()"
        ) from None
    return map_tensors(inputs, Tensor.clone)


def _n_rows(inputs: Mapping[str, Any]) -> int:
    return next(v.shape[0] for v in inputs.values() if isinstance(v, Tensor) and v.ndim)
