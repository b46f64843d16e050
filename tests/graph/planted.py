"""Planted linear graphs: random weights, a backup, and a torch module that computes all of it densely."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

import causalablate as ca


@dataclass(frozen=True)
class Planted:
    """A linear structural model and what is true of it.

    Attributes:
        model: Its nodes are x0, x1, ..., in order; every earlier node enters the sum of a later one, most with weight
            zero, so that data could take any way. The last node is the logit difference.
        examples: Exogenous noise, one row each.
        weight: Shape (p, p), from row to column.
        edges: Pairs of names that are true.
        dormant: Those of them that sleep in the factual run.
        spare: Name of the backup, if there is one; what it stands in for is the node before it.
    """

    model: ca.Model
    examples: object
    weight: np.ndarray
    edges: frozenset
    dormant: frozenset = frozenset()
    spare: str = ""


def random_dag(p, degree=3.0, seed=0):
    """Weights of a random DAG on p nodes in order, of expected degree `degree`, sizes between 0.5 and 1."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.5, 1.0, (p, p)) * rng.choice([-1, 1], (p, p))
    return np.triu(size * (rng.random((p, p)) < degree / (p - 1)), 1)


def plant(weight, n=200, seed=0, spare=None):
    """A planted graph as a model.

    Args:
        weight: Shape (p, p), upper triangle.
        n: Examples.
        seed: Of their noise.
        spare: A node that is to be the backup of the node before it: silent unless that one says zero, then it says
            what that one would have said, to the same nodes. Its own weights do not count.
    """
    weight, dormant = np.array(weight, float), set()
    p = len(weight)
    if spare is not None:
        weight[:, spare], weight[spare] = 0.0, weight[spare - 1]
        parents = np.flatnonzero(weight[:, spare - 1])
        dormant = {(f"x{i}", f"x{spare}") for i in parents} | {
            (f"x{spare}", f"x{j}") for j in np.flatnonzero(weight[spare])
        }
    edges = {(f"x{i}", f"x{j}") for i, j in np.argwhere(weight)} | dormant
    if spare is not None:
        edges.add((f"x{spare - 1}", f"x{spare}"))
    noise = torch.as_tensor(np.random.default_rng([seed, 1]).normal(size=(n, p)), dtype=torch.float32)
    parts = {f"x{j}": f"nodes.{j}" for j in range(p)}
    model = ca.wrap(Dense(weight, spare), parts, answers=["no", "yes"])
    return Planted(
        model,
        ca.tensors(noise, ["yes"] * n),
        weight,
        frozenset(edges),
        frozenset(dormant),
        f"x{spare}" if spare else "",
    )


def with_backup(p, n=200, seed=0):
    """A random planted graph of which one node has a backup right behind it, and the last node needs the two."""
    for attempt in range(100):
        weight = random_dag(p, seed=[seed, attempt])
        for j in range(2, p - 1):
            without = weight.copy()
            without[:, j] = without[j] = 0.0
            if without[:, j - 1].any() and np.linalg.inv(np.eye(p) - without)[j - 1, -1]:
                return plant(without, n, seed, j)
    raise AssertionError("no graph of this size has room for a backup")


def inner(graph):
    """Edges between components, as pairs."""
    return {pair for pair in graph.pairs if pair[1] not in graph.outcomes}


def fdp_and_power(found, true):
    """Share of what was found that is false, and of what is true that was found."""
    return len(found - true) / max(len(found), 1), len(found & true) / len(true)


class Instrument:
    """Measures activations with noise: the factual run once, every lesioned run and the sham anew.

    Noise has an SD of `sigma` times the spread of each node between examples.
    """

    def __init__(self, planted, sigma, seed):
        values = np.stack([next(iter(e.inputs.values())) for e in planted.examples]) @ np.linalg.inv(
            np.eye(len(planted.weight)) - np.triu(planted.weight)
        )
        self.sd = dict(zip([f"x{j}" for j in range(len(planted.weight))], sigma * values.std(axis=0), strict=True))
        self.rng = np.random.default_rng(seed)
        self.last = sigma * values.std(axis=0)[-1]

    def twins(self, twins):
        """Signed changes as it sees them."""
        change, sham = self._seen(twins.targets, twins.change.astype(float))
        return replace(twins, change=change, sham=sham)

    def transfer(self, found):
        """Direct effects as it sees them; for scalars the norm of a change is its size, whatever its sign."""
        change, sham = self._seen(found.targets, found.direct.astype(float))
        norm = np.array([target not in found.graph.outcomes for target in found.targets])
        change[:, norm], sham[norm] = np.abs(change[:, norm]), np.abs(sham[norm])
        return replace(found, direct=change, sham=sham)

    def _seen(self, targets, change):
        sd = np.array([self.sd.get(target, self.last) for target in targets])[:, None]
        once = sd * self.rng.normal(size=change.shape[1:])
        there = sd * self.rng.normal(size=(len(change) + 1, *change.shape[1:]))
        return change + there[1:] - once, there[0] - once


class Dense(nn.Module):
    def __init__(self, weight, spare):
        super().__init__()
        self.register_buffer("weight", torch.as_tensor(weight, dtype=torch.float32))
        self.spare = spare
        self.nodes = nn.ModuleList([nn.Identity() for _ in range(len(weight))])

    def forward(self, noise):
        values, before = [], None
        for j, node in enumerate(self.nodes):
            total = noise[:, j : j + 1]
            if values:
                total = total + torch.cat(values, 1) @ self.weight[:j, j : j + 1]
            if j == self.spare:
                total = torch.where(values[-1] == 0, before, torch.zeros_like(before)) + 0 * total
            before = total
            values.append(node(total))
        return torch.cat((torch.zeros_like(values[-1]), values[-1]), 1)
