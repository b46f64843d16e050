import torch
from torch import nn

from causalablate.cost.parameters import freed_parameters, idle_parameters


def tied():
    """Two layers of 6 parameters, the second with the weight of the first: 4 + 2 + 2."""
    root = nn.ModuleDict({"first": nn.Linear(2, 2), "second": nn.Linear(2, 2), "alone": nn.Linear(2, 2)})
    root["second"].weight = root["first"].weight
    return root


def test_what_another_module_holds_is_not_freed():
    root = tied()
    assert freed_parameters({"alone": 1.0}, root, ()) == 6
    assert freed_parameters({"first": 1.0}, root, ()) == 2
    assert freed_parameters({"first": 1.0, "second": 1.0}, root, ()) == 8


def test_shares_and_idle_parameters():
    root = tied()
    assert freed_parameters({"alone": 0.5}, root, ()) == 3
    idle = {id(p) for p in root["alone"].parameters()}
    assert freed_parameters({"alone": 0.5}, root, idle) == 6
    assert freed_parameters({}, root, idle) == 6


def test_idle_is_what_no_called_module_holds():
    class Holder(nn.Module):
        """Uses the weight of a module that it does not call, as `nn.MultiheadAttention` does."""

        def __init__(self):
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(2))
            self.projection = nn.Linear(2, 2)

    root = nn.ModuleDict({"holder": Holder(), "idle": nn.Linear(2, 2)})
    assert idle_parameters(root, {"", "holder"}) == {id(p) for p in root["idle"].parameters()}
