"""Operations and time of single modules in forwards of the whole model."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import Forward, Interceptor, intercepted

WHOLE = ""
"""Path of the whole model."""


def module_flops(
    root: nn.Module, paths: Collection[str], batches: Sequence[Mapping[str, Any]], **settings: Any
) -> dict[str, int]:
    """Floating-point operations of modules, with all that they call, over some batches; 0 for those never called.

    Counted as torch's `FlopCounterMode` counts, by the shapes of matrix products, convolutions and attention: two per
    multiply-add, all else nothing. That one cannot be used as it is, since its module tracker fails on modules that
    return a parameter.

    Args:
        root: The whole model.
        paths: Modules of it, `WHOLE` for itself.
        batches: Keyword arguments of each forward.
        settings: More keyword arguments of every forward.
    """
    counter, found = _Counter(), dict.fromkeys(paths, 0)

    def counting(path: str) -> Interceptor:
        def intercept(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            before = counter.flops
            out = forward(*args, **kwargs)
            found[path] += counter.flops - before
            return out

        return intercept

    # Fused attention kernels of some devices have no formula; the plain one is made of matrix products.
    with _each(root, paths, counting), _no_fused_encoder(), sdpa_kernel(SDPBackend.MATH), counter:
        for inputs in batches:
            root(**inputs, **settings)
    return found


def module_seconds(
    root: nn.Module, paths: Collection[str], batches: Sequence[Mapping[str, Any]], repetitions: int, **settings: Any
) -> dict[str, list[float]]:
    """Wall time of modules, with all that they call, over all batches, once per repetition and after one to warm up."""
    on_gpu = any(p.is_cuda for p in root.parameters())
    spent: dict[str, float] = {}
    found: dict[str, list[float]] = {path: [] for path in paths}

    def now() -> float:
        if on_gpu:
            torch.cuda.synchronize()
        return time.perf_counter()

    def timing(path: str) -> Interceptor:
        def intercept(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            start = now()
            out = forward(*args, **kwargs)
            spent[path] += now() - start
            return out

        return intercept

    with _each(root, paths, timing):
        for repetition in range(1 + repetitions):
            spent.update(dict.fromkeys(paths, 0.0))
            for inputs in batches:
                root(**inputs, **settings)
            for path in paths if repetition else ():
                found[path].append(spent[path])
    return found


def modules_called(root: nn.Module, batches: Sequence[Mapping[str, Any]], **settings: Any) -> set[str]:
    """Paths of the modules whose forward ran."""
    found: set[str] = set()

    def noting(path: str) -> Interceptor:
        def intercept(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            found.add(path)
            return forward(*args, **kwargs)

        return intercept

    with _each(root, [path for path, _ in root.named_modules()], noting):
        for inputs in batches:
            root(**inputs, **settings)
    return found


class _Counter(TorchDispatchMode):
    """Adds up the operations of what runs inside, by torch's own formulae."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        formula = flop_registry.get(func._overloadpacket)
        if formula is None:
            with self:
                out = func.decompose(*args, **kwargs)
            return func(*args, **kwargs) if out is NotImplemented else out
        out = func(*args, **kwargs)
        self.flops += int(formula(*args, **kwargs, out_val=out))
        return out


@contextmanager
def _each(root: nn.Module, paths: Collection[str], made: Callable[[str], Interceptor]) -> Iterator[None]:
    """Every module of `paths` goes through an interceptor of its own, on a model that is left as it was."""
    with frozen(root), intercepted({root.get_submodule(path): made(path) for path in paths}):
        yield


@contextmanager
def _no_fused_encoder() -> Iterator[None]:
    """Layers of `nn.TransformerEncoder` run as their parts, which can be counted."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
