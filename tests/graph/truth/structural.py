"""Non-linear structural models with vector-valued nodes: who acts on whom, and by how much, is known."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import causalablate as ca

WIDTH = 3
KINDS = ("linear", "tanh", "relu", "product", "max")


@dataclass(frozen=True)
class Truth:
    """A model and what is true of it.

    Attributes:
        model: Its nodes are x0, x1, ...
        examples: Exogenous noise, shape (p, WIDTH) each.
        edges: Pairs of names, `outcome` among the targets.
        kinds: Of mechanism, by node.
        weight: By edge (i, j), the matrix that the source is multiplied by, shape (WIDTH, WIDTH).
        read: Nodes that the outcome is the sum of.
    """

    model: ca.Model
    examples: ca.ExampleSet
    edges: frozenset
    kinds: tuple
    weight: dict
    read: tuple

    def values(self, off=None, at=None):
        """All activations by numpy, float64, shape (p, examples, WIDTH), with one node at zero; then the outcome.

        Args:
            off: The node.
            at: Activations at which all others are held; then what each would have been is returned.
        """
        noise = np.stack([next(iter(e.inputs.values())) for e in self.examples]).astype(float)
        said, heard = [], []
        for j, kind in enumerate(self.kinds):
            given = [said[i] @ self.weight[i, k] for i, k in self.weight if k == j]
            value = noise[:, j] + (_mix(kind, given, np) if given else 0.0)
            heard.append(value)
            said.append(0 * value if j == off else value if at is None else at[j])
        outcome = sum(said[i].sum(1) for i in self.read)
        return np.stack(said if at is None else heard), outcome


def _mix(kind, given, library):
    """What a mechanism makes of its inputs, alike in numpy and in torch."""
    if kind == "product":
        out = given[0]
        for x in given[1:]:
            out = out * x
        return out if len(given) > 1 else out * out
    if kind == "max":
        out = given[0]
        for x in given[1:]:
            out = library.maximum(out, x)
        return out
    total = sum(given[1:], given[0])
    if kind == "tanh":
        return library.tanh(total)
    if kind == "relu":
        return library.maximum(total, 0 * total)
    return total


class Structural(nn.Module):
    """Node j is its noise plus what its mechanism makes of its parents; the outcome is a sum of some nodes."""

    def __init__(self, kinds, weight, read):
        super().__init__()
        self.kinds, self.read, self.edges = kinds, read, tuple(weight)
        self.nodes = nn.ModuleList(nn.Identity() for _ in kinds)
        for (i, j), matrix in weight.items():
            self.register_buffer(f"w{i}_{j}", torch.as_tensor(matrix, dtype=torch.float32))

    def forward(self, noise):
        said = []
        for j, kind in enumerate(self.kinds):
            given = [said[i] @ getattr(self, f"w{i}_{j}") for i, k in self.edges if k == j]
            value = noise[:, j]
            if given:
                value = value + _mix(kind, given, torch)
            said.append(self.nodes[j](value))
        y = sum(said[i].sum(1, keepdim=True) for i in self.read)
        return torch.cat((torch.zeros_like(y), y), 1)


def structural(p=8, degree=3.0, n=30, seed=0):
    """A random non-linear structural model; sinks are what the outcome reads, and some other nodes."""
    rng = np.random.default_rng(seed)
    there = np.triu(rng.random((p, p)) < degree / (p - 1), 1)
    weight = {(int(i), int(j)): rng.normal(size=(WIDTH, WIDTH)) / WIDTH**0.5 for i, j in np.argwhere(there)}
    kinds = tuple(rng.choice(KINDS, p))
    read = tuple(j for j in range(p) if not there[j].any() or rng.random() < 0.2)
    edges = {(f"x{i}", f"x{j}") for i, j in weight} | {(f"x{j}", "outcome") for j in read}
    parts = {f"x{j}": f"nodes.{j}" for j in range(p)}
    model = ca.wrap(Structural(kinds, weight, read), parts, answers=["no", "yes"])
    noise = torch.as_tensor(rng.normal(size=(n, p, WIDTH)), dtype=torch.float32)
    return Truth(model, ca.tensors(noise, ["yes"] * n), frozenset(edges), kinds, weight, read)
