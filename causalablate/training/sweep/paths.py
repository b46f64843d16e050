"""Dotted paths into a training config: `model.width` names one field, `optimizer.group_scale.vision` one entry."""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from causalablate.errors import nearest
from causalablate.training.config import TrainingConfig

SET_BY_SWEEP = {
    "name": "runs are named by what they are",
    "seed": "give the sweep's own `seeds`",
    "data_seed": "give the sweep's own `data_seed`, so that every run sees the same samples",
    "threads": "it belongs in `base`, for all runs",
    "tracking": "it belongs in `base`, for all runs",
}
"""Fields that no arm may set, and what to do instead."""


def check_path(path: str) -> str:
    """Check that an arm may set this field.

    Returns:
        `path`.
    Raises:
        ValueError: The config has no such field, or it is not for an arm to set; says which are near.
    """
    keys_of(path)
    return path


def keys_of(path: str) -> list[str]:
    """Keys, from the outside in, of the field or entry that a dotted path names.

    What follows the name of a mapping is one key, dots and all: `without.scorers.participatory`.

    Raises:
        ValueError: As for `check_path`.
    """
    parts, keys = path.split("."), list[str]()
    if parts[0] in SET_BY_SWEEP:
        raise ValueError(f"an arm does not set {parts[0]}: {SET_BY_SWEEP[parts[0]]}")
    members: list[Any] = [TrainingConfig]
    optional = False
    while parts:
        models = [member for member in members if _is_model(member)]
        fields = {name: info for model in models for name, info in model.model_fields.items()}
        if parts[0] in fields:
            keys.append(parts.pop(0))
            optional = type(None) in get_args(fields[keys[-1]].annotation)
            members = [m for model in models if keys[-1] in model.model_fields for m in _members_of(model, keys[-1])]
        elif any(get_origin(member) is dict for member in members):
            keys.append(_entry(".".join(parts), members, path))
            return keys
        else:
            raise ValueError(_no_such(path, keys, list(fields)))
    if len(members) == 1 and _is_model(members[0]) and not optional:
        inside = ", ".join(f"{path}.{name}" for name in members[0].model_fields)
        raise ValueError(f"{path} is a section; name what changes in it: {inside}")
    return keys


def with_changes(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A plain config with some of its fields replaced.

    Args:
        config: A training config as plain data.
        changes: Dotted path to the new value, as plain data.
    Raises:
        ValueError: As for `check_path`.
    """
    changed = dict(config)
    for path, value in changes.items():
        *outer, last = keys_of(path)
        inner = changed
        for key in outer:
            below = inner.get(key)
            inner[key] = dict(below) if isinstance(below, Mapping) else {}
            inner = inner[key]
        inner[last] = value
    return changed


def all_paths() -> list[str]:
    """Every dotted path that an arm may set, entries of mappings apart."""
    found = dict.fromkeys(_paths(TrainingConfig, ""))
    return [path for path in found if path.partition(".")[0] not in SET_BY_SWEEP]


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name in model.model_fields:
        members = _members_of(model, name)
        models = [member for member in members if _is_model(member)]
        if len(members) != 1 or not models or type(None) in get_args(model.model_fields[name].annotation):
            yield f"{prefix}{name}"
        for inner in models:
            yield from _paths(inner, f"{prefix}{name}.")


def _no_such(path: str, keys: list[str], fields: list[str]) -> str:
    here = ".".join(keys)
    known = all_paths()
    by_end = [other for other in known if other.rpartition(".")[2] == path.rpartition(".")[2]]
    close = f" (did you mean {', '.join(by_end[:3])}?)" if by_end else nearest(path, known)
    there = f"{here or 'a run'} has {', '.join(fields)}" if fields else f"{here} has no fields of its own"
    return f'no field "{path}"{close}; {there}'


def _entry(key: str, members: list[Any], path: str) -> str:
    """The key of a mapping; where only some are possible, one of them."""
    key_type = next(get_args(member)[0] for member in members if get_origin(member) is dict)
    if get_origin(key_type) is Literal and key not in get_args(key_type):
        known = get_args(key_type)
        raise ValueError(f'no entry "{path}"{nearest(key, known)}; there are {", ".join(known)}')
    return key


def _members_of(model: type[BaseModel], name: str) -> list[Any]:
    return list(dict.fromkeys(_members(model.model_fields[name].annotation)))


def _members(annotation: Any) -> Iterator[Any]:
    """Member types of an annotation, unions opened, `None` left out."""
    if hasattr(annotation, "__value__"):
        yield from _members(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    elif annotation is not type(None):
        yield annotation


def _is_model(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, BaseModel)
