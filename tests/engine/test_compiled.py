import pytest
import torch
from torch import nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.compiled import compiled_forwards
from causalablate.engine.layout import probe
from causalablate.engine.lesioned import lesioned
from causalablate.engine.stack import Surroundings
from causalablate.engine.sweep import Sweep
from causalablate.examples import digits
from causalablate.intervention import do
from causalablate.laws import fingerprint
from causalablate.models import load
from causalablate.replay import Replay


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.gate = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.up(x) * torch.sigmoid(self.gate(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.open, self.out = Gated(), Gated(), Gated(), nn.Linear(4, 2)

    def forward(self, x):
        return self.out(x + self.open(self.second(self.first(x))))


COMPONENTS = ComponentMap(
    [
        Component("first", "mlp", (Site("first"),)),
        Component("second", "mlp", (Site("second"),)),
        Component("gate", "mlp", (Site("open.gate"),)),
    ]
)
PLACES = [site.place for c in COMPONENTS.values() for site in c.sites]
AROUND = Surroundings(COMPONENTS, lambda inputs: {})
LESIONS = [do(address, off="zero") for address in COMPONENTS]


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


def test_what_holds_no_component_is_compiled(net):
    assert set(compiled_forwards(net, PLACES, "eager")) == {net.first, net.second}  # open is not, nor single kernels


@pytest.mark.parametrize("size", [1, 3])
def test_compiled_modules_serve_both_worlds_and_leave_nothing_behind(net, size):
    given, keys, before = {"x": torch.randn(5, 4)}, list("abcde"), fingerprint(net)
    calls = []

    def counted(module, forward):
        return lambda *args: (calls.append(module), forward(*args))[1]

    compiled = compiled_forwards(net, PLACES, "aot_eager")
    fast = {module: counted(module, forward) for module, forward in compiled.items()}
    layout = probe(net, {"x": given["x"][:1]}, PLACES, lambda output: [output])
    parts = [lesion.resolve(COMPONENTS) for lesion in LESIONS]
    sweep = Sweep(net, parts, AROUND, lambda y, n: list(y.chunk(n)), layout=layout, size=lambda widest: size, fast=fast)
    recording = sweep.record(given, keys)
    assert calls == [net.first, net.second]
    with torch.no_grad():
        torch.testing.assert_close(recording.output, net(**given))
    for i, (world,) in sweep.worlds([recording]):
        with torch.no_grad(), lesioned(net, parts[i], AROUND, keys=keys):
            torch.testing.assert_close(world.read, net(**given))
    assert calls[2:] == [net.second]  # under the lesion of `first` alone; elsewhere what is known is not computed
    assert fingerprint(net) == before
    assert not any("forward" in vars(module) for module in net.modules())


def test_what_is_compiled_is_part_of_the_identity():
    model, examples = load(), digits(2)
    assert Replay(model, examples, compile="aot_eager").identity["compile"] == "aot_eager"
    assert Replay(model, examples).identity["compile"] is None
