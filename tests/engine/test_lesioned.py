"""A network small enough to work out by hand: y = 2·(x + a(x)) with a(x) = 3·x; `b` is never called.

x ──► a ──► (+) ──► out ──► y
└────────────┘
"""

import pytest
import torch
from torch import nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.lesioned import lesioned
from causalablate.engine.stack import Surroundings
from causalablate.errors import InertLesionError, LesionError
from causalablate.intervention import do


class Times(nn.Module):
    def __init__(self, factor, as_tuple=False):
        super().__init__()
        self.factor, self.as_tuple = nn.Parameter(torch.tensor(float(factor))), as_tuple

    def forward(self, x):
        return (self.factor * x, None) if self.as_tuple else self.factor * x


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Times(3, as_tuple=True)

    def forward(self, x):
        return x + self.a(x)[0]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block, self.out, self.b = Block(), Times(2), Times(5)

    def forward(self, x, again=False):
        y = self.out(self.block(x))
        return self.out(y) if again else y


COMPONENTS = ComponentMap(
    [
        Component("a", "other", (Site("block.a"),), bounds=(-1.0, 1.0)),
        Component("a.0", "other", (Site("block.a", span=(0, 1)),)),
        Component("block", "layer", (Site("block", "delta"),)),
        Component("out.in", "other", (Site("out", "input", span=(1, 3)),)),
        Component("out", "other", (Site("out"),), patches=True),
        Component("b", "other", (Site("b"),)),
        Component("last tokens", "tokens", (Site("block.a", tokens=True, group="last"),)),
    ]
)
X = torch.tensor([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])


def groups(inputs):
    x = inputs["x"]
    last = torch.zeros(x.shape[:2], dtype=torch.bool)
    last[:, -1] = True
    return {"all": torch.ones_like(last), "last": last}


def under(lesion, *, net=None, x=X, components=COMPONENTS, **kwargs):
    net = net or Net()
    extra = {k: kwargs.pop(k) for k in ("again",) if k in kwargs}
    around = Surroundings(components, groups, kwargs.pop("reference", None), kwargs.pop("seed", 0))
    with lesioned(net, lesion.resolve(components), around, **kwargs) as action:
        y = net(x=x, **extra)
    return y, action


def test_factual():
    assert torch.equal(Net()(x=X), 8 * X)


@pytest.mark.parametrize(
    ("lesion", "expected"),
    [
        (do("a", off="zero"), 2 * X),
        (do("a", off={"kind": "scale", "factor": 0.5}), 5 * X),
        (do("a", off={"kind": "value", "value": 7.0}), 2 * (X + 7)),
        (do("a", off="fixed_max"), 2 * (X + 1)),
        (do("a", off="fixed_min"), 2 * (X - 1)),
        (do("a.0", off="zero"), torch.stack((2 * X[:, 0], 8 * X[:, 1], 8 * X[:, 2]), 1)),
        (do("block", off="zero"), 2 * X),
        (do("block", off={"kind": "scale", "factor": 2.0}), 2 * (X + 6 * X)),
        (do("out.in", off="zero"), torch.stack((8 * X[:, 0], 0 * X[:, 1], 0 * X[:, 2]), 1)),
        (do("out", off="uniform"), (8 * X).mean(1, keepdim=True).expand(2, 3)),
        (do("out", off={"kind": "replace", "component": "a"}), 3 * X),
        (do("a", off="zero") & do("out.in", off="zero"), torch.stack((2 * X[:, 0], 0 * X[:, 1], 0 * X[:, 2]), 1)),
    ],
    ids=str,
)
def test_each_off_by_hand(lesion, expected):
    y, action = under(lesion)
    assert torch.equal(y, expected)
    assert action.fired.all()
    assert torch.isfinite(action.change_norm).all()


