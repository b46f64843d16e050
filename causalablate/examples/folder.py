"""The `folder` example set: a directory of images and an `examples.jsonl` that asks about them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from causalablate.errors import ExampleError, nearest
from causalablate.examples.base import Example, ExampleSet

INDEX = "examples.jsonl"
KEYS = ("image", "question", "answer", "groups", "id")


def folder(path: str | Path, *, limit: int | None = None) -> ExampleSet:
    """Read a directory with `examples.jsonl`: one JSON object per line.

    Keys: `image` (file name or list of frames, relative to the directory), `question`, `answer`, and optionally
    `groups` (name to label) and `id` (default: the line number). Examples with the same images form one cluster.

    Args:
        path: The directory.
        limit: Read only so many examples.
    Raises:
        ExampleError: The directory, a file, a line or an image is missing or malformed; names file and line.
    """
    root = Path(path)
    index = root / INDEX
    if not index.is_file():
        raise ExampleError(f'no file "{index}"; a folder of examples holds images and {INDEX}, one object per line.')
    try:
        lines = index.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ExampleError(f'"{index}" is not UTF-8 text ({error}); save it as UTF-8.') from error
    examples: list[Example] = []
    for number, line in enumerate(lines, start=1):
        if limit is not None and len(examples) >= limit:
            break
        if line.strip():
            examples.append(_example(root, number, line))
    if not examples:
        raise ExampleError(f'"{index}" holds no examples; write one JSON object per line, and a limit of at least 1.')
    return ExampleSet(f"folder/{root.name}", tuple(examples))


def _example(root: Path, number: int, line: str) -> Example:
    where = f"{root / INDEX}:{number}"
    entry = _parse(where, line)
    names = entry["image"] if isinstance(entry["image"], list) else [entry["image"]]
    if not names or not all(isinstance(name, str) for name in names):
        raise ExampleError(f"{where}: image is {entry['image']!r}; give a file name or a list of file names.")
    images = tuple(_image(where, root, name) for name in names)
    identity = "\0".join(names)
    return Example(
        id=str(entry.get("id", f"line-{number:06d}")),
        images=images,
        question=entry["question"],
        answer=entry["answer"],
        groups={str(k): str(v) for k, v in entry.get("groups", {}).items()},
        seed=int.from_bytes(hashlib.sha256(f"{identity}\0{entry['question']}".encode()).digest()[:4], "big") >> 1,
        cluster=hashlib.sha256(identity.encode()).hexdigest()[:16],
    )


def _parse(where: str, line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise ExampleError(f"{where}:{error.colno}: not JSON ({error.msg}); write one object per line.") from error
    if not isinstance(entry, dict):
        raise ExampleError(f"{where}: a JSON object is expected, this is {type(entry).__name__}.")
    for key in entry:
        if key not in KEYS:
            raise ExampleError(f'{where}: unknown key "{key}"{nearest(key, KEYS)}; keys are {", ".join(KEYS)}.')
    for key in ("image", "question", "answer"):
        if key not in entry:
            raise ExampleError(f'{where}: the key "{key}" is missing; every line needs image, question and answer.')
    for key in ("question", "answer"):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise ExampleError(f"{where}: {key} is {entry[key]!r}; it must be text.")
    if not isinstance(entry.get("groups", {}), Mapping):
        raise ExampleError(f'{where}: groups is {entry["groups"]!r}; write {{"name": "label"}}.')
    return entry


def _image(where: str, root: Path, name: str) -> np.ndarray:
    file = root / name
    if not file.is_file():
        raise ExampleError(f'{where}: no file "{file}"; image names are relative to {root}.')
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ExampleError(f'{where}: "{file}" is not a readable image ({error}); use PNG or JPEG.') from error
