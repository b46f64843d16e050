import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from causalablate.foveated.allocator import Allocator, Relevance, water_fill
from causalablate.foveated.sizes import small_config


def by_bisection(share, total, ceiling):
    low, high = 0.0, 1e15
    for _ in range(200):
        middle = (low + high) / 2
        if (middle * share).clamp(max=ceiling).sum() < total:
            low = middle
        else:
            high = middle
    return (high * share).clamp(max=ceiling)


@given(st.integers(0, 10_000), st.floats(0.01, 0.95))
def test_water_fill_spends_exactly_the_total_in_proportion(seed, load):
    weights = torch.randn(1, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3
    share, ceiling = weights.softmax(-1), 300.0
    total = load * 12 * ceiling
    filled = water_fill(share, total, ceiling)
    assert filled.max() <= ceiling
    torch.testing.assert_close(filled.sum(), torch.tensor(total, dtype=torch.float64))
    torch.testing.assert_close(filled[0], by_bisection(share[0], total, ceiling), rtol=1e-6, atol=1e-6)


def test_budgets_stay_in_range_and_spend_the_mean():
    torch.manual_seed(0)
    allocator = Allocator(small_config(["a"]))
    for scale in (0.0, 1.0, 20.0):
        budgets = allocator(scale * torch.randn(6, 16), torch.rand(6, 1))
        assert budgets.min() >= 64 and budgets.max() <= 400 + 1e-3
        torch.testing.assert_close(budgets.mean(-1), torch.full((6,), 100.0))


def test_focus_concentrates_and_relevance_decides_where():
    allocator = Allocator(small_config(["a"]))
    relevance = torch.zeros(1, 16)
    relevance[0, 6] = 0.5
    focused, diverse = allocator(relevance, torch.ones(1, 1)), allocator(relevance, torch.zeros(1, 1))
    assert focused.argmax() == 6
    assert focused[0, 6] > diverse[0, 6]


def test_gates_trade_the_scores():
    relevance = Relevance()
    content, salience, coupling = torch.eye(3)
    inputs = (content[None], salience[None], coupling[None])
    one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    torch.testing.assert_close(relevance(*inputs, one, one), torch.tensor([[2.0, 1.0, 0.0]]))
    torch.testing.assert_close(relevance(*inputs, zero, one), torch.tensor([[0.0, 1.0, 2.0]]))
    torch.testing.assert_close(relevance(*inputs, one, zero), torch.tensor([[3.0, 0.0, 1.0]]))


@pytest.mark.parametrize("scale", [0.1, 5.0])
def test_gradient_reaches_relevance(scale):
    allocator = Allocator(small_config(["a"]))
    relevance = (scale * torch.randn(2, 16, generator=torch.Generator().manual_seed(0))).requires_grad_()
    allocator(relevance, torch.full((2, 1), 0.5))[:, 3].sum().backward()
    assert torch.isfinite(relevance.grad).all() and relevance.grad.abs().sum() > 0
