import numpy as np
import pytest

from causalablate.examples.clip_scenes import draw_clips
from causalablate.examples.render import FAINT, PALETTE, render, render_clips
from causalablate.examples.scans import scans
from causalablate.examples.scenes import CELL, DIGIT, EMPTY, QUESTION_TYPES, SQUARE, draw
from causalablate.examples.trajectories import trajectories


@pytest.fixture(scope="module")
def painted():
    rng = np.random.default_rng(1)
    scenes = draw(rng, scans("train"), np.arange(140) % len(QUESTION_TYPES))
    return scenes, render(rng, scans("train"), scenes)


def cell(frame, index):
    row, column = divmod(index, 4)
    return frame[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL].astype(float) / 255


def test_frames_differ_in_the_cue_alone(painted):
    scenes, frames = painted
    assert frames.shape == (140, 2, 48, 48, 3) and frames.dtype == np.uint8
    different = (frames[:, 0] != frames[:, 1]).any(-1)
    assert different[:, :CELL, :CELL].any((1, 2)).all()
    different[:, :CELL, :CELL] = False
    assert not different.any()
    for i in range(10):
        np.testing.assert_allclose(cell(frames[i, 0], 0)[5, 5], PALETTE[scenes.cue[i]], atol=0.01)


def test_cells_show_their_kind_and_colour(painted):
    scenes, frames = painted
    for i in range(20):
        for index in range(1, 16):
            seen = cell(frames[i, 1], index)
            if scenes.kind[i, index] == EMPTY:
                assert seen.std() < 0.01
            if scenes.kind[i, index] == SQUARE:
                ink = (np.abs(seen - PALETTE[scenes.colour[i, index]]).max(-1) < 0.01).sum()
                assert ink in (25, 36, 49, 64)
            if scenes.kind[i, index] == DIGIT:
                brightest = seen[np.unravel_index(seen.sum(-1).argmax(), (CELL, CELL))]
                direction = PALETTE[scenes.colour[i, index]] - 0.08
                assert np.corrcoef(brightest - 0.08, direction)[0, 1] > 0.99


def test_a_faint_digit_has_less_contrast(painted):
    scenes, frames = painted
    faint, plain = [], []
    for i in range(len(scenes)):
        for slot in range(scenes.n_digits[i]):
            index = scenes.digit_cell[i, slot]
            peak = cell(frames[i, 1], index).max() / PALETTE[scenes.colour[i, index]].max()
            (faint if slot == scenes.faint[i] else plain).append(peak)
    assert np.max(faint) < FAINT + 0.15 and np.median(plain) > 0.9


def test_augmentation_changes_digits_and_nothing_but_digits():
    frames = []
    for augment in (False, True):
        rng = np.random.default_rng(1)
        scenes = draw(rng, scans("train"), np.zeros(20, int))
        frames.append(render(rng, scans("train"), scenes, augment=augment)[:, 1])
    for i in range(20):
        for index in range(16):
            if scenes.kind[i, index] == SQUARE:
                assert (cell(frames[0][i], index) == cell(frames[1][i], index)).all()
    assert (frames[0] != frames[1]).any()


def test_a_digit_of_a_clip_looks_the_same_wherever_it_is():
    rng = np.random.default_rng(2)
    clips = draw_clips(rng, scans("train"), np.arange(35) % 7, 5)
    frames = render_clips(rng, scans("train"), clips, augment=True)
    assert frames.shape == (35, 5, 48, 48, 3) and frames.dtype == np.uint8
    for row in range(35):
        for slot in range(clips.last.n_digits[row]):
            corners = trajectories(5).corner[clips.path[row, slot]]
            boxes = [frames[row, t, y : y + CELL, x : x + CELL] for t, (y, x) in enumerate(corners)]
            assert boxes[0].max() > 100 and all((box == boxes[0]).all() for box in boxes)
            seen = cell(frames[row, -1], clips.last.digit_cell[row, slot])
            brightest = seen[np.unravel_index(seen.sum(-1).argmax(), (CELL, CELL))]
            direction = PALETTE[clips.last.colour[row, clips.last.digit_cell[row, slot]]] - 0.08
            assert np.corrcoef(brightest - 0.08, direction)[0, 1] > 0.99
