from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from causalablate.declarative import loads
from causalablate.errors import StudyError


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Circle(Strict):
    kind: Literal["circle"] = "circle"
    radius: float = Field(gt=0)


class Constant(Strict):
    kind: Literal["value"]
    value: float


class Entry(Strict):
    colour: Literal["red", "green"]
    where: str | tuple[str, ...] = ()
    many: tuple[float, ...] = Field(default=(1.0,), min_length=1)


class Drawing(Strict):
    name: str
    shape: Annotated[Circle | Constant, Field(discriminator="kind")] = Circle(radius=1)
    entries: tuple[Entry, ...] = ()
    extra: dict[str, Circle] = Field(default_factory=dict)
    n: int | None = None

    @model_validator(mode="after")
    def _not_seven(self):
        if self.n == 7:
            raise ValueError("seven is unlucky; choose another n")
        return self


def errors(text):
    with pytest.raises(StudyError) as caught:
        loads(text, Drawing, "d.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "nam: x",
            'd.yaml:1:1: nam: unknown key "nam" (did you mean name, n?); known keys: name, shape, entries, extra, n',
        ),
        ("name: 3", "d.yaml:1:7: name: expected a string, got 3"),
        ("name: x\nn: abc", 'd.yaml:2:4: n: expected an integer, got "abc"'),
        ("name:", "d.yaml:1:6: name: expected a string, got nothing"),
        (
            "name: x\nentries: [{colour: rad}]",
            'entries[0].colour: expected one of red, green, got "rad" (did you mean red?)',
        ),
        (
            "name: x\nentries:\n- where: 3\n  colour: red",
            "d.yaml:3:10: entries[0].where: expected a string or a list, got 3",
        ),
        ("name: x\nentries:\n- {}", "d.yaml:3:3: entries[0].colour: this key is missing"),
        ("name: x\nentries: red", 'd.yaml:2:10: entries: expected a list, got "red"'),
        ("name: x\nentries: [red]", 'entries[0]: expected a mapping with keys among colour, where, many, got "red"'),
        ("name: x\nshape: {kind: circel}", 'd.yaml:2:15: shape.kind: expected one of circle, value, got "circel" (did'),
        ("name: x\nshape: {radius: 1}", "shape.kind: this key is missing"),
        ("name: x\nshape: {kind: circle, radius: -1}", "shape.radius: expected a value greater than 0, got -1"),
        (
            "name: x\nshape: {kind: circle, radios: 1, radius: 1}",
            'shape.radios: unknown key "radios" (did you mean radius?)',
        ),
        ("name: x\nshape: {kind: value, value: a}", 'd.yaml:2:29: shape.value: expected a number, got "a"'),
        (
            "name: x\nshape: {kind: value, value: 1, valve: 2}",
            'd.yaml:2:32: shape.valve: unknown key "valve" (did you mean',
        ),
        ("name: x\nextra: {a: {radius: 1, rad: 2}}", 'extra.a.rad: unknown key "rad" (did you mean radius?)'),
        ("name: x\nextra: {circle: {radius: x}}", 'extra.circle.radius: expected a number, got "x"'),
        ("name: x\nentries: [{colour: red, many: []}]", "d.yaml:2:31: entries[0].many: give at least 1, not 0"),
        ("name: x\nn: 7", "d.yaml:1:1: seven is unlucky; choose another n"),
        ("- 1", "d.yaml:1:1: expected a mapping with keys among name, shape, entries, extra, n, got a list"),
    ],
)
def test_one_error_says_where_and_what(text, message):
    assert any(message in line for line in errors(text)), errors(text)


def test_all_errors_come_at_once_in_file_order():
    found = errors("nam: x\nn: a\nn: 2\nentries:\n- colour: rad\n- colour: red\n  were: here\n")
    assert [line.split(": ")[0] for line in found] == [
        f"d.yaml:{place}" for place in ("1:1", "1:1", "2:4", "3:1", "5:11", "7:3")
    ]


def test_a_missing_union_tag_and_its_default_agree():
    with pytest.raises(StudyError, match=r"shape\.kind: this key is missing"):
        loads("name: x\nshape: {}", Drawing)


def test_a_list_of_wrong_items_is_not_also_too_short():
    assert len(errors("name: x\nentries: [{colour: red, many: [a, b]}]")) == 2


def test_a_long_wrong_value_is_shortened():
    (line,) = errors("name: x\nn: " + "a" * 500)
    assert len(line) < 120
    assert line.endswith("...")
