"""One text per value: canonical JSON for hashes, YAML for people."""

import hashlib
import json
from typing import Any

import yaml
from pydantic import BaseModel

from causalablate.declarative.yaml12 import CoreDumper


def plain(value: Any) -> Any:
    """Plain data (dicts, lists, text, numbers) of a pydantic model; other values pass through."""
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value


def canonical_json(value: Any) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces.

    Raises:
        ValueError: The value holds NaN or infinity, which JSON cannot.
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON of a pydantic model or of plain data, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def dumps(model: BaseModel) -> str:
    """YAML text of a model, every key written; `loads` turns it back into an equal model."""
    content = plain(model)
    # PyYAML does not quote Unicode's own line breaks, and reads them back as spaces; escaped, they survive.
    readable = not any(mark in canonical_json(content) for mark in "\x85\u2028\u2029")
    return yaml.dump(content, Dumper=CoreDumper, sort_keys=False, allow_unicode=readable, width=110)
