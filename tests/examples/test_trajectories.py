import numpy as np
import pytest

from causalablate.examples.scenes import CELL, GRID
from causalablate.examples.trajectories import DOWN, IN_COLUMN, IN_ROW, LEFT, RIGHT, STILL, UP, trajectories

STEP = {LEFT: (0, -1), RIGHT: (0, 1), UP: (-1, 0), DOWN: (1, 0)}


@pytest.fixture(scope="module", params=[3, 4, 9])
def ways(request):
    return trajectories(request.param)


def test_paths_stay_on_the_canvas_and_out_of_the_cue(ways):
    assert ways.corner.min() == 0 and ways.corner.max() == (GRID - 1) * CELL
    assert not (ways.corner < CELL).all(-1).any() and not ways.touched[:, 0].any()


def test_they_begin_and_end_in_cells(ways):
    for frame, cell in ((0, ways.start), (-1, ways.end)):
        assert (ways.corner[:, frame] == np.stack(np.divmod(cell, GRID), 1) * CELL).all()
        assert ways.touched[np.arange(len(cell)), cell].all()


def test_straight_ones_move_their_way_at_an_even_pace(ways):
    for motion, step in STEP.items():
        moved = np.diff(ways.corner[ways.motion == motion], axis=1)
        assert len(moved) and (np.sign(moved) == step).all()
        assert np.ptp(moved.sum(-1), axis=1).max() <= 1  # whole pixels
    assert (np.diff(ways.corner[ways.motion == STILL], axis=1) == 0).all()


def test_turning_ones_go_and_come_back_along_their_axis(ways):
    for motion, axis in ((IN_ROW, 1), (IN_COLUMN, 0)):
        corner = ways.corner[ways.motion == motion]
        assert len(corner) and (np.ptp(corner[..., 1 - axis], axis=1) == 0).all()
        moved = np.diff(corner[..., axis], axis=1)
        first = np.sign(moved[:, 0])
        assert (first != 0).all() and (np.sign(moved[:, -1]) == -first).all()


def test_what_goes_together_never_overlaps_and_leaves_one_answer(ways):
    one, other = np.nonzero(ways.together)
    apart = np.abs(ways.corner[one] - ways.corner[other]).max(-1)
    assert apart.min() == CELL
    assert (ways.together == ways.together.T).all()
    pairs = set(zip(ways.motion[one].tolist(), ways.motion[other].tolist(), strict=True))
    assert (IN_ROW, UP) in pairs and (LEFT, RIGHT) in pairs
    forbidden = {(m, m) for m in range(7)} | {(IN_ROW, LEFT), (IN_ROW, RIGHT), (IN_COLUMN, UP), (IN_COLUMN, IN_ROW)}
    assert not pairs & forbidden


def test_digits_do_not_pass_through_each_other_between_frames():
    ways = trajectories(4)
    across = (ways.start == 4) & (ways.end == 7), (ways.start == 7) & (ways.end == 4)
    one, other = (np.flatnonzero(chosen)[0] for chosen in across)
    assert np.abs(ways.corner[one] - ways.corner[other]).max(-1).min() == CELL and not ways.together[one, other]
