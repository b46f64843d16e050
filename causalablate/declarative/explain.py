"""Pydantic's validation errors in the words and the places of the file that was read."""

import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from causalablate.declarative.yaml12 import Document, Path, Problem
from causalablate.errors import nearest


def explain(error: ValidationError, model: type[BaseModel], document: Document) -> list[Problem]:
    """Translate every error of a failed validation; errors of several union members at one place become one."""
    merged: dict[tuple[Path, bool], list[tuple[str, str]]] = {}
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # its items are wrong, which is reported, and were not counted
        path, candidates = _locate(detail["loc"], model, document.data)
        path, at_key, reason = _describe(detail, path, candidates)
        given = detail.get("ctx", {}).get("tag", detail["input"])
        shown = _got(given, reason) if reason.startswith("expected") and detail["type"] != "value_error" else ""
        merged.setdefault((path, at_key), []).append((reason, shown))
    return [Problem(_place(document, path, at_key), path, _join(reasons)) for (path, at_key), reasons in merged.items()]


def _join(reasons: list[tuple[str, str]]) -> str:
    texts = list(dict.fromkeys(text for text, _ in reasons))
    return " or ".join([texts[0], *(text.removeprefix("expected ") for text in texts[1:])]) + reasons[0][1]


def dotted(path: Path) -> str:
    """`("lesions", 1, "off")` as `lesions[1].off`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _place(document: Document, path: Path, at_key: bool) -> tuple[int, int]:
    if at_key and path in document.keys:
        return document.keys[path]
    while path not in document.values and path:
        path = path[:-1]
    return document.values.get(path, (1, 1))


def _locate(loc: tuple[str | int, ...], model: type[BaseModel], data: Any) -> tuple[Path, list[Any]]:
    """Follow an error's location through data and types together; labels of union members lead nowhere."""
    path: Path = ()
    candidates: list[Any] = [model]
    for part in loc:
        tagged = [c for c in candidates if _labelled(c, part)]
        if len(candidates) > 1 and tagged:
            candidates = tagged
            continue
        inside = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if not inside:
            continue
        path, data = (*path, part), data[part]
        candidates = [deeper for c in candidates for deeper in _children(c, part)] or candidates
    return path, candidates


def _labelled(candidate: Any, label: str | int) -> bool:
    if not _is_model(candidate):
        return False
    tags = (f.annotation for f in candidate.model_fields.values() if get_origin(f.annotation) is Literal)
    return candidate.__name__ == label or any(label in get_args(tag) for tag in tags)


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _children(candidate: Any, part: str | int) -> Iterator[Any]:
    if _is_model(candidate):
        for name, info in candidate.model_fields.items():
            if part in (name, info.alias):
                yield from _members(info.annotation)
    elif isinstance(part, int):
        for argument in get_args(candidate):
            yield from _members(argument)
    elif len(get_args(candidate)) == 2:
        yield from _members(get_args(candidate)[1])


def _members(annotation: Any) -> Iterator[Any]:
    """Member types of an annotation, unions and aliases opened."""
    if hasattr(annotation, "__value__"):  # a `type X = ...` alias
        yield from _members(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    elif annotation is not None and annotation is not type(None):
        yield annotation


def _known_keys(candidates: list[Any]) -> list[str]:
    names = [f.alias or name for c in candidates if _is_model(c) for name, f in c.model_fields.items()]
    return list(dict.fromkeys(names))


def _describe(detail: Any, path: Path, candidates: list[Any]) -> tuple[Path, bool, str]:
    """Where to point, whether at the key or the value, and what to say."""
    kind, context = detail["type"], detail.get("ctx", {})
    last = detail["loc"][-1] if detail["loc"] else ""
    if kind == "extra_forbidden":
        owner = _known_keys(candidates)
        return path, True, f'unknown key "{last}"{nearest(str(last), owner)}; known keys: {", ".join(owner)}'
    if kind in ("missing", "missing_argument"):
        return (*path, last), False, "this key is missing"
    if kind == "union_tag_invalid":
        return (*path, context["discriminator"].strip("'")), False, _choice(context["expected_tags"])
    if kind == "union_tag_not_found":
        return (*path, context["discriminator"].strip("'")), False, "this key is missing"
    if kind in ("literal_error", "enum"):
        return path, False, _choice(context["expected"])
    if kind in ("value_error", "assertion_error"):
        return path, False, str(context["error"])
    if kind in ("model_type", "model_attributes_type", "dict_type", "mapping_type"):
        keys = ", ".join(_known_keys(candidates))
        return path, False, "expected a mapping" + (f" with keys among {keys}" if keys else "")
    if kind == "too_short":
        return path, False, f"give at least {context['min_length']}, not {context['actual_length']}"
    if kind in ("list_type", "tuple_type"):
        return path, False, "expected a list"
    return path, False, _expectation(detail["msg"])


def _choice(choices: str) -> str:
    """Pydantic's `'a', 'b' or 'c'` as `expected one of a, b, c`."""
    names = re.findall(r"'([^']*)'", choices) or [choices]
    return f"expected one of {', '.join(names)}"


def _expectation(message: str) -> str:
    """`Input should be a valid number, unable to parse ...` as `expected a number`."""
    if match := re.match(r"Input should be an? (?:valid )?([^,]*)", message):
        return f"expected {'an' if match[1][:1] in 'aeio' else 'a'} {match[1]}"
    if match := re.match(r"Input should be (.*)", message):
        return f"expected a value {match[1]}"
    return message


def _got(given: Any, expectation: str) -> str:
    if given is None:
        return ", got nothing"
    if isinstance(given, dict | list | tuple):
        return f", got a {'mapping' if isinstance(given, dict) else 'list'}"
    text = f'"{given}"' if isinstance(given, str) else str(given)
    choices = expectation.partition(" one of ")[2].split(", ")
    return f", got {text if len(text) <= 60 else text[:57] + '...'}{nearest(str(given), choices, n=1)}"
