import pytest

from causalablate.errors import LesionError
from causalablate.intervention import do
from causalablate.offs import Direction, Patch, Region, Resample
from causalablate.study.controls import other_donors

BOX = [(0.0, 0.0, 0.5, 1.0)]


def test_all_parts_get_donors_of_the_same_later_draw_and_others_stay():
    lesion = do({"a": "resample", "b": {"kind": "resample", "draw": 4}, "c": "zero"})
    assert other_donors(lesion, n=2) == [
        do({"a": Resample(draw=1), "b": Resample(draw=5), "c": "zero"}),
        do({"a": Resample(draw=2), "b": Resample(draw=6), "c": "zero"}),
    ]


def test_inside_other_offs_too():
    lesion = do({"a": Region.of(Resample(), BOX), "b": Direction(Resample()), "c": Patch((("d", Resample()),))})
    assert other_donors(lesion, n=1) == [
        do(
            {
                "a": Region.of(Resample(draw=1), BOX),
                "b": Direction(Resample(draw=1)),
                "c": Patch((("d", Resample(draw=1)),)),
            }
        )
    ]


@pytest.mark.parametrize("off", ["mean", {"kind": "resample", "donor": "paired"}])
def test_without_drawn_donors_there_are_no_others(off):
    with pytest.raises(LesionError, match=r"no other donors for .* none of its parts is resample"):
        other_donors(do("a", off=off), n=3)
