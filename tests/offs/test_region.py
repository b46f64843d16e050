import pytest

from causalablate.errors import LesionError
from causalablate.intervention import do
from causalablate.offs import Region, Zero, off


def test_names_tell_regions_apart():
    boxes = [(0.0, 0.0, 0.5, 1.0)]
    hows = [
        Region.of(Zero(), boxes),
        Region.of(off("mean"), boxes),
        Region.of(Zero(), boxes, grid=(4, 4)),
        Region.of(Zero(), boxes, start=1),
        Region.of(Zero(), [*boxes, (0.5, 0.5, 1, 1)]),
        Region.of(Zero(), []),
        Region.of(Zero(), {"a": boxes, "b": []}),
        Region.of(Zero(), {"a": [], "b": boxes}),
    ]
    assert len({str(how) for how in hows}) == len({do("x", off=how) for how in hows}) == len(hows)
    assert str(hows[0]) == "region(zero, 0/0/0.5/1)"
    assert all(off(how.to_json()) == how for how in hows)


def test_it_needs_and_draws_what_its_off_does():
    inside = Region.of(off({"kind": "noise", "std": 2.0}), [(0, 0, 1, 1)])
    assert inside.needs == {"std"} and inside.draws and inside.reads_reference
    assert not Region.of(Zero(), [(0, 0, 1, 1)]).reads_reference
    nested = Region.of(off({"kind": "patch", "at": {"c": "mean"}}), [(0, 0, 1, 1)])
    assert nested.world() == (("c", off("mean")),) and nested.reads_reference


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"kind": "region", "off": "zero"}, "give boxes"),
        ({"kind": "region", "boxes": [[0, 0, 1]]}, "is no"),
        ({"kind": "region", "boxes": [[0.5, 0, 0.5, 1]]}, "is no"),
        ({"kind": "region", "boxes": {"a": [[0, 0, 24, 24]]}}, "of a is no"),
        ({"kind": "region", "boxes": 3}, "lists of four numbers"),
        ({"kind": "region", "boxes": [["a", 0, 1, 1]]}, "lists of four numbers"),
        ({"kind": "region", "boxes": [], "grid": 4}, "grid is two"),
        ({"kind": "region", "box": []}, "did you mean boxes"),
        ({"kind": "region", "off": {"kind": "region", "boxes": []}, "boxes": []}, "a region too"),
        ({"kind": "resample", "donor": "self"}, "use other or paired"),
    ],
)
def test_bad_regions_say_what_is_wrong(spec, message):
    with pytest.raises(LesionError, match=message):
        off(spec)
