import numpy as np
import pytest

from causalablate.errors import ExampleError
from causalablate.examples import digits
from causalablate.patching import masked

LEFT = [(0.0, 0.0, 0.5, 1.0)]


@pytest.fixture(scope="module")
def asked():
    return digits(4)


@pytest.mark.parametrize("fill", ["mean", "blur", "noise", "other"])
def test_only_the_boxes_change_and_only_pixels(asked, fill):
    covered = masked(asked, LEFT, fill=fill)
    for before, after in zip(asked, covered, strict=True):
        assert (after.id, after.question, after.answer, after.seed) == (
            before.id,
            before.question,
            before.answer,
            before.seed,
        )
        for old, new in zip(before.images, after.images, strict=True):
            assert (old[:, 24:] == new[:, 24:]).all() and (old[:, :24] != new[:, :24]).any()
    assert masked(asked, LEFT, fill=fill).hash == covered.hash


def test_each_fill_is_what_it_says(asked):
    image = asked[0].images[0]
    mean = masked(asked, LEFT)[0].images[0][:, :24]
    assert (mean == np.rint(image.mean((0, 1)))).all()
    other = masked(asked, LEFT, fill="other")[0].images[0][:, :24]
    assert any((other == e.images[0][:, :24]).all() for e in asked[1:])
    noise = [masked(asked, LEFT, fill="noise", seed=s)[0].images[0][:, :24] for s in (0, 1)]
    assert (noise[0] != noise[1]).mean() > 0.9 and noise[0].std() > 60


def test_boxes_by_example(asked):
    boxes = {e.id: LEFT if i == 1 else [] for i, e in enumerate(asked)}
    covered = masked(asked, boxes)
    assert [(a.images[0] != b.images[0]).any() for a, b in zip(asked, covered, strict=True)] == [
        False,
        True,
        False,
        False,
    ]
    with pytest.raises(ExampleError, match="no boxes for example"):
        masked(asked, {asked[0].id: LEFT})
    with pytest.raises(ExampleError, match="did you mean blur"):
        masked(asked, LEFT, fill="blurr")
    with pytest.raises(ExampleError, match="covers no pixel"):
        masked(asked, [(0.5, 0.5, 0.501, 0.6)])
    with pytest.raises(ExampleError, match="no other example"):
        masked(asked[:1], LEFT, fill="other")
