import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from causalablate.cost.counting import WHOLE, module_flops, module_seconds, modules_called


class Net(nn.Module):
    """A convolution, an attention, and a layer that is never called."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, 3, padding=1)
        self.attention = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 5)
        self.unused = nn.Linear(8, 8)
        self.bare = nn.Parameter(torch.zeros(1))

    def forward(self, x, twice=False):
        x = self.convolution(x).flatten(2).transpose(1, 2)
        x = self.attention(self.attention(x) if twice else x)
        return self.head(x.mean(1))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


INPUTS = [{"x": torch.ones(2, 3, 4, 4)}]


def test_counts_what_torch_counts(net):
    found = module_flops(net, [WHOLE, "convolution", "attention", "head", "unused"], INPUTS)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        net.train()  # keeps torch from its fused encoder layer, which it does not count
        net(**INPUTS[0])
    assert found[WHOLE] == counter.get_total_flops()
    assert found["convolution"] == 2 * 2 * 16 * 8 * 27
    assert found["head"] == 2 * 2 * 8 * 5
    assert found["unused"] == 0
    assert found["attention"] == found[WHOLE] - found["convolution"] - found["head"]


def test_calls_batches_and_settings_add_up(net):
    once, again, settings = (
        module_flops(net, ["attention"], *args, **kwargs)["attention"]
        for args, kwargs in (((INPUTS,), {}), ((INPUTS * 3,), {}), ((INPUTS,), {"twice": True}))
    )
    assert again == 3 * once and settings == 2 * once


def test_a_module_that_returns_a_parameter_can_be_counted():
    class Query(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 3))

        def forward(self, x):
            return self.weight

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.query = Query()

        def forward(self, x):
            return self.query(x) @ x

    assert module_flops(Whole(), [WHOLE, "query"], [{"x": torch.ones(3, 4)}]) == {WHOLE: 2 * 2 * 3 * 4, "query": 0}


def test_times_are_positive_nested_and_as_many_as_asked(net):
    found = module_seconds(net, [WHOLE, "attention", "unused"], INPUTS, 3)
    assert all(len(times) == 3 for times in found.values())
    assert all(0 < inner < outer for inner, outer in zip(found["attention"], found[WHOLE], strict=True))
    assert found["unused"] == [0, 0, 0]


def test_called_modules(net):
    found = modules_called(net, INPUTS)
    assert {"", "convolution", "attention", "head"} <= found and "unused" not in found


def test_the_model_is_left_as_it_was(net):
    net.train()
    before = torch.backends.mha.get_fastpath_enabled()
    module_flops(net, [WHOLE, "head"], INPUTS)
    with pytest.raises(TypeError):
        module_flops(net, [WHOLE, "head"], [{"y": 1}])
    assert net.training and torch.backends.mha.get_fastpath_enabled() == before
    assert all("forward" not in m.__dict__ for m in net.modules())
