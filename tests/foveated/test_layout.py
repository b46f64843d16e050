import torch

from causalablate.foveated.layout import TokenLayout
from causalablate.foveated.sizes import small_config


def test_groups_tile_the_sequence():
    layout = TokenLayout(question=10, frames=3, per_frame=2)
    positions = list(range(layout.length))
    groups = {name: positions[where] for name, where in layout.groups.items()}
    assert groups["question"] + groups["image"] + groups["answer"] == positions
    assert groups["image.first"] + groups["image.fine"] == groups["image"]
    assert len(groups["image.first"]) == 2 and positions[layout.frame(2)] == [14, 15]


def test_nobody_sees_padding_or_the_future():
    layout = TokenLayout(question=3, frames=1, per_frame=1)
    allowed = layout.mask(torch.tensor([[0, 1, 1]]), torch.float32)[0, 0] == 0
    assert allowed.tolist() == [
        [True, False, False, False, False],
        [False, True, False, False, False],
        [False, True, True, False, False],
        [False, True, True, True, False],
        [False, True, True, True, True],
    ]


def test_positions_count_from_the_first_word():
    layout = TokenLayout(question=3, frames=1, per_frame=1)
    assert layout.position_ids(torch.tensor([[0, 0, 1], [1, 1, 1]])).tolist() == [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]]


def test_of_a_config_for_the_most_frames_or_for_fewer():
    config = small_config(["a"], n_frames=4, visual_tokens_per_frame=3)
    assert TokenLayout.of(config) == TokenLayout(10, 4, 3)
    assert TokenLayout.of(config, 2) == TokenLayout(10, 2, 3)


def test_a_single_frame_has_no_fine_tokens():
    groups = TokenLayout(question=2, frames=1, per_frame=1).groups
    assert list(range(4)[groups["image.fine"]]) == [] and list(range(4)[groups["image.first"]]) == [2]
