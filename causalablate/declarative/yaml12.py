"""YAML with the scalars of the YAML 1.2 core schema, plain data only, and the place of every value.

PyYAML follows YAML 1.1, where `no` is false, `1e-4` is text and a repeated key silently wins. Here `no` and `on`
are text, `1e-4` is a number, a repeated key is a problem, and depth, aliases and size are bounded, so that a
hostile file costs no more than its length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_DEPTH = 32
MAX_ALIASES = 100
MAX_VALUES = 100_000

Path = tuple[str | int, ...]
Place = tuple[int, int]  # line and column, both from 1

_TAG = "tag:yaml.org,2002:"
_SCALARS: dict[str, tuple[str, list[str]]] = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}


@dataclass(frozen=True)
class Problem:
    """Something wrong in a file: where, and what."""

    place: Place
    path: Path
    message: str


@dataclass
class Document:
    """A parsed file: its data, and the places of its keys and values by path."""

    data: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, place: Place, path: Path, message: str) -> None:
        """Record a problem."""
        self.problems.append(Problem(place, path, message))


class _TooMuchError(Exception):
    def __init__(self, place: Place, message: str):
        super().__init__(message)
        self.place = place


class CoreLoader(yaml.SafeLoader):
    """Composes nodes with core-schema tags, within the limits on depth and aliases."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012  # PyYAML's own class attribute
    _depth = 0
    _aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one node, counting how deep it lies."""
        place = _place(self.peek_event().start_mark)
        if self.check_event(yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise _TooMuchError(place, f"more than {MAX_ALIASES} aliases (*name); write the values out")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooMuchError(place, f"nested more than {MAX_DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class CoreDumper(yaml.SafeDumper):
    """Writes YAML that `CoreLoader` reads back as the same values."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012  # PyYAML's own class attribute

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value out: a person reads the file."""
        return True


for _name, (_pattern, _first) in _SCALARS.items():
    for _class in (CoreLoader, CoreDumper):
        _class.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})\Z"), _first)


def parse(text: str) -> Document:
    """Parse one YAML document into plain data; whatever is wrong with it is in `problems`."""
    document = Document()
    try:
        loader = CoreLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        if node is not None:
            document.data = _Builder(document).build(node, (), 0)
    except _TooMuchError as error:
        document.add(error.place, (), str(error))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = "; ".join(part for part in (error.context, error.problem) if part)
        document.add(_place(mark) if mark else (1, 1), (), f"not valid YAML: {message}")
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, error.position - before.rfind("\n"))
        document.add(place, (), f"not valid YAML: the character {chr(error.character)!r} is not allowed")
    return document


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1


class _Builder:
    def __init__(self, document: Document):
        self.document = document
        self.count = 0

    def build(self, node: yaml.Node, path: Path, depth: int) -> Any:
        place = _place(node.start_mark)
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:  # aliases can multiply or contain themselves
            raise _TooMuchError(place, f"aliases expand to more than {MAX_VALUES} values or {MAX_DEPTH} levels")
        self.document.values[path] = place
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        kind = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if node.tag != _TAG + kind:
            self.document.add(place, path, f'the tag "{node.tag}" is not allowed; write plain YAML')
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, i), depth + 1) for i, child in enumerate(node.value)]
        return dict(self._items(node, path, depth))

    def _items(self, node: yaml.Node, path: Path, depth: int) -> Iterator[tuple[Any, Any]]:
        seen: dict[Any, Place] = {}
        for key_node, value_node in node.value:
            place = _place(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self.document.add(place, path, "a key must be a word, not a list or a mapping")
                continue
            key = self._scalar(key_node, path)
            if key in seen:
                line, column = seen[key]
                self.document.add(place, (*path, key), f'the key "{key}" is already given at {line}:{column}')
                continue
            seen[key] = self.document.keys[(*path, key)] = place
            yield key, self.build(value_node, (*path, key), depth + 1)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        try:
            return scalar(node.tag, node.value)
        except ValueError as error:
            self.document.add(_place(node.start_mark), path, str(error))
            return None


def scalar(tag: str, text: str) -> Any:
    """Value of a scalar with a core-schema tag.

    Raises:
        ValueError: The tag is not of the core schema, or the text does not match it.
    """
    name = tag.removeprefix(_TAG)
    if name == "str":
        return text
    if name not in _SCALARS or name == tag:
        raise ValueError(f'the tag "{tag}" is not allowed; write plain YAML')
    if not re.fullmatch(_SCALARS[name][0], text):
        raise ValueError(f'"{text}" is not a {name}')
    if name == "null":
        return None
    if name == "bool":
        return text.lower() == "true"
    if name == "int":
        if len(text) > 100:
            raise ValueError(f"a number of {len(text)} digits is too long")
        return int(text, 0) if text.startswith("0") and text[1:2] in ("o", "x") else int(text)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
