"""A lesion over several forwards of y = 2·(x + 3·x), where `a` gives 3·x and `b` never runs.

x ──► a ──► (+) ──► out ──► y
└────────────┘
"""

import pytest
import torch
from torch import nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.passes import lesioned_passes
from causalablate.engine.stack import Surroundings
from causalablate.errors import LesionError
from causalablate.intervention import do


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.out, self.b = Times(3), Times(2), Times(5)

    def forward(self, x, all_of_it=True):
        return self.out(x + self.a(x) if all_of_it else x)


COMPONENTS = ComponentMap(
    [
        Component("a", "other", (Site("a", tokens=True),)),
        Component("image", "tokens", (Site("a", tokens=True, group="image"),)),
        Component("last", "tokens", (Site("a", tokens=True, group="-1"),)),
        Component("b", "other", (Site("b"),)),
    ]
)
X = torch.tensor([[[1.0], [2.0], [4.0]], [[8.0], [16.0], [32.0]]])
PROMPT = {
    "all": torch.tensor([[True, True, True], [False, True, True]]),
    "image": torch.tensor([[True, False, False], [False, False, False]]),
}
NEW = {"all": torch.ones(2, 1, dtype=torch.bool), "image": torch.zeros(2, 1, dtype=torch.bool)}
EVERYBODY = torch.ones(2, dtype=torch.bool)


def passes_of(lesion):
    net = Net()
    around = Surroundings(COMPONENTS, lambda inputs: {})
    return net, lesioned_passes(net, lesion.resolve(COMPONENTS), around, ["e0", "e1"])


def test_norms_add_up_over_the_forwards_in_which_a_row_lives():
    net, block = passes_of(do("a", off="zero"))
    with block as passes:
        with passes.forward(PROMPT, {}, alive=EVERYBODY, acting=True):
            first = net(X)
        with passes.forward(NEW, PROMPT, alive=torch.tensor([True, False]), acting=True):
            net(X[:, :1])
        with passes.forward(NEW, PROMPT, alive=EVERYBODY, acting=False):
            idle = net(X[:, :1])
    keeps = torch.where(PROMPT["all"][..., None], 2 * X, 8 * X)  # padding is left alone
    assert torch.equal(first, keeps) and torch.equal(idle, 8 * X[:, :1])
    assert passes.every_part_fired.all()
    by_hand = torch.tensor([9 * (1 + 4 + 16) + 9 * 1, 9 * (256 + 1024.0)]).double()
    assert torch.allclose(passes.squares, by_hand)


def test_a_group_fires_where_it_has_positions():
    net, block = passes_of(do("image", off="zero"))
    with block as passes:
        with passes.forward(NEW, PROMPT, alive=EVERYBODY, acting=True):
            net(X[:, :1])
        assert not passes.every_part_fired.any()
        with passes.forward(PROMPT, {}, alive=EVERYBODY, acting=True):
            net(X)
    assert passes.every_part_fired.tolist() == [True, False]


def test_a_single_position_is_named_in_the_prompt():
    net, block = passes_of(do("last", off="zero"))
    with block as passes:
        named = passes.named(PROMPT)
        assert named["-1"].tolist() == [[False, False, True]] * 2
        with passes.forward(named, {}, alive=EVERYBODY, acting=True):
            assert torch.equal(net(X), torch.cat((8 * X[:, :2], 2 * X[:, 2:]), 1))
        later = {**NEW, "-1": torch.zeros(2, 1, dtype=torch.bool)}
        with passes.forward(later, named, alive=EVERYBODY, acting=True):
            assert torch.equal(net(X[:, :1]), 8 * X[:, :1])


def test_every_part_has_to_fire_and_no_part_is_none():
    for lesion in (do("a", "b", off="zero"), do({})):
        net, block = passes_of(lesion)
        with block as passes, passes.forward(PROMPT, {}, alive=EVERYBODY, acting=True):
            net(X)
        assert not passes.every_part_fired.any()
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_patches_are_refused():
    _, block = passes_of(do("a", off="patch"))
    with pytest.raises(LesionError, match="other tokens"), block:
        pass
