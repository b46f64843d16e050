from types import SimpleNamespace

import numpy as np
import pytest
import torch

from causalablate.component import Component, Site
from causalablate.errors import LesionError
from causalablate.offs import OFFS, Mean, Noise, Replace, Uniform, Value, off


@pytest.mark.parametrize("kind", sorted(set(OFFS) - {"value", "replace"}))
def test_every_kind_is_made_by_its_name_and_names_itself(kind):
    assert off(kind).kind == kind
    assert off(kind).to_json() == kind
    assert off(off(kind)) == off(kind)
    assert off(off(kind).to_json()) == off(kind)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("maen", "did you mean mean"),
        ({"kind": "noise", "sd": 1}, 'no parameter "sd".*it takes std'),
        ({"kind": "zero", "std": 1}, "takes none"),
        ({"kind": "noise", "std": "3"}, "must be a number"),
        ({"kind": "noise", "std": -1}, "at least 0"),
        ({"kind": "noise", "std": float("nan")}, "finite"),
        ({"kind": "scale", "factor": float("inf")}, "finite"),
        ({"kind": "mean", "axes": "batch"}, "use examples or positions"),
        ({"kind": "value", "value": [[1.0], [2.0, 3.0]]}, "rectangular"),
        ({"kind": "value", "value": float("nan")}, "NaN"),
        ({"kind": "value"}, "give value"),
        ({"std": 1}, 'no off "None"'),
    ],
)
def test_bad_specs_say_what_is_wrong(spec, message):
    with pytest.raises(LesionError, match=message):
        off(spec)


def test_values_are_hashable_and_compare_by_content():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert Value.of(array) == Value.of(torch.from_numpy(array))
    assert len({Value.of(array), Value.of(array.copy()), Value.of(array.T)}) == 2
    assert off(Value.of(array).to_json()) == Value.of(array)
    assert off(Value.of(1.0, 2.0).to_json()) == Value.of(1.0, 2.0)


def test_names_tell_parameters():
    assert str(Noise(3.0)) == "noise(std=3.0)"
    assert str(Noise()) == "noise"
    assert str(Value.of(0.5)) == "value(0.5)"


def test_replace_takes_exactly_one_stand_in():
    with pytest.raises(LesionError, match="exactly one"):
        Replace()
    with pytest.raises(LesionError, match="exactly one"):
        Replace("a", torch.nn.Identity())


@pytest.mark.parametrize("rows", [1, 3])
def test_a_model_may_write_into_the_mean_it_is_given(rows):
    """The mean is computed once and shared, so what a model does in place must not reach it."""
    mean = torch.tensor([[1.0, -1.0]])
    context = SimpleNamespace(reference_mean=lambda axes: mean)
    given = Mean().apply(torch.zeros(rows, 2), context)
    assert torch.equal(given, mean.expand(rows, 2))
    given.relu_()
    assert mean.tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("how", [Value.of([1.0, -1.0]), Uniform(), Replace("other")], ids=str)
def test_a_model_may_write_into_whatever_it_is_given(how, rows):
    x, other = torch.full((rows, 2), 2.0), torch.full((rows, 2), -1.0)
    context = SimpleNamespace(call=0, output_of=lambda address: other, component=None)
    given = how.apply(x, context)
    expected = given.clone()
    given.mul_(5.0)
    assert torch.equal(given, expected * 5)
    assert (x == 2.0).all() and (other == -1.0).all()
    assert torch.equal(how.apply(x, context), expected)


def test_a_mean_over_positions_holds_for_any_length_and_one_over_examples_for_its_own():
    mean = torch.tensor([[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]])
    context = SimpleNamespace(component=SimpleNamespace(address="lm"), reference_mean=lambda axes: mean)
    x = torch.zeros(2, 1, 2)
    assert torch.equal(Mean("positions").apply(x, context), torch.tensor([[[1.0, 2.0]], [[1.0, 2.0]]]))
    with pytest.raises(LesionError, match="axes: positions"):
        Mean().apply(x, context)
    assert torch.equal(Mean().apply(x.expand(2, 3, 2), context), mean.expand(2, 3, 2))


@pytest.mark.parametrize("part", [{"span": (0, 2)}, {"positions": (0, 1)}, {"at": "delta"}])
def test_a_module_does_not_stand_in_for_a_part(part):
    component = Component("a", "other", (Site("m", **part),))
    assert "whole" in Replace(module=torch.nn.Identity()).refuses(component)
    assert Replace(module=torch.nn.Identity()).refuses(Component("a", "other", (Site("m"),))) is None
