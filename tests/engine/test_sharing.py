import pytest
import torch
from torch import nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.layout import probe
from causalablate.engine.lesioned import lesioned
from causalablate.engine.sharing import repeated_rows
from causalablate.engine.stack import Surroundings
from causalablate.engine.sweep import Sweep
from causalablate.intervention import do


class Tower(nn.Module):
    """Notes how many rows it sees."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, image):
        SEEN.append(image.shape[0])
        return self.second(torch.tanh(self.first(image)))


class TwoTowers(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower, self.text, self.head = Tower(), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, image, question, frames=False):
        seen = self.tower(image.flatten(0, 1)) if frames else self.tower(image)  # with frames, several images a row
        seen = seen.unflatten(0, image.shape[:2]).mean(1) if frames else seen
        return self.head(torch.relu(seen * self.text(question)))


SEEN = []
COMPONENTS = ComponentMap(
    [
        Component("tower.first", "mlp", (Site("tower.first"),)),
        Component("tower.part", "head", (Site("tower.second", "input", (1, 3)),)),
        Component("text", "mlp", (Site("text"),)),
    ]
)
KEYS = ["a", "b", "c", "d", "e"]
AROUND = Surroundings(COMPONENTS, lambda inputs: {}, None, 3)


def inputs(*, frames=False):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, *((2,) if frames else ()), 6, generator=generator)
    found = {"image": images[[0, 1, 0, 0, 1]], "question": torch.randn(5, 6, generator=generator)}
    return found | ({"frames": True} if frames else {})


def swept(model, given, lesions, size):
    one = {name: x[:1] if isinstance(x, torch.Tensor) else x for name, x in given.items()}
    places = [site.place for c in COMPONENTS.values() for site in c.sites]
    layout = probe(model, one, places, lambda output: [output])
    parts = [lesion.resolve(COMPONENTS) for lesion in lesions]
    sweep = Sweep(model, parts, AROUND, lambda y, n: list(y.chunk(n)), layout=layout, size=lambda widest: size)
    SEEN.clear()
    recording = sweep.record(given, KEYS)
    return {lesions[i]: world for i, (world,) in sweep.worlds([recording])}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return TwoTowers().eval()


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("size", [1, 4])
def test_examples_about_one_image_share_its_encoding(model, frames, size):
    given = inputs(frames=frames)
    lesions = [do("tower.first", off="zero"), do("tower.part", off="zero"), do("text", off="zero")]
    found = swept(model, given, lesions, size)
    distinct = 4 if frames else 2
    copies = {1: [1, 1], 4: [2]}[size]
    assert [distinct, *(distinct * n for n in copies)] == SEEN  # once recorded, then under lesions of the tower alone
    for lesion, world in found.items():
        with torch.no_grad(), lesioned(model, lesion.resolve(COMPONENTS), AROUND, keys=KEYS) as action:
            torch.testing.assert_close(world.read, model(**given))
        torch.testing.assert_close(world.norm, action.change_norm)


class UnitStd:
    def std(self, component, site, call):
        return torch.tensor(1.0)


def test_noise_of_each_example_is_its_own(model, monkeypatch):
    monkeypatch.setitem(globals(), "AROUND", Surroundings(COMPONENTS, lambda inputs: {}, UnitStd(), 3))
    given, lesion = inputs(), do("tower.first", off="noise")
    world = swept(model, given, [lesion], 1)[lesion]
    assert SEEN == [2, 5]
    with torch.no_grad(), lesioned(model, lesion.resolve(COMPONENTS), AROUND, keys=KEYS) as action:
        torch.testing.assert_close(world.read, model(**given))
    torch.testing.assert_close(world.norm, action.change_norm)


def test_rows_are_shared_only_where_every_bit_is_equal():
    x = torch.tensor([[0.0, 1.0], [-0.0, 1.0], [0.0, 1.0]])
    view = repeated_rows([x, torch.arange(2)], (True, False), 3)
    assert view.first.tolist() == [0, 1]
    assert view.inverse.tolist() == [0, 1, 0]
    assert repeated_rows([x, torch.arange(3)], (True, True), 3) is None
    assert repeated_rows([x], (None,), 3) is None


def test_examples_of_several_rows_are_shared_as_wholes():
    patches = torch.tensor([1.0, 2.0, 1.0, 1.0, 1.0, 2.0])[:, None]  # two of each example
    view = repeated_rows([patches, torch.tensor([7, 7, 7])], (True, True), 3)
    assert (view.first.tolist(), view.inverse.tolist()) == ([0, 1], [0, 1, 0])
    assert repeated_rows([patches[:4]], (True,), 3) is None


def test_equal_rows_in_which_other_positions_are_meant(model):
    """Rows 0 and 2 are one to the tower, but the lesion means the first position of the one, the last of the other."""
    generator = torch.Generator().manual_seed(1)
    rows = torch.tensor([0, 1, 0, 0, 1])
    given = {"image": torch.randn(2, 4, 6, generator=generator)[rows], "question": torch.ones(5, 4, 6)}
    first = torch.tensor([True, False, False, False]).expand(5, 4)
    apart = first.clone()
    apart[2] = first[2].flip(0)
    for meant, seen in ((first, 2), (apart, 5)):
        components = ComponentMap([Component("t", "mlp", (Site("tower.first", tokens=True, group="meant"),))])
        groups = {"all": torch.ones(5, 4, dtype=torch.bool), "meant": meant}
        around, parts = (
            Surroundings(components, lambda inputs, groups=groups: groups),
            do("t", off="zero").resolve(components),
        )
        layout = probe(
            model, {k: v[:1] for k, v in given.items()}, [("tower.first", "output")], lambda output: [output]
        )
        sweep = Sweep(model, [parts], around, lambda output, n: list(output.chunk(n)), layout=layout)
        recording = sweep.record(given, KEYS)
        SEEN.clear()
        ((_, (world,)),) = sweep.worlds([recording])
        assert [seen] == SEEN
        with torch.no_grad(), lesioned(model, parts, around, keys=KEYS) as action:
            torch.testing.assert_close(world.read, model(**given))
        torch.testing.assert_close(world.norm, action.change_norm)


class Writes(nn.Module):
    """Writes into its argument, which its caller reads afterwards."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(6, 6)

    def forward(self, x):
        x.add_(1.0)
        return self.inner(x)


class Reads(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower, self.head = Writes(), nn.Linear(6, 3)

    def forward(self, image, question):
        image = image * 1
        return self.head(self.tower(image) + image * question)


def test_a_module_that_writes_into_its_argument_sees_all_rows():
    """The distinct rows are copies: what is written into them would be lost."""
    torch.manual_seed(0)
    model, given = Reads().eval(), inputs()
    components = ComponentMap([Component("head", "mlp", (Site("head", "input", (0, 2)),))])
    around, parts = Surroundings(components, lambda inputs: {}), do("head", off="zero").resolve(components)
    layout = probe(model, {k: v[:1] for k, v in given.items()}, [("head", "input")], lambda output: [output])
    sweep = Sweep(model, [parts], around, lambda output, n: list(output.chunk(n)), layout=layout)
    recording = sweep.record(given, KEYS)
    ((_, (world,)),) = sweep.worlds([recording])
    with torch.no_grad(), lesioned(model, parts, around, keys=KEYS):
        torch.testing.assert_close(world.read, model(**given))
    assert not recording.shared
