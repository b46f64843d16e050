"""Gates, backups and polynomials as torch modules with weights set by hand, lesioned through the ordinary engine."""

import numpy as np
import pytest
import torch
from torch import nn

import causalablate as ca

# h_k = relu(number of inputs that are on - k); every symmetric gate is linear in them.
GATES = {
    "and": [0, 1],
    "or": [1, -1],
    "xor": [1, -2],
    "majority": [0, 1, -1],
    "and3": [0, 0, 1],
    "or3": [1, -1, 0],
    "sum": [1, 0, 0],
}


class Gate(nn.Module):
    """Component i says input i; a two-layer perceptron with weights set by hand computes the gate."""

    def __init__(self, n, weights):
        super().__init__()
        self.parts = nn.ModuleList(nn.Identity() for _ in range(n))
        self.count, self.out = nn.Linear(n, len(weights)), nn.Linear(len(weights), 1, bias=False)
        with torch.no_grad():
            self.count.weight.fill_(1.0)
            self.count.bias.copy_(-torch.arange(len(weights), dtype=torch.float32))
            self.out.weight.copy_(torch.tensor([weights], dtype=torch.float32))

    def forward(self, x):
        said = torch.cat([part(x[:, i : i + 1]) for i, part in enumerate(self.parts)], 1)
        y = self.out(torch.relu(self.count(said)))
        return torch.cat((torch.full_like(y, 0.5), y), 1)


class Backup(nn.Module):
    """The primary says its input; the backup says a share of it, if the primary does not. Both act on the outcome."""

    def __init__(self, share):
        super().__init__()
        self.primary, self.backup, self.share = nn.Identity(), nn.Identity(), share

    def forward(self, x):
        first = self.primary(x)
        second = self.backup(self.share * torch.relu(x - first))
        y = first + second
        return torch.cat((torch.zeros_like(y), y), 1)


class Polynomial(nn.Module):
    """Component i says 1; the outcome of an example is a polynomial in what they say: its Möbius coefficients."""

    def __init__(self, sets, n):
        super().__init__()
        self.parts = nn.ModuleList(nn.Identity() for _ in range(n))
        self.register_buffer("member", torch.tensor(sets, dtype=torch.float32))

    def forward(self, x, m):
        said = torch.cat([part(x[:, i : i + 1]) for i, part in enumerate(self.parts)], 1)
        there = torch.where(self.member.bool()[None], said[:, None], 1.0).prod(-1)
        y = (there * m).sum(-1, keepdim=True)
        return torch.cat((torch.zeros_like(y), y), 1)


@pytest.fixture(scope="session")
def gate():
    """(name, inputs (examples, n), answers) -> a wrapped gate, its examples, and a lesion per component p0, p1, ..."""

    def make(name, inputs, answers=None):
        inputs = np.atleast_2d(np.asarray(inputs, dtype=np.float32))
        n = inputs.shape[1]
        model = ca.wrap(Gate(n, GATES[name]), {f"p{i}": f"parts.{i}" for i in range(n)}, answers=["no", "yes"])
        examples = ca.tensors(torch.from_numpy(inputs), answers or ["yes"] * len(inputs))
        return model, examples, {f"p{i}": ca.do(f"p{i}", off="zero") for i in range(n)}

    return make


@pytest.fixture(scope="session")
def backup():
    """(share, inputs (examples,)) -> a wrapped model whose backup takes over that share, and its examples."""

    def make(share, inputs):
        x = torch.as_tensor(np.asarray(inputs), dtype=torch.float32)[:, None]
        model = ca.wrap(Backup(share), {"primary": "primary", "backup": "backup"}, answers=["no", "yes"])
        return model, ca.tensors(x, ["yes"] * len(x))

    return make


@pytest.fixture(scope="session")
def polynomial():
    """(sets (k, n) bool, Möbius coefficients (examples, k)) -> a wrapped model, its examples, and lesions as above."""

    def make(sets, coefficients):
        sets, m = np.asarray(sets, bool), torch.as_tensor(coefficients, dtype=torch.float32)
        n = sets.shape[1]
        model = ca.wrap(Polynomial(sets, n), {f"p{i}": f"parts.{i}" for i in range(n)}, answers=["no", "yes"])
        examples = ca.tensors({"x": torch.ones(len(m), n), "m": m}, ["yes"] * len(m))
        return model, examples, {f"p{i}": ca.do(f"p{i}", off="zero") for i in range(n)}

    return make
