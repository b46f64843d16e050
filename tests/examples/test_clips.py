from itertools import pairwise

import numpy as np
import pytest

from causalablate.errors import ExampleError
from causalablate.examples import clips
from causalablate.examples.clip_scenes import SEVERAL_FRAMES


def test_digits_move_and_nothing_else_does():
    for example in clips(14, frames=6):
        frames = np.stack(example.images)
        assert len(frames) == 6
        # The cue is in the first frame alone.
        assert np.ptp(frames[0, 2:10, 2:10], axis=(0, 1)).max() == 0 and frames[0, 5, 5].max() > 200
        assert (frames[1:, :12, :12] == frames[1, 0, 0]).all()
        still = (frames[1:] == frames[1]).all(0).all(-1).mean()
        assert still > 0.5
        if example.groups["question_type"] in ("moves", "turns"):
            assert any((a != b).any() for a, b in pairwise(frames[1:]))


def test_the_set_says_what_one_frame_cannot_answer():
    for example in clips(14):
        several = example.groups["question_type"] in SEVERAL_FRAMES
        assert example.groups["needs"] == ("several frames" if several else "one frame")


def test_clips_of_other_lengths_are_other_clips():
    assert clips(7, frames=3).hash != clips(7, frames=4).hash
    with pytest.raises(ExampleError, match="at least 3"):
        clips(7, frames=2)
