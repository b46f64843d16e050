"""The only place that touches modules: activations are read and edited, forwards intercepted, and all is undone."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from causalablate.component import At
from causalablate.errors import LesionError

Place = tuple[str, At]
Edit = Callable[[Tensor, int, tuple[Any, ...]], Tensor]
"""(activation, call, inputs of the module) -> activation. Returning the very same tensor leaves the forward alone."""

Begin = Callable[[tuple[Any, ...], dict[str, Any]], None]

Forward = Callable[..., Any]
Interceptor = Callable[[Forward, tuple[Any, ...], dict[str, Any]], Any]
"""(the module's own forward, args, kwargs) -> what the module returns."""


@contextmanager
def hooked(
    root: nn.Module,
    edits: Mapping[Place, Edit],
    *,
    begin: Begin,
    end: Callable[[], None] = lambda: None,
    calls: "Counter[Place] | None" = None,
) -> Iterator[None]:
    """Edit activations during every forward of `root` inside the block.

    Args:
        root: The whole model.
        edits: What happens at each place.
        begin: Called before each forward of `root` with its arguments.
        end: Called after each forward of `root` that returned.
        calls: Where to count how often each place was reached in a forward.
    Raises:
        LesionError: A place names a module that the model does not have.
    """
    calls = Counter() if calls is None else calls

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.clear()
        begin(args, kwargs)

    with ExitStack() as stack:

        def keep(handle: RemovableHandle) -> None:
            stack.callback(handle.remove)

        keep(root.register_forward_pre_hook(before, with_kwargs=True))
        stack.enter_context(edited(root, edits, calls))
        keep(root.register_forward_hook(lambda *_: end()))
        yield


@contextmanager
def edited(root: nn.Module, edits: Mapping[Place, Edit], calls: "Counter[Place]") -> Iterator[None]:
    """Edit activations inside the block, whatever runs the modules; see `hooked`, which also minds the forwards."""
    with ExitStack() as stack:
        for place, edit in edits.items():
            stack.callback(_register(submodule(root, place[0]), place, edit, calls).remove)
        yield


@contextmanager
def intercepted(interceptors: Mapping[nn.Module, Interceptor]) -> Iterator[None]:
    """Route the forwards of modules through interceptors inside the block; hooks of a module stay around its forward.

    Args:
        interceptors: By module.
    """
    with ExitStack() as stack:
        for module, intercept in interceptors.items():
            stack.callback(_restore, module, module.__dict__.get("forward"))
            module.__dict__["forward"] = _route(module.forward, intercept)
        yield


def _route(forward: Forward, intercept: Interceptor) -> Forward:
    return lambda *args, **kwargs: intercept(forward, args, kwargs)


def _restore(module: nn.Module, own: Forward | None) -> None:
    if own is None:
        module.__dict__.pop("forward", None)
    else:
        module.__dict__["forward"] = own


def has_hooks(module: nn.Module) -> bool:
    """Whether anybody watches the calls of a module, or of all modules."""
    everywhere = torch.nn.modules.module
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or everywhere._global_forward_hooks
        or everywhere._global_forward_pre_hooks
    )


def submodule(root: nn.Module, path: str) -> nn.Module:
    """The module at a dotted path.

    Raises:
        LesionError: There is none.
    """
    try:
        return root.get_submodule(path)
    except AttributeError:
        raise LesionError(
            f'the model has no module "{path}": the component map does not describe this model; '
            "rebuild it from the model's own config"
        ) from None


