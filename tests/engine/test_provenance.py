import copy

import numpy as np
import pytest
import torch

from causalablate.engine.provenance import Provenance


@torch.library.custom_op("causalablate_tests::add_into", mutates_args={"y"})
def add_into(y: torch.Tensor, x: torch.Tensor) -> None:
    y.add_(x)


def written_by_numpy(a, x):
    x.numpy()[:] = a.numpy()
    return x + 0


def foreach(a, x):
    torch._foreach_add_([x], [a])
    return x


def custom(a, x):
    add_into(x, a)
    return x


def other_data(a, x):
    x.data = a
    return x


WAYS = {
    "arithmetic": lambda a, x: x + a,
    "a view": lambda a, x: a[:1].T,
    "into a part": lambda a, x: torch.cat((x, x)).index_add_(0, torch.tensor([2, 3]), a),
    "an argument for results": lambda a, x: torch.add(x, a, out=x),
    "several at once in place": foreach,
    "an operation of one's own in place": custom,
    "other data": other_data,
    "a copy of the object": lambda a, x: copy.deepcopy(a),
    "a tensor of numbers": lambda a, x: torch.tensor([a[0, 0], a[0, 1]]),
    "the same as a tensor": lambda a, x: torch.as_tensor([a[0, 0], 1.0]),
    "a sparse tensor": lambda a, x: torch.sparse.mm(a.to_sparse(), x),
    "numpy": lambda a, x: torch.from_numpy(a.numpy() * 2) + 0,
    "an array": lambda a, x: torch.from_numpy(np.asarray(a) * 2) + 0,
    "memory seen by numpy": written_by_numpy,
    "a list": lambda a, x: x * a.tolist()[0][0],
    "a number": lambda a, x: x * float(a[0, 0]),
    "how many": lambda a, x: x * len(a.nonzero()),
    "how many are chosen": lambda a, x: x * len(a[a > 0]),
    "how many classes there are": lambda a, x: torch.nn.functional.one_hot(a.abs().long()),
    "classes": lambda a, x: torch.nn.functional.one_hot(a.abs().long(), 5),
    "which of two": lambda a, x: x + 1 if a.sum() > 0 else x - 1,
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_is_missed(way):
    a, x = torch.tensor([[1.0, 2.0], [-3.0, 4.0]]), torch.ones(2, 2)
    with torch.no_grad(), Provenance() as found:
        found.note(a, ["a"])
        got = WAYS[way](a, x)
    assert found.sources(got) | found.decided == {"a"}


@pytest.mark.parametrize("made", [lambda a, x: x * 2, lambda a, x: x.T])
def test_nothing_else_is_said_to_go_back(made):
    a, x = torch.ones(2), torch.ones(2, 2)
    with torch.no_grad(), Provenance() as found:
        found.note(a, ["a"])
        (x + a).sum()
        got = made(a, x)
    assert found.sources(got) | found.decided == set()


@pytest.mark.parametrize("made", [lambda a, x: x[a], lambda a, x: torch.nn.functional.one_hot(a, 3)])
def test_choosing_by_number_decides_nothing(made):
    a, x = torch.tensor([1, 0]), torch.ones(2, 2)
    with torch.no_grad(), Provenance() as found:
        found.note(a, ["a"])
        got = made(a, x)
    assert found.sources(got) == {"a"} and not found.decided and not found.looked


def test_looking_at_what_goes_back_to_nobody_is_looking():
    with torch.no_grad(), Provenance() as found:
        bool(torch.ones(2).sum() > 0)
    assert found.looked and not found.decided


def test_what_is_written_into_a_stand_in_would_have_been_written_into_the_other():
    x, b = torch.zeros(2), torch.ones(2)
    with torch.no_grad(), Provenance() as found:
        found.note(b, ["b"])
        first = x.clone()
        found.replaces(first, x, frozenset(["i"]))
        second = first.clone()
        found.replaces(second, first, frozenset(["j"]))
        second.mul_(2)
        assert found.sources(x) == {"i", "j"} and found.sources(first) == {"j"} and not found.sources(second)
        x.add_(b)
        assert {"b"} <= found.sources(first) and {"b"} <= found.sources(second)
