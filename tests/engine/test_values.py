"""Arguments and results taken apart and put together again, and what counts as equal."""

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import pytest
import torch
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutput

from causalablate.engine.values import OpaqueError, bits, flatten, map_tensors, memory_of, rebuild, same_bits


class Named(NamedTuple):
    x: torch.Tensor
    factor: float


class Colour(Enum):
    RED = 1


@dataclass
class Package:
    x: torch.Tensor
    options: dict


@dataclass(slots=True)
class Slots:
    x: torch.Tensor


@dataclass(frozen=True)
class Frozen:
    x: torch.Tensor
    name: str = "n"


class Fussy(list):
    def __init__(self, items, owner):
        super().__init__(items)
        self.owner = owner


X, Y = torch.arange(6.0).reshape(2, 3), torch.arange(2.0)


@pytest.mark.parametrize(
    ("x", "y", "equal"),
    [
        (0.0, -0.0, False),
        (float("nan"), float("nan"), True),
        (1.0, 1.0 + 2**-23, False),
        (complex(0.0, 0.0), complex(0.0, -0.0), False),
        (complex(1.0, float("nan")), complex(1.0, float("nan")), True),
        (True, True, True),
        (3, 4, False),
    ],
)
def test_equal_means_every_bit(x, y, equal):
    x, y = torch.tensor([1, x]), torch.tensor([1, y])
    assert same_bits(x, y) is equal
    assert torch.equal(bits(x), bits(y)) is equal


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16, torch.float8_e4m3fn])
def test_bits_of_every_float_type(dtype):
    x = torch.tensor([1.5, -0.0]).to(dtype)
    assert same_bits(x, x.clone()) and not same_bits(x, x.clone().float().abs().to(dtype))


def test_equal_whatever_the_layout_in_memory():
    x = torch.randn(3, 4)
    assert same_bits(x.t().contiguous(), x.t())
    z = torch.randn(2, 2, dtype=torch.complex64)
    assert z.conj().imag.is_neg() and same_bits(z.conj().imag, -z.imag)


@pytest.mark.parametrize("other", [X.double(), X[:1], X.to("meta"), X.to_sparse()])
def test_what_cannot_be_compared_is_unequal(other):
    assert not same_bits(X, other) and not same_bits(other, X)
    assert same_bits(other, other)


@pytest.mark.parametrize(
    "value",
    [
        X,
        (X, [Y, None], {"k": (X, 2)}),
        Named(X, 0.5),
        OrderedDict(b=X, a=Y),
        Package(X, {"deep": [Y]}),
        Slots(X),
        Frozen(X),
        BaseModelOutput(last_hidden_state=X, hidden_states=(X, Y)),
        torch.Size([2, 3]),
        (None, True, 1, 1.5, "text", b"bytes", torch.float16, torch.device("cpu"), Colour.RED, slice(1, 2), range(3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_rebuilding_gives_the_same_value_in_new_containers(value):
    tensors, skeleton = flatten(value)
    again = rebuild(skeleton, [t.clone() for t in tensors])
    found, form = flatten(again)
    assert type(again) is type(value) and form == skeleton
    assert all(map(same_bits, found, tensors)) and len(found) == len(tensors)
    if isinstance(value, list | dict):
        again.clear()
        assert flatten(value)[1] == skeleton


def test_transformers_outputs_come_back_with_their_attributes():
    output = rebuild(flatten(BaseModelOutput(last_hidden_state=X))[1], [Y])
    assert output.last_hidden_state is Y and output[0] is Y and output.hidden_states is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ((X,), [X]),
        ((X, Y), (X, (Y,))),
        ({"a": X}, {"b": X}),
        (Slots(X), (X,)),
        (Frozen(X), Frozen(X, "m")),
        (None, ()),
        (torch.float16, "torch.float16"),
    ],
    ids=str,
)
def test_values_built_differently_have_different_skeletons(one, other):
    assert flatten(one)[1] != flatten(other)[1]
    assert flatten(one)[1] == flatten(one)[1]


def _with_an_attribute_of_its_own():
    package = Package(X, {})
    package.more = 1
    return package


def _without_a_field():
    return object.__new__(Package)


@pytest.mark.parametrize(
    "make",
    [
        object,
        lambda: iter([X]),
        lambda: lambda: X,
        lambda: torch.nested.nested_tensor([X[0], X[1]], layout=torch.jagged),
        DynamicCache,
        lambda: defaultdict(list, a=[X]),
        lambda: Fussy([X], None),
        lambda: [X, {"deep": object()}],
        _with_an_attribute_of_its_own,
        _without_a_field,
    ],
)
def test_what_has_a_life_of_its_own_is_opaque(make):
    with pytest.raises(OpaqueError):
        flatten(make())


def test_changing_tensors_leaves_everything_else_as_it_is():
    thing = object()
    counted = defaultdict(list, a=[X])
    value = [thing, counted, Package(X, {"y": Y}), Named(X, 2.0), BaseModelOutput(last_hidden_state=X), Slots(X)]
    changed = map_tensors(value, lambda t: t + 1)
    assert changed[0] is thing
    assert changed[1].default_factory is list and torch.equal(changed[1]["a"][0], X + 1) and counted["a"][0] is X
    assert torch.equal(changed[2].options["y"], Y + 1) and value[2].options["y"] is Y
    assert changed[3].factor == 2.0 and torch.equal(changed[3].x, X + 1)
    assert torch.equal(changed[4].last_hidden_state, X + 1) and torch.equal(changed[5].x, X + 1)


def test_views_share_memory():
    assert memory_of(X) == memory_of(X[:1]) == memory_of(X.t()) != memory_of(X.clone())
    assert memory_of(torch.empty(0)) != memory_of(torch.empty(0))
    sparse = X.to_sparse()
    assert memory_of(sparse) == memory_of(sparse) != memory_of(X)
