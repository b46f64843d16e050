"""Modules through torch.compile, in the factual run and under lesions alike."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

from causalablate.engine.hooks import Forward, Place, intercepted
from causalablate.engine.repeated import plain
from causalablate.engine.replay import ModuleTree
from causalablate.engine.values import map_tensors


def compiled_forwards(root: nn.Module, places: Sequence[Place], backend: str) -> dict[nn.Module, Forward]:
    """Compile the outermost modules inside which no component lives.

    Hooks stay outside of what is compiled, so lesions act as ever. Modules of torch.nn itself are single kernels, and
    gain nothing.

    Args:
        root: The whole model; it is not changed.
        places: Where components live.
        backend: Of torch.compile.
    """
    tree = ModuleTree(root)
    modules = tree.beside(tree.blocked(places))
    own = [m for m in modules if not type(m).__module__.startswith("torch.nn.")]
    return {module: torch.compile(module.forward, backend=backend) for module in own}


@contextmanager
def compiled(forwards: Mapping[nn.Module, Forward]) -> Iterator[None]:
    """Run these modules compiled inside the block."""
    with intercepted({module: partial(_run, forward) for module, forward in forwards.items()}):
        yield


def _run(fast: Forward, _: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fast(*map_tensors(args, plain), **map_tensors(kwargs, plain))
