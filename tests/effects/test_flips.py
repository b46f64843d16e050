import pytest

from causalablate.effects import Kind
from causalablate.effects.flips import count_flips


def test_every_cell(paired):
    got = count_flips(paired([1, 1, 1, 0, 0, 0, 0], [1, 0, 0, 1, 1, 1, 0], Kind.BINARY))
    assert (got.n11[0], got.n10[0], got.n01[0], got.n00[0]) == (1, 2, 3, 1)


@pytest.mark.parametrize("kind", [Kind.REAL, Kind.DISTANCE, Kind.CATEGORICAL])
def test_only_binary_outcomes_flip(paired, kind):
    assert count_flips(paired([1, 0], [0, 0], kind)) is None
