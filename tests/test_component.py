import pytest

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
