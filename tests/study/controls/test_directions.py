import pytest

from causalablate.errors import LesionError
from causalablate.intervention import do
from causalablate.offs import Direction, Mean, Noise
from causalablate.study.controls import random_directions


def test_every_part_moves_at_random_as_far_as_its_off_moves_it(model):
    lesion = do({"lm.layers.*.mlp": "mean", "connector": {"kind": "noise", "std": 2.0}})
    controls = random_directions(lesion, model.components, n=3)
    assert [dict(control) for control in controls] == [
        {"lm.layers.*.mlp": Direction(Mean(), draw), "connector": Direction(Noise(2.0), draw)} for draw in range(3)
    ]


@pytest.mark.parametrize(
    ("lesion", "message"),
    [
        (do("opponent.exploit_explore", off="zero"), "has a range"),
        (do("lm.layers.0.edges.image.answer", off="knockout"), "can only be cut"),
        (do("connector", off="direction"), "a direction too"),
        (do({"connector": "zero", "allocator": "uniform"}), "allocator cannot be off .* has a range"),
    ],
)
def test_what_has_no_direction_is_refused(model, lesion, message):
    with pytest.raises(LesionError, match=f"(?s)no norm-matched control for .*{message}"):
        random_directions(lesion, model.components, n=3)
