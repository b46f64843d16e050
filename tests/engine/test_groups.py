import pytest
import torch

from causalablate.engine.groups import gathered, positions, spread
from causalablate.errors import LesionError

ALL = torch.tensor([[0, 1, 1, 1, 1], [1, 1, 1, 1, 1]]).bool()
IMAGE = torch.tensor([[0, 0, 1, 1, 0], [1, 0, 1, 0, 0]]).bool()
GROUPS = {"all": ALL, "image": IMAGE}


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("image", [[2, 3], [0, 2]]),
        ("image[0]", [[2], [0]]),
        ("image[-1]", [[3], [2]]),
        ("0", [[1], [0]]),
        ("-1", [[4], [4]]),
        ("-4", [[1], [1]]),
        ("all[1]", [[2], [1]]),
    ],
)
def test_names_of_positions(name, where):
    assert [torch.nonzero(row)[:, 0].tolist() for row in positions(GROUPS, name)] == where


@pytest.mark.parametrize("name", ["image[2]", "image[-3]", "-5", "4"])
def test_a_position_that_some_row_lacks_is_an_error(name):
    with pytest.raises(LesionError, match="is not there"):
        positions(GROUPS, name)


@pytest.mark.parametrize("name", ["imag", "image[", "image[x]", "[1]", "text[1]", ""])
def test_an_unknown_group_is_an_error(name):
    with pytest.raises(LesionError, match="no token group"):
        positions(GROUPS, name)


def test_a_group_is_gathered_in_its_own_order_and_put_back():
    x = torch.arange(20.0).reshape(2, 5, 2)
    part = gathered(x, IMAGE)
    assert torch.equal(part, torch.stack([x[0, [2, 3]], x[1, [0, 2]]]))
    assert torch.equal(spread(part, IMAGE, "image"), x * IMAGE[:, :, None])
    assert torch.equal(spread(part[:1], IMAGE, "image")[1, [0, 2]], part[0])
    assert gathered(x, ALL) is None
    with pytest.raises(LesionError, match='have 2 positions of "image", and an example here has 4'):
        spread(part, ALL, "image")
