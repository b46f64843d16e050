import torch

from causalablate.foveated.opponent import GATES, Opponent
from causalablate.foveated.sizes import small_config


def test_gates_are_open_intervals_set_by_the_query():
    torch.manual_seed(0)
    opponent = Opponent(small_config(["a"], width=32))
    queries = torch.randn(5, 1, 32)
    gates = [getattr(opponent, name)(queries) for name in GATES]
    assert all(gate.shape == (5, 1) and gate.min() > 0 and gate.max() < 1 and gate.std() > 0 for gate in gates)
