import pytest
import torch

from causalablate.component import Component, ComponentMap, Site
from causalablate.errors import ComponentNotFoundError


@pytest.fixture
def components():
    addresses = [
        *(f"lm.layers.{i}.heads.{h}" for i in range(2) for h in range(3)),
        *(f"lm.layers.{i}.mlp" for i in range(2)),
        "lm.layers.0",
        "scorers.propositional",
        "scorers.participatory",
    ]
    return ComponentMap(Component(a, "head" if "heads" in a else "other", (Site(a),)) for a in addresses)


@pytest.mark.parametrize(
    ("glob", "n"),
    [
        ("lm.layers.0", 1),
        ("lm.layers.*", 1),
        ("lm.layers.*.heads.*", 6),
        ("lm.layers.1.heads.?", 3),
        ("lm.**", 9),
        ("scorers.p*y", 1),
        ("**", 11),
    ],
)
def test_a_star_stays_within_a_segment_and_two_stars_do_not(components, glob, n):
    assert len(components.select(glob)) == n


def test_selection_keeps_model_order(components):
    found = [c.address for c in components.select("lm.layers.*.heads.*")]
    assert found == sorted(found)


@pytest.mark.parametrize("glob", ["lm.layers.0.head.1", "scorers.x*", "nothing", "lm.layers.0.heads.9", "lmXlayers.0"])
def test_no_match_is_an_error(components, glob):
    with pytest.raises(ComponentNotFoundError, match="no component"):
        components.select(glob)


def test_the_error_says_how_far_the_address_exists(components):
    with pytest.raises(ComponentNotFoundError, match=r"lm\.layers\.1\.heads has 0, 1, 2"):
        components.select("lm.layers.1.heads.9")
    with pytest.raises(ComponentNotFoundError, match=r"did you mean scorers\.propositional"):
        components["scorers.propositionl"]
    with pytest.raises(ComponentNotFoundError, match="the model has lm, scorers"):
        components.select("vision.layers.0")


def test_dots_are_not_wildcards(components):
    with pytest.raises(ComponentNotFoundError):
        components.select("scorers-propositional")


def test_kinds_group_in_order(components):
    assert {kind: len(found) for kind, found in components.kinds().items()} == {"head": 6, "other": 5}


def test_a_range_in_braces_is_every_number_in_it(components):
    assert [c.address for c in components.select("lm.layers.{0..1}.mlp")] == ["lm.layers.0.mlp", "lm.layers.1.mlp"]
    assert len(components.select("lm.layers.{1..1}.heads.{1..9}")) == 2
    for glob in ("lm.layers.{2..5}.mlp", "lm.layers.{1..0}.mlp", "lm.layers.{0..x}.mlp"):
        with pytest.raises(ComponentNotFoundError):
            components.select(glob)


VIEWED = ComponentMap(
    [
        Component("lm.layers.0", "layer", (Site("layers.0", "delta", tokens=True),), "lm"),
        Component("lm.layers.0.mlp", "mlp", (Site("layers.0.mlp", tokens=True),), "lm"),
        Component("vision.layers.0", "layer", (Site("v.0", "delta"),), "vision"),
        Component("tokens.image", "tokens", (Site("embed", tokens=True, group="image"),)),
    ]
)


def test_the_stream_behind_a_layer_is_there_but_not_listed():
    stream = VIEWED["lm.layers.0.resid"]
    assert stream.sites == (Site("layers.0", "output", tokens=True),) and stream.kind == "residual"
    assert [c.address for c in VIEWED.select("*.layers.*.resid")] == ["lm.layers.0.resid", "vision.layers.0.resid"]
    assert not any("resid" in address for address in VIEWED) and not any(
        "resid" in c.address for c in VIEWED.select("**")
    )
    with pytest.raises(ComponentNotFoundError, match="no component"):
        VIEWED["lm.layers.0.mlp.resid"]


def test_a_component_at_some_positions():
    narrow = VIEWED["lm.layers.0.mlp@image.first[-1]"]
    assert narrow.sites == (Site("layers.0.mlp", tokens=True, group="image.first[-1]"),) and narrow.kind == "mlp"
    assert VIEWED["lm.layers.0.resid@-1"].sites[0].group == "-1"
    with pytest.raises(ComponentNotFoundError, match="has none of them"):
        VIEWED.select("vision.layers.0@image")
    with pytest.raises(ComponentNotFoundError, match="holds one group already"):
        VIEWED.select("tokens.image@-1")
    with pytest.raises(ComponentNotFoundError, match="did you mean"):
        VIEWED.select("lm.layers.0.mpl@image")


@pytest.mark.parametrize("span", [None, (1, 3)])
def test_a_site_may_be_some_positions_of_a_slice(span):
    site, x = Site("m", span=span, positions=(1, 2)), torch.randn(2, 4, 5)
    columns = slice(*span) if span else slice(None)
    assert torch.equal(site.part(x), x[:, 1:2, columns])
    expected = x.clone()
    expected[:, 1:2, columns] = 7
    before = x.clone()
    assert torch.equal(site.with_part(x, torch.full_like(site.part(x), 7)), expected)
    assert torch.equal(x, before)
