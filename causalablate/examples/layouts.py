"""How example sets lie on disk: our own JSON lines, and published sets as they come (easy-VQA, NLVR)."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from causalablate.errors import ExampleError, nearest

INDEX = "examples.jsonl"
KEYS = ("image", "question", "answer", "groups", "id")


@dataclass(frozen=True)
class Entry:
    """One example before its images are read.

    Attributes:
        where: File and line, for messages.
        id: Of the example.
        frames: For each frame the names that its image may have.
        question: In words.
        answer: In words.
        groups: Group name to label.
        cluster: What else it shares a cluster with, apart from its images.
    """

    where: str
    id: str
    frames: tuple[tuple[str, ...], ...]
    question: str
    answer: str
    groups: Mapping[str, str]
    cluster: str = ""


@dataclass(frozen=True)
class Layout:
    """One way in which a set lies on disk.

    Attributes:
        splits: The files of questions in a directory, by the name of the split (empty: all examples).
        entries: The examples of such a file.
    """

    splits: Callable[[Path], dict[str, Path]]
    entries: Callable[[Path, str], Iterator[Entry]]


def _json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Objects of a file with one per line, each with its file and line."""
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if line.strip():
            yield f"{path}:{number}", _parsed(f"{path}:{number}", line)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ExampleError(f'"{path}" is not UTF-8 text ({error}); save it as UTF-8.') from error


def _parsed(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ExampleError(f"{where}:{error.colno}: not JSON ({error.msg}).") from error


def _own_splits(root: Path) -> dict[str, Path]:
    return {"" if path.name == INDEX else path.stem: path for path in sorted(root.glob("*.jsonl"))}


def _own_entries(path: Path, split: str) -> Iterator[Entry]:
    for where, entry in _json_lines(path):
        _check(where, entry)
        names = entry["image"] if isinstance(entry["image"], list) else [entry["image"]]
        if not names or not all(isinstance(name, str) for name in names):
            raise ExampleError(f"{where}: image is {entry['image']!r}; give a file name or a list of file names.")
        yield Entry(
            where,
            str(entry.get("id", f"line-{int(where.rpartition(':')[2]):06d}")),
            tuple((name,) for name in names),
            entry["question"],
            entry["answer"],
            {str(k): str(v) for k, v in entry.get("groups", {}).items()},
        )


def _check(where: str, entry: Any) -> None:
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


def _easy_vqa_splits(root: Path) -> dict[str, Path]:
    if not (root / "answers.txt").is_file():
        return {}
    together = {path.name.removesuffix("_questions.json"): path for path in root.glob("*_questions.json")}
    return together | {path.parent.name: path for path in root.glob("*/questions.json")}


def _easy_vqa_entries(path: Path, split: str) -> Iterator[Entry]:
    """`[question, answer, number of the image]`, all in one list."""
    entries = _parsed(str(path), _text(path))
    for i, entry in enumerate(entries):
        where = f"{path}: question {i}"
        match entry:
            case [str(question), str(answer), int(image)]:
                names = (f"{split}/{image}.png", f"{split}/images/{image}.png")
                yield Entry(where, f"{split}-{i:06d}", (names,), question, answer, _easy_vqa_groups(question))
            case _:
                raise ExampleError(f"{where} is {entry!r}; easy-VQA has [question, answer, number of the image].")


def _easy_vqa_groups(question: str) -> dict[str, str]:
    """What is asked: the shape, its color, whether something is there, or whether it is not there."""
    words = set(re.findall(r"[a-z]+", question.lower()))
    if "what" in words:
        kind = "color" if "color" in words else "shape"
        return {"question_type": kind, "answer_type": kind}
    return {"question_type": "absence" if words & {"no", "not"} else "presence", "answer_type": "yes/no"}


_NLVR_KEYS = ("sentence", "label", "identifier")


def _nlvr_splits(root: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(root.glob("*.json")) if _is_nlvr(path)}


def _is_nlvr(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            first = json.loads(file.readline())
        except ValueError:
            return False
    return isinstance(first, dict) and all(key in first for key in _NLVR_KEYS)


def _nlvr_entries(path: Path, split: str) -> Iterator[Entry]:
    """One object per line; each sentence was judged of up to four scenes, and those form a cluster.

    Of the images of a scene, which differ in the order of its boxes, the first is read.
    """
    for where, entry in _json_lines(path):
        for key in _NLVR_KEYS:
            if not isinstance(entry, dict) or not isinstance(entry.get(key), str):
                raise ExampleError(f'{where}: the key "{key}" is missing; NLVR has {", ".join(_NLVR_KEYS)}.')
        identifier = entry["identifier"]
        file = f"{split}-{identifier}-0.png"
        names = (file, f"images/{entry.get('directory', '')}/{file}")
        groups = _nlvr_groups(entry)
        sentence = f"{split}-{identifier.partition('-')[0]}"
        yield Entry(where, f"{split}-{identifier}", (names,), entry["sentence"], entry["label"], groups, sentence)


def _nlvr_groups(entry: Mapping[str, Any]) -> dict[str, str]:
    """Scene: blocks piled up in a `tower`, or shapes `scatter`ed; whether all who judged the sentence agreed."""
    items = [item for box in entry.get("structured_rep", ()) for item in box]
    tower = all((i["type"], i["size"], i["x_loc"]) == ("square", 20, 40) for i in items)
    agreed = len(set(entry.get("evals", {}).values())) <= 1
    return {"scene": "tower" if tower else "scatter", "raters": "agree" if agreed else "differ"}


LAYOUTS: Mapping[str, Layout] = {
    "JSON lines": Layout(_own_splits, _own_entries),
    "easy-VQA": Layout(_easy_vqa_splits, _easy_vqa_entries),
    "NLVR": Layout(_nlvr_splits, _nlvr_entries),
}
"""Every layout that `folder` knows; the first whose files are there is taken."""
