from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from causalablate.declarative import canonical_json, content_hash, dumps, loads


class Config(BaseModel, frozen=True):
    name: str = "x"
    rate: float = 1.0
    names: dict[str, int] = {}


def test_equal_models_have_one_hash_whatever_the_order_of_keys():
    a, b = Config(names={"a": 1, "b": 2}), Config(names={"b": 2, "a": 1})
    assert content_hash(a) == content_hash(b)
    assert len(content_hash(a)) == 64


def test_any_change_changes_the_hash():
    hashes = {content_hash(Config(**change)) for change in ({}, {"name": "y"}, {"rate": 2.0}, {"names": {"a": 1}})}
    assert len(hashes) == 4


def test_canonical_json_is_sorted_and_compact():
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == '{"a":"é","b":[1,2.5]}'


def test_nan_has_no_canonical_text():
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"a": float("nan")})


@pytest.mark.parametrize(
    "text", ["1e-4", "no", "null", "0x1", "", "a: b", "# c", " x", "'", "line\nbreak", "1_0", "🙂"]
)
def test_dumps_and_loads_round_trip(text):
    original = Config(name=text, rate=1e-05, names={text: 1})
    assert loads(dumps(original), Config) == original


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
data = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


class Anything(BaseModel, frozen=True):
    x: Any


@given(data)
def test_whatever_dumps_writes_is_read_back_as_the_same_value(original):
    assert repr(loads(dumps(Anything(x=original)), Anything).x) == repr(original)
