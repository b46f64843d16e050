"""A position-wise module, at the positions that changed."""

import pytest
import torch
from torch import nn

from causalablate.engine.positions import recompute
from causalablate.engine.recording import Call, Kept
from causalablate.engine.repeated import Repeated
from causalablate.engine.values import flatten

N, LENGTH, WIDTH = 2, 6, 4
LINEAR = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh())


@pytest.fixture
def x():
    return torch.randn(N, LENGTH, WIDTH, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def call(x):
    with torch.no_grad():
        output = LINEAR(x)
    form, result = flatten(((x,), {}))[1], flatten(output)[1]
    return Call([Kept(x)], form, [Kept(output)], result, (), {})


class Watched:
    def __init__(self):
        self.seen = []

    @torch.no_grad()
    def __call__(self, x):
        self.seen.append(tuple(x.shape))
        return LINEAR(x)


def copies_of(x, n):
    return x.repeat(n, 1, 1)


@pytest.mark.parametrize("copies", [1, 3])
def test_only_changed_positions_are_computed(call, x, copies):
    now, forward = copies_of(x, copies), Watched()
    now[0, 1, 2] += 1.0
    now[-1, 4] = 0.0
    found = recompute(call, forward, now, copies)
    assert forward.seen == [(N * copies, 2, WIDTH)]
    assert torch.allclose(found, LINEAR(now), atol=1e-6)
    kept = [0, 2, 3, 5]
    assert torch.equal(found[:, kept], copies_of(call.returned[0].tensor, copies)[:, kept])
    found.zero_()
    assert call.returned[0].intact and call.returned[0].tensor.any()


def test_a_change_of_sign_of_zero_is_a_change(call, x):
    x_zero = x.clone()
    x_zero[0, 3, 1] = 0.0
    recorded = Call([Kept(x_zero)], call.form, call.returned, call.result, (), {})
    now, forward = x_zero.clone(), Watched()
    now[0, 3, 1] = -0.0
    assert recompute(recorded, forward, now, 1) is not None and forward.seen == [(N, 1, WIDTH)]


def test_where_most_positions_changed_all_are_computed(call, x):
    now = x.clone()
    now[:, :4] += 1
    assert recompute(call, Watched(), now, 1) is None


@pytest.mark.parametrize(
    "now",
    [
        lambda x: x,
        lambda x: Repeated(x, 2),
        lambda x: x[:1] + 1,
        lambda x: x.double(),
        lambda x: torch.cat([x, x], dim=1),
    ],
)
def test_what_does_not_fit_the_record_is_left_to_the_module(call, x, now):
    assert recompute(call, Watched(), now(x), 2 if isinstance(now(x), Repeated) else 1) is None


@pytest.mark.parametrize("which", ["given", "returned"])
def test_a_record_that_somebody_wrote_into_is_not_used(call, x, which):
    now = x.clone()
    now[:, 0] += 1
    getattr(call, which)[0].tensor.add_(1)
    assert recompute(call, Watched(), now, 1) is None
