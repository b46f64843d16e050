"""Declarative files: YAML in, frozen pydantic models out, every error at once with file, line and column.

The YAML file and the Python object are the same thing: `read("x.yaml", Study) == Study(...)`, and
`content_hash` names both.
"""

from causalablate.declarative.canonical import canonical_json, content_hash, dumps
from causalablate.declarative.reading import MAX_BYTES, loads, read

__all__ = ["MAX_BYTES", "canonical_json", "content_hash", "dumps", "loads", "read"]
