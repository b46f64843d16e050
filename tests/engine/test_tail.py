import pytest
import torch
from torch import nn

from causalablate.engine.tail import Tail, at_positions

TAIL = Tail(("layers.3.o_proj", "layers.3.mlp", "norm"), ((-1,),))


@pytest.mark.parametrize(
    ("place", "admitted"),
    [
        (("layers.2", "delta"), True),
        (("layers.3.v_proj", "output"), True),
        (("layers.3.o_proj", "input"), True),
        (("layers.3", "attention_mask"), True),
        (("head", "output"), True),
        (("layers.3.mlp_gate", "output"), True),
        (("layers.30", "output"), True),
        (("layers.3.o_proj", "output"), False),
        (("layers.3.mlp", "input"), False),
        (("layers.3.mlp.down", "input"), False),
        (("layers.3", "delta"), False),
        (("layers", "output"), False),
        (("norm", "output"), False),
    ],
)
def test_lesions_that_measure_positions_nobody_reads_are_not_admitted(place, admitted):
    assert TAIL.admits([place]) is admitted
    assert TAIL.admits([("layers.0", "delta"), place]) is admitted
    assert TAIL.admits([])


@pytest.mark.parametrize("positions", [(-1,), (0, 2), (2, -5, 0, 2), (4,)])
@pytest.mark.parametrize("by_keyword", [False, True])
def test_other_positions_are_not_computed(positions, by_keyword):
    linear, seen = nn.Linear(3, 4), []
    x = torch.randn(2, 5, 3)

    def forward(hidden_states, factor=1):
        seen.append(hidden_states.shape[1])
        return factor * linear(hidden_states)

    args, kwargs = ((), {"hidden_states": x, "factor": 2}) if by_keyword else ((x, 2), {})
    found = at_positions(positions, forward, args, kwargs)
    where = sorted({p % 5 for p in positions})
    others = [p for p in range(5) if p not in where]
    assert seen == [len(where)] and found.shape == (2, 5, 4)
    assert torch.allclose(found[:, where], 2 * linear(x)[:, where]) and found[:, others].isnan().all()
