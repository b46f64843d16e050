import pytest

from causalablate.component import Component, ComponentMap, Site
from causalablate.errors import ComponentNotFoundError, LesionError
from causalablate.intervention import Lesion, do
from causalablate.offs import Mean, Noise, Zero

COMPONENTS = ComponentMap(
    [
        Component("a", "other", (Site("a"),)),
        Component("b.0", "other", (Site("b.0"),)),
        Component("b.1", "other", (Site("b.1"),)),
        Component("e", "edge", (Site("e", "attention_mask", group="x", source="y"),)),
    ]
)


def test_spellings_of_one_lesion_are_equal():
    one = do({"b": "zero", "a": {"kind": "noise", "std": 2.0}})
    assert one == do("a", off=Noise(2.0)) & do("b", off="zero")
    assert one == do("b", off=Zero()) & do("a", off={"kind": "noise", "std": 2.0})
    assert hash(one) == hash(do("b", off=Zero()) & do("a", off=Noise(2.0)))
    assert one.name == "a=noise(std=2.0) & b=zero"


def test_composition_is_commutative_associative_idempotent():
    a, b, c = (do(x, off="mean") for x in "abc")
    assert a & b == b & a
    assert (a & b) & c == a & (b & c)
    assert a & a == a
    assert a & Lesion() == a


def test_json_round_trip():
    lesion = do(
        {
            "a": "mean",
            "b.*": {"kind": "value", "value": [[1.0, 2.0]]},
            "c": {"kind": "replace", "component": "a"},
            "d": {"kind": "mean", "axes": "positions"},
        }
    )
    assert Lesion.from_json(lesion.to_json()) == lesion


def test_one_component_cannot_be_off_in_two_ways():
    with pytest.raises(LesionError, match="lesioned twice"):
        do("a", off="mean") & do("a", off="zero")
    with pytest.raises(LesionError, match="reached twice"):
        do({"b.*": "mean", "b.0": "zero"}).resolve(COMPONENTS)


def test_globs_resolve_to_components():
    parts = do("b.*", off="mean").resolve(COMPONENTS)
    assert [(c.address, how) for c, how in parts] == [("b.0", Mean()), ("b.1", Mean())]


@pytest.mark.parametrize(
    ("lesion", "message"),
    [
        (lambda: do("a", off="knockout"), "not an attention edge"),
        (lambda: do("e", off="zero"), "use knockout"),
        (lambda: do("a", off="uniform"), "one number per patch"),
        (lambda: do("a", off="fixed_min"), "needs a component with a range"),
    ],
)
def test_components_refuse_offs_that_mean_nothing(lesion, message):
    with pytest.raises(LesionError, match=message):
        lesion().resolve(COMPONENTS)


def test_a_stand_in_must_exist():
    with pytest.raises(ComponentNotFoundError, match='no component "z"'):
        do("a", off={"kind": "replace", "component": "z"}).resolve(COMPONENTS)


def test_do_without_off_says_what_to_write():
    with pytest.raises(LesionError, match='do\\("a", off="mean"\\)'):
        do("a")
    with pytest.raises(LesionError, match="beside each component"):
        do({"a": "mean"}, off="zero")
