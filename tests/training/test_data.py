import numpy as np
import torch

from causalablate.examples.questions import WORDS
from causalablate.examples.scenes import DIGIT, QUESTION_TYPES
from causalablate.foveated.sizes import small_config
from causalablate.training.data import gaze_target, training_batch

CONFIG = small_config(WORDS)


def same(a, b):
    return all(torch.equal(a.inputs[name], b.inputs[name]) for name in a.inputs)


def test_a_batch_is_a_function_of_seed_stage_and_step():
    batch = training_batch(CONFIG, 14, 0, 1, 5)
    assert same(batch, training_batch(CONFIG, 14, 0, 1, 5))
    for other in ((1, 1, 5), (0, 0, 5), (0, 1, 6)):
        assert not same(batch, training_batch(CONFIG, 14, *other))


def test_types_are_balanced():
    scenes = training_batch(CONFIG, 21, 0, 0, 0).contents.scenes
    assert sorted(scenes.question_type) == sorted(list(range(7)) * 3)


def test_cell_targets_say_what_is_there():
    batch = training_batch(CONFIG, 14, 0, 0, 0).contents
    for row in range(14):
        for slot in range(batch.scenes.n_digits[row]):
            cell = batch.scenes.digit_cell[row, slot]
            assert batch.cell_class[row, cell] == batch.scenes.digit[row, slot]
            assert batch.colour_class[row, cell] == batch.scenes.colour[row, cell]
    is_digit = torch.from_numpy(batch.scenes.kind == DIGIT)
    assert (batch.cell_class[~is_digit] >= 10).all()


def test_the_gaze_target_is_the_cell_that_holds_the_answer():
    scenes = training_batch(CONFIG, 70, 0, 0, 0).contents.scenes
    target = gaze_target(scenes).numpy()
    for row in range(70):
        kind = QUESTION_TYPES[scenes.question_type[row]]
        looked_at = np.flatnonzero(target[row])
        if kind == "cue_colour":
            assert len(looked_at) == 0
        elif kind in ("count", "largest"):
            assert (scenes.kind[row, looked_at] == DIGIT).all() and len(looked_at) == scenes.n_digits[row]
        else:
            assert looked_at.tolist() == [scenes.digit_cell[row, scenes.target[row]]]
        assert np.isclose(target[row].sum(), len(looked_at) > 0)
