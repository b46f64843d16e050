"""Copies that are not made until somebody computes with them, and are never told apart from real ones."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from causalablate.engine.repeated import Repeated, plain

BASE = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(0))
OTHER = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(1))
ROWS = torch.randn(6, 4, 6, generator=torch.Generator().manual_seed(2))
FULL = BASE.repeat(3, 1, 1)


@pytest.fixture(params=["grad", "no_grad", "inference_mode"])
def mode(request):
    contexts = {"grad": torch.enable_grad, "no_grad": torch.no_grad, "inference_mode": torch.inference_mode}
    with contexts[request.param]():
        yield


@pytest.fixture
def x():
    return Repeated(BASE, 3)


def lazy(x):
    """Whether the copies have not been made."""
    return isinstance(x, Repeated) and x._full is None


def test_shape_and_type_are_known_without_the_copies(x):
    assert (x.shape, x.size(), x.size(0), len(x), x.ndim, x.dim(), x.numel()) == ((6, 4, 6), (6, 4, 6), 6, 6, 3, 3, 144)
    assert x.dtype == torch.float32 and x.device == BASE.device and x.layout == torch.strided
    assert x.is_floating_point() and torch.is_tensor(x) and not x.is_complex()
    assert not (x.is_nested or x.is_quantized or x.is_sparse or x.requires_grad)
    assert isinstance(x, torch.Tensor) and repr(x) == "Repeated((2, 4, 6) x 3)"
    assert lazy(x)


@pytest.mark.parametrize(
    "index",
    [
        slice(None),
        (slice(None), 0),
        (slice(None), slice(1, 3), -1),
        (slice(None), None),
        (Ellipsis, 2),
        (..., 0, slice(None)),
        (..., None),
    ],
    ids=str,
)
def test_indices_that_keep_the_rows_act_on_the_base(mode, x, index):
    part = x[index]
    assert lazy(part) and lazy(x)
    assert part.shape == FULL[index].shape and torch.equal(part, FULL[index])


@pytest.mark.parametrize(
    "index",
    [
        0,
        slice(1, 5),
        [0, 3],
        (Ellipsis, 0, 0, 0),
        None,
        np.array([2, 0]),
        torch.tensor([5, 1]),
        (slice(None), [0, 1]),
        FULL > 0,
        (slice(None), torch.arange(4) > 1),
    ],
    ids=lambda i: str(type(i).__name__),
)
def test_other_indices_give_what_they_give_of_the_copies(mode, x, index):
    assert torch.equal(plain(x[index]), FULL[index])


@pytest.mark.parametrize(
    ("compute", "on_base"),
    [
        (lambda x, y: x + y, True),
        (lambda x, y: x - 2 * y, True),
        (lambda x, y: 1 - x / 3, True),
        (lambda x, y: torch.add(x, y, alpha=2), True),
        (lambda x, y: x * torch.tensor(2.0), True),
        (lambda x, y: x + torch.ones(1, 4, 6), True),
        (lambda x, y: torch.ones(6) * x, True),
        (lambda x, y: (x > y) == (y < x), True),
        (lambda x, y: -x.double(), True),
        (lambda x, y: x.to(torch.bfloat16).float(), True),
        (lambda x, y: x.type_as(y.double()), True),
        (lambda x, y: x.detach().contiguous().clone(), True),
        (lambda x, y: x + ROWS, False),
        (lambda x, y: ROWS * y, False),
        (lambda x, y: x[:, :1, 0] * torch.ones(6, 1), False),
        (lambda x, y: x + torch.ones(1, 1, 1, 1), False),
        (lambda x, y: torch.cat([x, ROWS, y]), False),
        (lambda x, y: torch.stack([x, y], dim=1), False),
        (lambda x, y: torch.where(x > 0, x, ROWS), False),
        (lambda x, y: x @ y.transpose(1, 2), False),
        (lambda x, y: x.mean(0), False),
        (lambda x, y: x.reshape(len(x), -1).softmax(-1), False),
        (lambda x, y: torch.einsum("nld,nmd->nlm", x, y), False),
    ],
)
def test_arithmetic(mode, compute, on_base):
    x, y = Repeated(BASE, 3), Repeated(OTHER, 3)
    found, expected = compute(x, y), compute(FULL, OTHER.repeat(3, 1, 1))
    assert found.shape == expected.shape and found.dtype == expected.dtype
    assert isinstance(found, Repeated) is on_base and (lazy(x) or not on_base)
    assert torch.equal(plain(found), expected)


def test_of_a_second_argument_only_the_type_is_taken(x):
    weight = torch.ones(6, dtype=torch.float64)
    for cast in (weight.type_as(x), weight.to(x)):
        assert type(cast) is torch.Tensor and cast.shape == (6,) and cast.dtype == torch.float32
    assert torch.equal(x * weight.type_as(x), FULL) and lazy(x)


def test_another_number_of_copies_or_rows_is_an_error_as_for_tensors(x):
    with pytest.raises(RuntimeError, match="must match"):
        x + Repeated(BASE, 2)
    with pytest.raises(RuntimeError, match="must match"):
        x + Repeated(BASE[:1], 3)
    assert torch.equal(x + Repeated(BASE[:1], 6), FULL + BASE[:1])


def test_odd_comparisons(x):
    assert (x == None) is False  # noqa: E711 (models do)
    with pytest.raises(TypeError):
        x + "text"


@pytest.mark.parametrize("name", ["linear", "norm", "conv", "sdpa", "attention", "embedding", "gelu", "keyword"])
def test_modules_and_kernels(mode, name):
    torch.manual_seed(0)
    x, ids = Repeated(BASE, 3), torch.tensor([[1, 2], [3, 0]])
    modules = {
        "linear": nn.Linear(6, 5),
        "norm": nn.LayerNorm(6),
        "conv": nn.Conv1d(4, 3, 3),
        "sdpa": lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
        "attention": lambda x: nn.MultiheadAttention(6, 2, batch_first=True).eval()(x, x, x)[0].shape,
        "embedding": nn.Embedding(4, 3),
        "gelu": nn.Sequential(nn.Linear(6, 6), nn.GELU()),
        "keyword": lambda x: F.linear(input=x, weight=torch.eye(6)),
    }
    x, full = (Repeated(ids, 3), ids.repeat(3, 1)) if name == "embedding" else (x, FULL)
    found, expected = modules[name](x), modules[name](full)
    assert type(found) is type(expected)
    assert found == expected if name == "attention" else torch.equal(found, expected)


def test_the_copies_are_made_once(x):
    assert x.contiguous() is x and x.to(torch.float32) is x
    assert x.full() is x.full() and torch.equal(x.full(), FULL)
    assert x.fresh() is not x.fresh() and not x.edited


@pytest.mark.parametrize(
    "edit",
    [
        lambda x: x.add_(1.0),
        lambda x: x.__setitem__((slice(None), 0), 7.0),
        lambda x: x[:, 0].mul_(2.0),
        lambda x: x[:, 1:][:, :, 0].zero_(),
        lambda x: x.view(6, -1)[0].fill_(3.0),
        lambda x: x.detach().neg_(),
        lambda x: x.contiguous().to(torch.float32).add_(2.0),
        lambda x: torch.relu_(x),
        lambda x: F.relu(x, inplace=True),
        lambda x: torch.add(ROWS, 1.0, out=x),
        lambda x: torch.mul(x, 2.0, out=x),
        lambda x: x[0].sub_(5.0),
    ],
)
def test_edits_in_place_are_seen_by_all_who_share_the_memory(mode, edit):
    x, full, before = Repeated(BASE, 3), FULL.clone(), BASE.clone()
    row, expected_row = x[:, 0], full[:, 0]
    edit(x)
    edit(full)
    assert x.edited and row.edited
    for found, expected in ((x, full), (row, expected_row), (x + 1, full + 1), (x[:, 1], full[:, 1])):
        assert torch.equal(plain(found), expected)
    assert torch.equal(BASE, before)


def test_what_was_computed_before_an_edit_stays_as_it_was(x):
    clone, double, summed = x.clone(), x * 2, x + x
    x.zero_()
    assert all(torch.equal(plain(found), n * FULL) for n, found in ((1, clone), (2, double), (2, summed)))
    clone[:, 0].add_(1.0)
    assert clone.edited and not double.edited and torch.equal(plain(clone)[:, 0], FULL[:, 0] + 1)


def test_a_view_taken_and_written_to_before_its_source_is_used(x):
    row = x[:, 2]
    row.copy_(torch.ones(6, 6))
    assert torch.equal(plain(x)[:, 2], torch.ones(6, 6)) and torch.equal(plain(x)[:, :2], FULL[:, :2])