def _register(module: nn.Module, place: Place, edit: Edit, calls: "Counter[Place]") -> RemovableHandle:
    """Hook one place.

    Output hooks go first in line (`prepend`): transformers collects `output_hidden_states` by hooks of its own,
    installed on first use, and a later hook's edit would be invisible to whatever reads that collection.
    """

    def next_call() -> int:
        calls[place] += 1
        return calls[place] - 1

    def on_input(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x = _first_input(args, kwargs)
        new = edit(x, next_call(), args)
        return None if new is x else _with_first_input(args, kwargs, new)

    def on_mask(inner: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        mask = kwargs.get("attention_mask")
        hidden = _first_input(args, kwargs)
        x = (
            full_mask(inner, hidden, _cached(inner, hidden, kwargs))
            if mask is None
            else mask.expand(hidden.shape[0], *mask.shape[1:])
        )
        new = edit(x, next_call(), args)
        return None if new is x else (args, {**kwargs, "attention_mask": new})

    def on_output(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        x = first_output(output)
        new = edit(x, next_call(), args)
        return None if new is x else _with_first_output(output, new)

    def on_delta(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        start, whole = _first_input(args, kwargs), first_output(output)
        delta = whole - start
        new = edit(delta, next_call(), args)
        if new is delta:
            return None
        # Rows whose delta is untouched keep their exact output: start + (whole - start) may round differently.
        touched = (new != delta).flatten(1).any(dim=1).reshape((-1,) + (1,) * (whole.ndim - 1))
        if whole.requires_grad and bool(touched.all()):  # then the block is to receive no gradient, not one of 0
            return _with_first_output(output, start + new)
        return _with_first_output(output, torch.where(touched, start + new, whole))

    match place[1]:
        case "input":
            return module.register_forward_pre_hook(on_input, with_kwargs=True)
        case "attention_mask":
            return module.register_forward_pre_hook(on_mask, with_kwargs=True)
        case "output":
            return module.register_forward_hook(on_output, with_kwargs=True, prepend=True)
        case "delta":
            return module.register_forward_hook(on_delta, with_kwargs=True, prepend=True)


def full_mask(attention: nn.Module, x: Tensor, cached: int = 0) -> Tensor:
    """The mask that an attention module without one uses, True attends, shape (rows, 1, length, cached + length)."""
    rows, length = x.shape[:2]
    mask = torch.ones(length, cached + length, dtype=torch.bool, device=x.device)
    if getattr(attention, "is_causal", False):
        mask = mask.tril(cached)
    return mask.expand(rows, 1, length, cached + length)


def _cached(attention: nn.Module, x: Tensor, kwargs: dict[str, Any]) -> int:
    """Keys that an attention module finds in its key-value cache."""
    cache = kwargs.get("past_key_values")
    if cache is None or not hasattr(cache, "get_mask_sizes"):
        return 0
    attended: int = cache.get_mask_sizes(x.shape[1], attention.layer_idx)[0]
    return attended - x.shape[1]


def _first_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    return args[0] if args else kwargs[_first_name(kwargs)]


def _with_first_input(args: tuple[Any, ...], kwargs: dict[str, Any], new: Tensor) -> tuple[tuple[Any, ...], Any]:
    return ((new, *args[1:]), kwargs) if args else (args, {**kwargs, _first_name(kwargs): new})


def _first_name(kwargs: dict[str, Any]) -> str:
    """The keyword of the first input: transformers' own, else the first that holds a tensor."""
    if "hidden_states" in kwargs:
        return "hidden_states"
    for name, value in kwargs.items():
        if isinstance(value, Tensor):
            return name
    raise LesionError("the module is called without a tensor, so its input cannot be lesioned; choose its output")


def first_output(output: Any) -> Tensor:
    """The tensor that a module returns, alone or first in a tuple or a transformers output.

    Raises:
        LesionError: There is none.
    """
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else [output]
    first = output if isinstance(output, Tensor) else next(iter(parts), None)
    if not isinstance(first, Tensor):
        raise LesionError(f"a module returns a {type(output).__name__} that begins with no tensor; lesion its parts")
    return first


def _with_first_output(output: Any, new: Tensor) -> Any:
    if isinstance(output, Tensor):
        return new
    if isinstance(output, list):
        return [new, *output[1:]]
    if isinstance(output, tuple):
        return type(output)(new, *output[1:]) if hasattr(output, "_fields") else (new, *output[1:])
    first = next(iter(output.keys()))
    return type(output)(**{**output, first: new})
