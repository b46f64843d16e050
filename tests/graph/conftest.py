import numpy as np
import pytest
import torch
from torch import nn

import causalablate as ca


class Linear(nn.Module):
    """A linear structural model: node j = its noise + sum of weight[i, j] times node i; one module per node."""

    def __init__(self, weight):
        super().__init__()
        self.p = len(weight)
        self.register_buffer("weight", torch.as_tensor(weight, dtype=torch.float32))
        self.nodes = nn.ModuleList([nn.Identity() for _ in range(self.p)])

    def forward(self, noise):
        values = []
        for j in range(self.p):
            total = noise[:, j : j + 1]
            for i in range(j):
                if self.weight[i, j] != 0:
                    total = total + self.weight[i, j] * values[i]
            values.append(self.nodes[j](total))
        y = values[-1]
        return torch.cat((torch.zeros_like(y), y), 1)


@pytest.fixture(scope="session")
def planted():
    """(weights (p, p), examples, seed) -> a wrapped linear model and its examples; its nodes are x0, x1, ..."""

    def make(weight, n=20, seed=0):
        weight = np.asarray(weight, float)
        noise = torch.as_tensor(np.random.default_rng(seed).normal(size=(n, len(weight))), dtype=torch.float32)
        parts = {f"x{j}": f"nodes.{j}" for j in range(len(weight))}
        return ca.wrap(Linear(weight), parts, answers=["no", "yes"]), ca.tensors(noise, ["yes"] * n)

    return make
