import pytest
from torch import nn

from causalablate.component import Component, Site
from causalablate.cost.parts import Part, parts_of, union


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.v, self.o = nn.Linear(8, 8), nn.Linear(8, 4), nn.Linear(8, 8)
        self.out = nn.ModuleDict({"dense": nn.Linear(8, 8), "norm": nn.LayerNorm(8)})


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = Attention()
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 8))
        self.fc1, self.fc2 = nn.Linear(8, 16), nn.Linear(16, 8)
        self.convolution = nn.Conv2d(3, 6, 3)
        self.odd = nn.Identity()


@pytest.fixture
def root():
    return nn.ModuleDict({"layer": Layer()})


def parts(root, *sites, kind="module", address="c"):
    return parts_of(Component(address, kind, sites), root)


def test_outputs_and_what_blocks_add_are_whole_modules(root):
    assert parts(root, Site("layer.mlp"), kind="mlp") == ((Part("layer.mlp"),), "")
    assert parts(root, Site("layer", "delta"), kind="layer") == ((Part("layer"),), "")


def test_a_head_is_its_share_of_its_attention(root):
    found, why = parts(root, Site("layer.attention.o", "input", (2, 4)), kind="head")
    assert found == (Part("layer.attention", (2, 4), 0.25),) and why == ""


def test_a_normalisation_beside_the_projection_is_not_the_attention(root):
    found, _ = parts(root, Site("layer.attention.out.dense", "input", (0, 4)), kind="head")
    assert found == (Part("layer.attention", (0, 4), 0.5),)


def test_channels_are_a_share_of_their_module(root):
    found, _ = parts(root, Site("layer.convolution", "output", (0, 2), axis=1), kind="channel")
    assert found == (Part("layer.convolution", (0, 2), 1 / 3),)


def test_what_is_read_behind_its_last_projection_has_all_of_them(root):
    assert parts(root, Site("layer.fc2"), kind="mlp")[0] == (Part("layer.fc1"), Part("layer.fc2"))
    assert parts(root, Site("layer.mlp.1"), kind="mlp")[0] == (Part("layer.mlp"),)
    assert parts(root, Site("layer.attention.o"), kind="cross")[0] == (Part("layer.attention"),)


@pytest.mark.parametrize(
    ("site", "kind", "says"),
    [
        (Site("layer.attention", "attention_mask", group="a", source="b"), "edge", "attention edge"),
        (Site("layer", group="image", tokens=True), "layer", "some positions"),
        (Site("layer", positions=(0, 1)), "query", "some positions"),
        (Site("layer", "input", tokens=True), "tokens", "some positions"),
        (Site("layer"), "residual", "residual stream"),
        (Site("layer.mlp", "input"), "module", "the input of layer.mlp is computed elsewhere"),
        (Site("layer.odd", span=(0, 2)), "module", "layer.odd does not tell how wide its output is"),
    ],
)
def test_what_is_no_part_says_why(root, site, kind, says):
    found, why = parts(root, site, kind=kind)
    assert found == () and why.startswith("undefined: ") and says in why


def test_nothing_counts_twice():
    heads = [Part("a", (0, 2), 0.25), Part("a", (2, 4), 0.25), Part("a", (0, 2), 0.25)]
    assert union(heads) == {"a": 0.5}
    assert union([*heads, Part("a")]) == {"a": 1.0}
    assert union([Part("a"), Part("a.mlp"), Part("a.o", (0, 1), 0.5), Part("ab")]) == {"a": 1.0, "ab": 1.0}
    assert union([]) == {}