def test_change_norm_is_the_l2_norm_at_the_site():
    _, action = under(do("a", off="zero"))
    assert torch.allclose(action.change_norm, (3 * X).norm(dim=1))
    _, both = under(do("a", off="zero") & do("out.in", off="zero"))
    inside = X[:, 1:].norm(dim=1)
    assert torch.allclose(both.change_norm, ((3 * X).norm(dim=1) ** 2 + inside**2).sqrt())


def test_a_replacing_module_sees_the_same_inputs():
    from causalablate.offs import Replace

    y, _ = under(do("a", off=Replace(module=Times(10))))
    assert torch.equal(y, 2 * (X + 10 * X))


def test_every_call_of_a_module_is_lesioned_and_values_may_differ_by_call():
    y, _ = under(do("out", off={"kind": "value", "calls": [1.0, 5.0]}), again=True)
    assert torch.equal(y, torch.full_like(X, 5.0))
    with pytest.raises(LesionError, match="called 3 times, but 2 values"):
        net = Net()
        forward = net.forward
        net.forward = lambda x: net.out(forward(x, again=True))
        under(do("out", off={"kind": "value", "calls": [1.0, 5.0]}), net=net)


def test_only_the_token_group_changes():
    x = X[:, :, None].repeat(1, 1, 2)
    y, _ = under(do("last tokens", off="zero"), x=x)
    assert torch.equal(y[:, :-1], 8 * x[:, :-1])
    assert torch.equal(y[:, -1], 2 * x[:, -1])


def test_a_site_that_is_never_reached_is_an_error():
    with pytest.raises(InertLesionError, match="b=zero never acted"):
        under(do("b", off="zero"))


def test_a_stand_in_must_have_run_before():
    with pytest.raises(LesionError, match="has not run when a does"):
        under(do("a", off={"kind": "replace", "component": "out"}))


def test_statistics_without_a_reference_set_say_what_to_pass():
    for kind in ("mean", "resample", "noise"):
        with pytest.raises(LesionError, match="needs a reference set: pass reference="):
            under(do("a", off=kind))


def test_shuffle_depends_on_seed_and_key_only():
    lesion = do("out", off="shuffle")
    together, _ = under(lesion, keys=["p", "q"], seed=3)
    swapped, _ = under(lesion, keys=["q", "p"], seed=3, x=X.flip(0))
    alone, _ = under(lesion, keys=["q"], seed=3, x=X[1:])
    assert torch.equal(together, swapped.flip(0))
    assert torch.equal(together[1:], alone)
    orders = {tuple(under(lesion, keys=["p", "q"], seed=s)[0][0].tolist()) for s in range(20)}
    assert len(orders) > 1


def test_keys_must_name_every_row():
    with pytest.raises(LesionError, match="3 keys were given for a batch of 2 rows"):
        under(do("a", off="zero"), keys=["p", "q", "r"])


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_hooks_go_away_whatever_happens(error):
    net = Net()

    def broken(x):
        raise error

    original, net.out.forward = net.out.forward, broken
    with pytest.raises(error):
        under(do("a", off="zero"), net=net)
    net.out.forward = original
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert torch.equal(net(x=X), 8 * X)


def test_blocks_nest():
    net = Net()
    with lesioned(net, do("a", off="zero").resolve(COMPONENTS), Surroundings(COMPONENTS, groups)):
        with lesioned(net, do("out.in", off="zero").resolve(COMPONENTS), Surroundings(COMPONENTS, groups)):
            assert torch.equal(net(x=X)[:, 1:], torch.zeros(2, 2))
        assert torch.equal(net(x=X), 2 * X)
    assert torch.equal(net(x=X), 8 * X)


def test_rows_that_do_not_change_keep_their_bytes():
    x = torch.tensor([[0.1, 0.2, 0.3], [1e8, -3.7, 1e-8]])
    net = Net()
    own = net.block(x) - x
    value = torch.stack((own[0], own[1] + 1))
    with torch.no_grad():
        y, _ = under(do("block", off={"kind": "value", "value": value.detach().tolist()}), net=net, x=x)
        assert torch.equal(y[0], net(x=x)[0])
