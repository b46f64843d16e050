"""What the command line says in the language of study files."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causalablate.examples import ExampleSet
    from causalablate.offs import Off


def off_from_text(text: str) -> "Off":
    """`mean`, or a YAML mapping such as `{kind: noise, std: 3}`.

    Raises:
        LesionError: The text is no YAML, or the kind or a parameter is unknown.
    """
    from causalablate.declarative.yaml12 import parse
    from causalablate.errors import LesionError
    from causalablate.offs import off

    document = parse(text)
    if document.problems or not isinstance(document.data, str | dict):
        raise LesionError(f"--off {text!r} is not an off; write a kind such as mean, or '{{kind: noise, std: 3}}'")
    return off(document.data)


def labels_from_text(text: str) -> list[str]:
    """`a cat,a dog`: texts between commas; none where there is nothing."""
    return [label.strip() for label in text.split(",") if label.strip()]


def examples_from_text(text: str, *, n: int, split: str, seed: int) -> "ExampleSet":
    """A set made on the spot, by name, or a directory of examples, at most `n`; `DIRECTORY:SPLIT` if it has splits.

    Raises:
        ExampleError: The directory is missing, empty or malformed.
    """
    from causalablate.examples import EXAMPLE_SETS, folder

    if text in EXAMPLE_SETS and text != "folder":
        return EXAMPLE_SETS[text](n, split=split, seed=seed)
    directory, _, part = text.rpartition(":")
    if directory and not Path(text).exists():
        return folder(Path(directory), split=part, limit=n)
    return folder(Path(text), limit=n)
