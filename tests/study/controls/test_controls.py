import pytest

from causalablate.errors import ComponentNotFoundError, LesionError
from causalablate.intervention import Lesion, do
from causalablate.study.controls import KINDS, controls_of

LESION = do("lm.layers.0.heads.0", off="resample")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_as_many_as_asked_all_different(fake, kind):
    controls = controls_of(LESION, fake.COMPONENTS, kind=kind, n=5)
    assert len(controls) == len({*controls, LESION}) - 1 == 5
    assert controls == controls_of(LESION, fake.COMPONENTS, kind=kind, n=7)[:5]
    for control in controls:
        assert control.resolve(fake.COMPONENTS)
        assert Lesion.from_json(control.to_json()) == control


def test_the_default_number_allows_the_usual_level(fake):
    assert len(controls_of(LESION, fake.COMPONENTS, kind="donors")) == 19


@pytest.mark.parametrize(
    ("lesion", "options", "error", "message"),
    [
        (LESION, {"kind": "direction"}, LesionError, "did you mean directions"),
        (LESION, {"kind": "donors", "n": 0}, LesionError, "at least one control"),
        (Lesion(), {"kind": "directions"}, LesionError, "empty lesion"),
        (do("lm.layers.7.mlp", off="zero"), {"kind": "directions"}, ComponentNotFoundError, "no component"),
    ],
)
def test_bad_arguments(fake, lesion, options, error, message):
    with pytest.raises(error, match=message):
        controls_of(lesion, fake.COMPONENTS, **options)
