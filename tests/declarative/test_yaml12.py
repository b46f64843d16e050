import math
import time

import pytest

from causalablate.declarative.yaml12 import MAX_ALIASES, MAX_DEPTH, parse


def value(text):
    document = parse(f"x: {text}")
    assert document.problems == []
    return document.data["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-4", 1e-4),
        ("1E4", 1e4),
        ("+.5", 0.5),
        ("5.", 5.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0o10", 8),
        ("0xff", 255),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("2024-01-01", "2024-01-01"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("'1e-4'", "1e-4"),
        ("!!str 5", "5"),
    ],
)
def test_scalars_follow_the_core_schema(text, expected):
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_nan_is_a_number():
    assert math.isnan(value(".nan"))


def test_places_of_keys_and_values_count_from_one():
    document = parse("a: 1\nb:\n  - c: 2\n")
    assert document.keys[("b", 0, "c")] == (3, 5)
    assert document.values[("b", 0, "c")] == (3, 8)
    assert document.values[("a",)] == (1, 4)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\nb: 2\na: 3", (3, 1), 'the key "a" is already given at 1:1'),
        ("a: !!python/object/apply:os.system [x]", (1, 4), "is not allowed"),
        ("a: !!int x", (1, 4), "is not a int"),
        ("a: " + "9" * 5000, (1, 4), "5000 digits"),
        ("? [1]\n: 2", (1, 3), "a key must be a word"),
        ("a: [1", (1, 6), "not valid YAML"),
        ("a: 1\n---\nb: 2", (2, 1), "not valid YAML"),
        ("ok: 1\nb: \x07", (2, 4), r"the character '\x07' is not allowed"),
        ("a: *b", (1, 4), "undefined alias"),
        ("[" * 50_000, (1, MAX_DEPTH + 1), "nested more than"),
        ("a: &a [*a]", (1, 4), "aliases expand"),
        ("a: &a 1\nb: [" + "*a," * (MAX_ALIASES + 1) + "]", (2, 5 + 3 * MAX_ALIASES), "aliases"),
    ],
)
def test_problems_name_their_place(text, place, message):
    (problem,) = parse(text).problems
    assert message in problem.message
    assert problem.place[0] == place[0]
    assert abs(problem.place[1] - place[1]) <= 1


def test_aliases_that_multiply_stay_cheap():
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 11)
    )
    start = time.perf_counter()
    problems = parse(laughs).problems
    assert "aliases expand" in problems[-1].message
    assert time.perf_counter() - start < 5


def test_ordinary_aliases_work():
    assert parse("a: &x {k: 1}\nb: *x").data == {"a": {"k": 1}, "b": {"k": 1}}


def test_the_first_of_two_equal_keys_is_kept():
    assert parse("a: 1\na: 2").data == {"a": 1}
