import math

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


def test_temperature_multiplies_both_temperatures():
    relevance, focus = torch.randn(4, 16), torch.rand(4, 1)
    shifted, configured = Allocator(small_config(["a"])), Allocator(small_config(["a"], allocation_temperature=0.3))
    with torch.no_grad():
        shifted.log_temperature += math.log(0.3)
    torch.testing.assert_close(configured(relevance, focus), shifted(relevance, focus), rtol=1e-4, atol=1e-2)
    assert configured(relevance, focus).std() > Allocator(small_config(["a"]))(relevance, focus).std()


@pytest.mark.parametrize("k", [2, 5, 16])
def test_top_k_gives_tokens_to_the_most_relevant_only_and_spends_the_mean(k):
    relevance, focus = torch.randn(6, 16, generator=torch.Generator().manual_seed(0)), torch.linspace(0, 1, 6)[:, None]
    budgets = Allocator(small_config(["a"], allocation_top_k=k))(relevance, focus)
    extra, chosen = budgets - 64, relevance.topk(k).indices
    assert ((extra > 0).sum(-1) == k).all() and (extra.gather(-1, chosen) > 0).all()
    torch.testing.assert_close(budgets.mean(-1), torch.full((6,), 100.0))
    assert budgets.max() <= 400 + 1e-3
    if k == 16:
        torch.testing.assert_close(budgets, Allocator(small_config(["a"]))(relevance, focus))


def test_where_relevance_ties_the_first_are_chosen():
    budgets = Allocator(small_config(["a"], allocation_top_k=3))(torch.zeros(2, 16), torch.ones(2, 1))
    assert ((budgets > 64) == (torch.arange(16) < 3)).all()


def test_the_gradient_of_top_k_flows_through_the_chosen():
    allocator = Allocator(small_config(["a"], allocation_top_k=4))
    relevance = (0.1 * torch.randn(2, 16, generator=torch.Generator().manual_seed(1))).requires_grad_()
    chosen = torch.zeros(2, 16, dtype=torch.bool).scatter(-1, relevance.topk(4).indices, value=True)
    (allocator(relevance, torch.ones(2, 1)) * torch.arange(16.0)).sum().backward()
    assert torch.isfinite(relevance.grad).all() and (relevance.grad[chosen] != 0).all()
    assert (relevance.grad[~chosen] == 0).all()
