"""Offs as fields of declarative files: a kind name, or a mapping with `kind` and its parameters."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

from causalablate.errors import LesionError, nearest
from causalablate.offs import OFFS, Off, off


def parse_off(spec: Any) -> Off:
    """An off from a kind name or a mapping with `kind`; pydantic reports what is wrong with it."""
    if isinstance(spec, Off):
        return spec
    kind = spec.get("kind") if isinstance(spec, Mapping) else spec
    if not isinstance(kind, str) or kind not in OFFS:
        got = "nothing" if kind is None else f'"{kind}"' if isinstance(kind, str) else repr(kind)
        close = nearest(kind, OFFS, n=1) if isinstance(kind, str) else ""
        raise ValueError(f"expected {', '.join(OFFS)}, or a mapping with kind and its parameters; got {got}{close}")
    try:
        return off(spec)
    except LesionError as error:
        raise ValueError(str(error)) from None


OffField = Annotated[Any, PlainValidator(parse_off), PlainSerializer(lambda how: how.to_json())]
"""A field that holds an `Off`."""
