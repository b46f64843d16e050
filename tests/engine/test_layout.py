"""What a probing forward finds out: what may stand side by side, what grows, what goes position by position."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from causalablate.engine.layout import probe, tail_only
from causalablate.engine.tail import Tail

WIDTH, LENGTH = 6, 5
X = torch.randn(1, LENGTH, WIDTH, generator=torch.Generator().manual_seed(0))


class Around(nn.Module):
    """linear → the module under test → linear; a component lives at `before`."""

    def __init__(self, middle):
        super().__init__()
        torch.manual_seed(0)
        self.before, self.middle, self.after = nn.Linear(WIDTH, WIDTH), middle, nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.after(self.middle(self.before(x)))


class Does(nn.Module):
    def __init__(self, does, *children):
        super().__init__()
        self.does, self.parts = does, nn.ModuleList(children)

    def forward(self, x):
        return self.does(x, *self.parts)


def probed(middle, tails=(), read=lambda output: [output]):
    network = (middle if isinstance(middle, Around) else Around(middle)).eval()
    return network, probe(network, {"x": X}, [("before", "output"), ("middle", "output")], read, tails)


def random_noise(x):
    return x + 0.1 * torch.rand_like(x)


@pytest.mark.parametrize(
    ("middle", "reason"),
    [
        (nn.Identity(), None),
        (Does(lambda x: x.softmax(1)), None),
        (nn.TransformerEncoderLayer(WIDTH, 2, 8, batch_first=True), None),
        (nn.TransformerEncoderLayer(WIDTH, 2, 8), "depends on the rows beside it"),
        (Does(lambda x: x - x.mean(0, keepdim=True)), "depends on the rows beside it"),
        (Does(lambda x: x / x.amax()), "depends on the rows beside it"),
        (Does(lambda x: x.exp() - x.exp().amin()), "depends on the rows beside it"),
        (Does(lambda x: x.cumsum(0)), "depends on the rows beside it"),
        (Does(lambda x: x + x.flip(0)), "depends on the rows beside it"),
        (Does(random_noise), "depends on the rows beside it, or on random numbers"),
        (Does(lambda x: F.dropout(x, 0.5)), "or on random numbers"),
        (Does(lambda x: x.reshape(LENGTH, WIDTH)), "fails on a batch of copies .RuntimeError"),
        (Does(lambda x: x.sum(0)), "depends on the rows beside it"),
        (Does(lambda x: x.transpose(0, 1)), "an output does not grow with the batch along its first dimension"),
    ],
)
def test_models_whose_rows_may_not_stand_side_by_side(middle, reason):
    _, layout = probed(middle)
    assert (layout.unstackable is None) is (reason is None)
    assert reason is None or re.search(reason, layout.unstackable)


def test_rows_that_decide_together_which_module_runs():
    """Alone the example takes one branch; beside a lesioned copy of itself it would take the other."""
    network = Around(Does(lambda x, *parts: parts[int(x.amax() > 0)](x), nn.Linear(6, 6), nn.Linear(6, 6)))
    with torch.no_grad():
        network.before.weight.zero_()
        network.before.bias.fill_(-0.8)
    _, layout = probed(network)
    assert layout.unstackable == "it calls other modules when other rows are beside an example"


class Mixed(nn.Module):
    """Passes around what grows with the batch in several ways, and what does not."""

    def __init__(self):
        super().__init__()
        self.query = Does(lambda x: self.weight)
        self.flat, self.turned = Does(lambda x: x.flatten(0, 1)), Does(lambda x: x.transpose(0, 1).flatten(0, 1))
        self.back, self.last = Does(lambda x: x.unflatten(0, (LENGTH, -1)).transpose(0, 1)), nn.Linear(WIDTH, WIDTH)
        self.weight = nn.Parameter(torch.randn(1, LENGTH, WIDTH))

    def forward(self, x):
        flat = self.flat(x + self.query(x)).unflatten(0, (-1, LENGTH))
        return self.last(self.back(self.turned(flat)))


def test_what_grows_with_the_batch():
    """Positions below each other for every row is another order than rows below each other, of the same size."""
    torch.manual_seed(0)
    network = Mixed().eval()
    places = [(name, "output") for name in ("query", "flat", "turned", "last")]
    layout = probe(network, {"x": X}, places, lambda output: [output])
    assert layout.unstackable is None
    scales = {
        name: layout.calls[network.get_submodule(name), 0] for name in ("query", "flat", "turned", "back", "last")
    }
    assert scales == {
        "query": ((True,), (False,)),
        "flat": ((True,), (True,)),
        "turned": ((True,), (None,)),
        "back": ((None,), (True,)),
        "last": ((True,), (True,)),
    }
    assert {place[0]: known.scales for place, known in layout.places.items()} == {
        "query": False,
        "flat": True,
        "turned": False,
        "last": True,
    }


def test_places_are_in_the_order_of_the_forward_with_the_work_before_them():
    network, layout = probed(nn.Sequential(nn.Linear(WIDTH, 4), nn.Linear(4, WIDTH)))
    orders = {place[0]: (known.order, known.flops) for place, known in layout.places.items()}
    one = 2 * LENGTH * WIDTH * WIDTH
    assert orders == {"before": (0, one), "middle": (1, one + 2 * 2 * LENGTH * WIDTH * 4)}
    assert layout.flops == 2 * one + 2 * 2 * LENGTH * WIDTH * 4
    assert layout.widest == 4 * LENGTH * WIDTH
    assert layout.called[network.before] == 1 and layout.called[network] == 1


def test_each_place_knows_how_wide_it_gets_from_there_on():
    wide = nn.Sequential(nn.Linear(WIDTH, 50), nn.Linear(50, 3), nn.Linear(3, WIDTH))
    _, layout = probed(wide)
    widest = {place[0]: known.widest for place, known in layout.places.items()}
    assert widest == {"before": 4 * LENGTH * 50, "middle": 4 * LENGTH * WIDTH} and layout.widest == 4 * LENGTH * 50


def test_every_call_of_a_module_is_known():
    shared = nn.Linear(WIDTH, WIDTH)
    network, layout = probed(Does(lambda x, part: part(part(x)), shared))
    assert layout.called[shared] == 2 and {(shared, 0), (shared, 1)} <= set(layout.calls)
    assert (network, 0) in layout.calls


class Learned(nn.Module):
    """Adds what depends on the place in the sequence."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(LENGTH, WIDTH))

    def forward(self, x):
        return x + self.weight[: x.shape[1]]


