import numpy as np
import pytest
import torch

from causalablate.errors import ExampleError
from causalablate.examples import Example, tensors


def test_entry_i_of_everything_is_example_i():
    x, mask = torch.arange(6.0).reshape(3, 2), np.array([True, False, True])
    data = tensors(
        {"x": x, "mask": mask},
        torch.tensor([2, 0, 1]),
        ids=["a", "b", "c"],
        groups={"half": [0, 0, 1]},
        clusters=torch.tensor([7, 7, 8]),
        name="mine",
    )
    assert (data.name, [e.id for e in data], [e.answer for e in data]) == ("mine", ["a", "b", "c"], ["2", "0", "1"])
    assert [e.cluster for e in data] == ["7", "7", "8"] and data[2].groups == {"half": "1"}
    assert data[1].inputs["x"].tolist() == [2.0, 3.0] and data[1].inputs["mask"] == np.False_
    assert data[1].inputs["x"].dtype == np.float32


def test_a_tuple_is_by_position_and_a_list_holds_one_array_per_example():
    pair = tensors((torch.zeros(2, 3), torch.ones(2, dtype=torch.long)), ["yes", "no"])
    assert list(pair[0].inputs) == ["0", "1"] and pair[1].answer == "no" and pair[1].id == "1"
    ragged = tensors([torch.zeros(3), torch.zeros(1)], [0, 1])
    assert [e.inputs["0"].shape for e in ragged] == [(3,), (1,)]


def test_formats_that_numpy_lacks_become_float32_and_gradients_are_left():
    data = tensors(torch.ones(2, 2, dtype=torch.bfloat16, requires_grad=True), [0, 1])
    assert data[0].inputs["0"].dtype == np.float32


def test_the_hash_covers_names_types_shapes_and_values():
    x = np.arange(4.0).reshape(1, 4)
    variants = [{"x": x}, {"y": x}, {"x": x.astype(np.float32)}, {"x": x.reshape(1, 2, 2)}, {"x": x + 1}]
    hashes = [tensors(inputs, [0]).hash for inputs in variants]
    assert len(set(hashes)) == len(variants)
    assert tensors({"x": x, "y": x}, [0]).hash == tensors({"y": x, "x": x}, [0]).hash


def test_different_lengths_and_nothing_are_refused():
    with pytest.raises(ExampleError, match="input '0' has 2 entries for 3 answers"):
        tensors(torch.zeros(2, 1), [0, 1, 2])
    with pytest.raises(ExampleError, match=r"groups\['g'\] has 1 entries for 2 answers"):
        tensors(torch.zeros(2, 1), [0, 1], groups={"g": [1]})
    with pytest.raises(ExampleError, match="inputs is empty"):
        tensors({}, [0])
    with pytest.raises(ExampleError, match='"a" asks nothing'):
        Example(id="a", answer="1")
