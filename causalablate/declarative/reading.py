"""Read a declarative file into a pydantic model."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from causalablate.declarative.explain import dotted, explain
from causalablate.declarative.yaml12 import Problem, parse
from causalablate.errors import StudyError

MAX_BYTES = 1_000_000

T = TypeVar("T", bound=BaseModel)


def read(path: str | Path, model: type[T]) -> T:
    """Read a YAML file into `model`.

    Raises:
        StudyError: The file cannot be read, or is not a valid `model`; the message lists everything that is wrong,
            one `file:line:column: key: reason` per line.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file; give the path of a YAML file") from None
    except OSError as error:
        raise StudyError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise StudyError(f"{path}: larger than {MAX_BYTES:,} bytes; a declarative file is much smaller than that")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise StudyError(f"{path}:{line}: not UTF-8 text (byte {raw[error.start]:#04x}); save it as UTF-8") from None
    return loads(text, model, source=str(path))


def loads(text: str, model: type[T], source: str = "<text>") -> T:
    """Read YAML text into `model`; `source` names the text in errors.

    Raises:
        StudyError: As for `read`.
    """
    if len(text) > MAX_BYTES:
        raise StudyError(f"{source}: larger than {MAX_BYTES:,} bytes; a declarative file is much smaller than that")
    document = parse(text)
    if document.data is None and not document.problems:
        keys = ", ".join(model.model_fields)
        raise StudyError(f"{source}:1:1: the file is empty; expected a mapping with keys among {keys}")
    result = None
    problems = list(document.problems)
    if document.data is not None:
        try:
            result = model.model_validate(document.data)
        except ValidationError as error:
            problems += explain(error, model, document)
    if problems or result is None:
        raise StudyError("\n".join(_line(source, p) for p in sorted(problems, key=lambda p: p.place)))
    return result


def _line(source: str, problem: Problem) -> str:
    (line, column), path = problem.place, dotted(problem.path)
    return f"{source}:{line}:{column}: {path + ': ' if path else ''}{problem.message}"
