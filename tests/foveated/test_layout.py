import torch

from causalablate.foveated.layout import TokenLayout


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