def convolution(size):
    conv = nn.Conv1d(WIDTH, WIDTH, size, padding=size // 2)
    return Does(lambda x, conv: conv(x.transpose(1, 2)).transpose(1, 2), conv)


def attention(x, qkv):
    q, k, v = qkv(x).chunk(3, dim=-1)
    return F.scaled_dot_product_attention(q, k, v)


@pytest.mark.parametrize(
    ("middle", "holds"),
    [
        (nn.Linear(WIDTH, WIDTH), True),
        (nn.LayerNorm(WIDTH), True),
        (nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 9), nn.GELU(), nn.Linear(9, WIDTH)), True),
        (convolution(1), True),
        (convolution(3), False),
        (Does(attention, nn.Linear(WIDTH, 3 * WIDTH)), False),
        (Does(lambda x: x - x.mean(1, keepdim=True)), False),
        (Does(lambda x: x + 1e-7 * x.sum(1, keepdim=True)), False),
        (Does(lambda x: F.avg_pool1d(x.transpose(1, 2), 3, 1, 1).transpose(1, 2)), False),
        (Does(lambda x: x.cumsum(1)), False),
        (Does(lambda x: x.flip(1)), False),
        (Does(lambda x: x / x.shape[1]), False),
        (Learned(), False),
        (Does(lambda x: x.reshape(-1, LENGTH, WIDTH)), False),
        (Does(lambda x: x[:, :-1].repeat(1, 2, 1)[:, :LENGTH]), False),
    ],
)
def test_what_goes_position_by_position(middle, holds):
    network, layout = probed(middle)
    assert (network.middle in layout.positionwise) is holds


def test_a_module_of_two_tensors_is_not_asked():
    two = Does(lambda x, part: part(x, x), nn.Bilinear(WIDTH, WIDTH, WIDTH))
    _, layout = probed(two)
    assert two in layout.positionwise and two.parts[0] not in layout.positionwise


class Keyword(nn.Module):
    def forward(self, x, shift=0.0):
        return x + shift


def test_a_module_called_with_options_is_not_asked():
    inner = Keyword()
    _, layout = probed(Does(lambda x, part: part(x, shift=0.0), inner))
    assert inner not in layout.positionwise


def decoder():
    """Mixes positions, then goes position by position; the answer is read at the last one."""
    mixing = Does(lambda x: x.cumsum(1))
    return Around(nn.Sequential(mixing, nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.LayerNorm(WIDTH)))


@pytest.mark.parametrize(
    ("modules", "positions", "holds"),
    [
        (("middle.1", "middle.3", "after"), ((-1,),), True),
        (("middle.1", "after"), ((LENGTH - 1,),), True),
        (("after",), ((0, 1, 2, 3, 4),), True),
        (("middle.1", "after"), ((0,),), False),
        (("middle.0",), ((-1,),), False),
        (("before",), ((-1,),), False),
        (("nowhere",), ((-1,),), False),
        (("middle.1", "after"), (), True),
    ],
)
def test_a_tail_is_kept_if_it_is_right(modules, positions, holds):
    tail = Tail(modules, positions)
    _, layout = probed(decoder(), [tail], read=lambda output: [output[:, -1]])
    assert layout.tails == ((tail,) if holds else ())


def test_a_tail_of_a_module_that_returns_no_tensor_is_dropped():
    network = Around(Does(lambda x, part: part(x)[0], Does(lambda x: (x, None))))
    _, layout = probed(network, [Tail(("middle.parts.0",), ((-1,),))], read=lambda output: [output[:, -1]])
    assert layout.tails == () and layout.unstackable is None


def test_only_what_is_read_is_computed():
    network = decoder().eval()
    lengths = []
    network.middle[1].register_forward_hook(lambda *_: None)
    forward = network.after.forward
    network.after.forward = lambda x: (lengths.append(x.shape[1]), forward(x))[1]
    with torch.no_grad():
        whole = network(X)
        with tail_only(network, Tail(("middle.1", "after"), ((-1, 2),))):
            part, again = network(X), network(X)
    assert lengths == [LENGTH, 2, LENGTH]
    assert torch.allclose(part[:, [2, -1]], whole[:, [2, -1]]) and part[:, [0, 1, 3]].isnan().all()
    assert torch.equal(again, whole)
