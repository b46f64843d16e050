import numpy as np

from causalablate.examples import stills
from causalablate.examples.render import PALETTE
from causalablate.examples.scans import scans
from causalablate.examples.scenes import COLOURS, DIGIT, QUESTION_TYPES, SQUARE
from causalablate.examples.stills import draw_stills


def test_the_cue_is_beside_the_digits():
    for example in stills(70):
        shown = example.images[0][5, 5] / 255
        if example.groups["question_type"] == "cue_colour":
            np.testing.assert_allclose(shown, PALETTE[COLOURS.index(example.answer)], atol=0.01)


def test_the_scene_counts_the_cue_as_a_square():
    scenes, images = draw_stills(np.random.default_rng(0), scans("test"), np.arange(21) % len(QUESTION_TYPES))
    assert images.shape == (21, 48, 48, 3)
    assert (scenes.kind[:, 0] == SQUARE).all() and (scenes.colour[:, 0] == scenes.cue).all()
    assert ((scenes.kind == DIGIT).sum(1) == scenes.n_digits).all()
