"""Arguments and results of modules as tensors plus a skeleton that says how they were nested."""

import copy
import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from enum import Enum
from typing import Any

import torch
from torch import Tensor

Skeleton = tuple[Any, ...]
"""Nesting, constants and types of a value without its tensors; two are equal if the values were built alike."""

_PLAIN = (bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.layout, Enum, slice, range)
_TENSOR: Skeleton = ("tensor",)


class OpaqueError(Exception):
    """A value whose content cannot be compared: a cache, a generator, an object with a life of its own."""


def flatten(value: Any) -> tuple[list[Tensor], Skeleton]:
    """Split a value into its tensors, in order, and its skeleton.

    Looks into tuples, lists, dicts (transformers' outputs among them) and dataclasses.

    Raises:
        OpaqueError: Something else is in there.
    """
    tensors: list[Tensor] = []
    return tensors, _flatten(value, tensors)


def _flatten(value: Any, tensors: list[Tensor]) -> Skeleton:
    if isinstance(value, Tensor):
        if value.is_nested:  # it has no shape
            raise OpaqueError("nested tensor")
        tensors.append(value)
        return _TENSOR
    if value is None or isinstance(value, _PLAIN):
        return ("constant", type(value), value, repr(value))  # its text, since 0.0 equals -0.0
    if type(value) in (tuple, list, torch.Size) or (isinstance(value, tuple) and hasattr(value, "_fields")):
        return ("sequence", type(value), tuple(_flatten(item, tensors) for item in value))
    if type(value) in (dict, OrderedDict) or (isinstance(value, Mapping) and dataclasses.is_dataclass(value)):
        return ("mapping", type(value), tuple((key, _flatten(item, tensors)) for key, item in value.items()))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        if set(getattr(value, "__dict__", ())) <= set(names) and all(hasattr(value, name) for name in names):
            return ("dataclass", type(value), tuple((n, _flatten(getattr(value, n), tensors)) for n in names))
    raise OpaqueError(type(value).__name__)


def rebuild(skeleton: Skeleton, tensors: list[Tensor]) -> Any:
    """Undo `flatten`; containers are new, so that whoever changes one changes nothing else."""
    left = iter(tensors)
    return _rebuild(skeleton, lambda: next(left))


def _rebuild(skeleton: Skeleton, tensor: Callable[[], Tensor]) -> Any:
    match skeleton:
        case ("tensor",):
            return tensor()
        case ("constant", _, value, _):
            return value
        case ("sequence", cls, items):
            parts = [_rebuild(item, tensor) for item in items]
            return cls(*parts) if hasattr(cls, "_fields") else cls(parts)
        case ("mapping", cls, items):
            entries: dict[Any, Any] = {key: _rebuild(item, tensor) for key, item in items}
            return _mapping(cls, entries)
        case (_, cls, items):
            made = object.__new__(cls)
            for name, item in items:
                object.__setattr__(made, name, _rebuild(item, tensor))
            return made


def _mapping(cls: Any, entries: dict[Any, Any]) -> Any:
    """Transformers' outputs are mappings and dataclasses at once, and are made like the latter."""
    by_keyword = dataclasses.is_dataclass(cls)
    return cls(**entries) if by_keyword else cls(entries)


def map_tensors(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """A value with every tensor changed; other leaves, opaque ones too, stay what they are."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple | list):
        parts = [map_tensors(item, change) for item in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, Mapping):
        changed = {key: map_tensors(item, change) for key, item in value.items()}
        if dataclasses.is_dataclass(value) or not isinstance(value, MutableMapping):
            return _mapping(type(value), changed)
        items = copy.copy(value)  # a defaultdict, say, is more than its items
        items.update(changed)
        return items
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(made, field.name, map_tensors(getattr(value, field.name), change))
        return made
    return value


_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def bits(x: Tensor) -> Tensor:
    """The same memory as whole numbers, so that -0.0 differs from 0.0 and a NaN equals itself."""
    if x.dtype.is_complex:
        return bits(torch.view_as_real(x.resolve_conj()))
    return x.resolve_neg().view(_BITS[x.element_size()]) if x.dtype.is_floating_point else x


def comparable(x: Tensor) -> bool:
    """Whether a tensor has bits to compare: a sparse or quantized one has not."""
    return x.layout == torch.strided and not x.is_quantized


def memory_of(x: Tensor) -> int:
    """The memory behind a tensor, as a number: equal for a tensor and its views."""
    if x.layout != torch.strided or not x.untyped_storage().nbytes():
        return id(x)
    return x.untyped_storage().data_ptr()


def same_bits(x: Tensor, y: Tensor) -> bool:
    """Whether two tensors are equal in type, device, shape and every bit; False where that cannot be told."""
    if x is y:
        return True
    if x.dtype != y.dtype or x.device != y.device or x.shape != y.shape:
        return False
    return comparable(x) and comparable(y) and torch.equal(bits(x), bits(y))
