"""The `folder` example set: a directory of images and of questions about them."""

import hashlib
from itertools import islice
from pathlib import Path

from causalablate.errors import ExampleError, nearest
from causalablate.examples.base import Example, ExampleSet
from causalablate.examples.images import Images
from causalablate.examples.layouts import INDEX, LAYOUTS, Entry, Layout


def folder(path: str | Path, *, split: str | None = None, limit: int | None = None) -> ExampleSet:
    """Read a directory with `examples.jsonl`, or one that holds easy-VQA or NLVR as they are published.

    Each line of `examples.jsonl` is a JSON object: `image` (file name or list of frames, relative to the directory, or
    as in a zip archive there), `question`, `answer`, and optionally `groups` (name to label) and `id` (default: the
    line number). A split is a file of its own, `<split>.jsonl`. Examples with the same images form one cluster.

    Args:
        path: The directory.
        split: Which part, for a set that has parts: for easy-VQA `train` or `test`, for NLVR `dev` or `test`.
        limit: Read only so many examples.
    Raises:
        ExampleError: The directory, the split, a file, a line or an image is missing or malformed; names file and line.
    """
    root = Path(path)
    layout, file = _index(root, split)
    with Images(root) as images:
        entries = layout.entries(file, split or file.stem)
        examples = tuple(_example(entry, images) for entry in islice(entries, limit))
    if not examples:
        raise ExampleError(f'"{file}" holds no examples; write one JSON object per line, and a limit of at least 1.')
    return ExampleSet("/".join(("folder", root.resolve().name, *([split] if split else []))), examples)


def _index(root: Path, split: str | None) -> tuple[Layout, Path]:
    """The file that holds the questions of a split."""
    for layout in LAYOUTS.values():
        splits = layout.splits(root)
        if (split or "") in splits:
            return layout, splits[split or ""]
        named = sorted(name for name in splits if name)
        if named:
            what = f'has no split "{split}"{nearest(split, named)}' if split else "is in parts"
            raise ExampleError(f'"{root}" {what}; choose one with split: {", ".join(named)}.')
    asked = root / (f"{split}.jsonl" if split else INDEX)
    raise ExampleError(
        f'no file "{asked}"; a folder of examples holds images and {INDEX}, one object per line, '
        f"or a set that is known: {', '.join(list(LAYOUTS)[1:])}."
    )


def _example(entry: Entry, images: Images) -> Example:
    identity = "\0".join(names[0] for names in entry.frames)
    return Example(
        id=entry.id,
        images=tuple(images.read(entry.where, names) for names in entry.frames),
        question=entry.question,
        answer=entry.answer,
        groups=entry.groups,
        seed=int.from_bytes(hashlib.sha256(f"{identity}\0{entry.question}".encode()).digest()[:4], "big") >> 1,
        cluster=hashlib.sha256((entry.cluster or identity).encode()).hexdigest()[:16],
    )
