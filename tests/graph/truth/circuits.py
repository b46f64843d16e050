"""Small modules that compute something known: a backup, a gate, a loop, a branch."""

import numpy as np
import torch
from torch import nn

import causalablate as ca

WIDTH = 3


def two(y):
    """Logits whose difference is y."""
    return torch.cat((torch.zeros_like(y), y), 1)


def vectors(n, *more, seed=0):
    shape = (n, *more)
    return torch.as_tensor(np.random.default_rng(seed).normal(size=shape), dtype=torch.float32)


class Spare(nn.Module):
    """source -> primary -> reader; the spare reads the source too, and speaks up only while the primary is silent.

    The gate is a number, not a branch, so data can always take that way.
    """

    def __init__(self):
        super().__init__()
        self.source, self.primary, self.spare, self.reader = (nn.Identity() for _ in range(4))

    def forward(self, x):
        source = self.source(x)
        primary = self.primary(2.0 * source)
        silent = (primary == 0).all(1, keepdim=True)
        spare = self.spare(torch.where(silent, 2.0 * source, 0.0))
        return two(self.reader(primary + spare).sum(1, keepdim=True))


class Branching(nn.Module):
    """The same as a branch of the program: while the primary speaks, the spare is not even called."""

    def __init__(self):
        super().__init__()
        self.source, self.primary, self.spare = (nn.Identity() for _ in range(3))

    def forward(self, x):
        source = self.source(x)
        said = self.primary(2.0 * source)
        if not said.any():
            said = self.spare(2.0 * source)
        return two(said.sum(1, keepdim=True))


class Experts(nn.Module):
    """The sign of what the router says decides by which expert, or in which order by both, the example goes."""

    def __init__(self, both):
        super().__init__()
        self.router, self.one, self.other, self.reader = (nn.Identity() for _ in range(4))
        self.both = both

    def forward(self, x):
        first, second = (self.one, self.other) if self.router(x).sum() > 0 else (self.other, self.one)
        said = first(2.0 * x)
        return two(self.reader(second(said) if self.both else said).sum(1, keepdim=True))


class Silent(nn.Module):
    """One part is called and says zero, whatever comes; another's result is not used; a third is never called."""

    def __init__(self):
        super().__init__()
        self.speaks, self.mute, self.unheard, self.uncalled = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        with torch.no_grad():
            for part in (self.speaks, self.unheard):
                part.weight.copy_(torch.eye(WIDTH))
            self.mute.weight.zero_()

    def forward(self, x):
        said = self.speaks(x)
        self.unheard(said)
        return two((said + self.mute(said)).sum(1, keepdim=True))


class Loop(nn.Module):
    """One cell twice over: h1 = W tanh(x), h2 = W tanh(h1 + x); a probe looks at h1, the outcome at h2."""

    def __init__(self):
        super().__init__()
        self.input, self.cell, self.probe = nn.Identity(), nn.Linear(WIDTH, WIDTH, bias=False), nn.Identity()
        with torch.no_grad():
            self.cell.weight.copy_(vectors(WIDTH, WIDTH, seed=1))

    def forward(self, x):
        x = self.input(x)
        first = self.cell(torch.tanh(x))
        probed = self.probe(first)
        return two((self.cell(torch.tanh(first + x)) + 0.5 * probed).sum(1, keepdim=True))


class Majority(nn.Module):
    """p0, p1, p2 say a bit each; pair k is the AND of two of them; the gate is OR of the pairs: the majority."""

    def __init__(self):
        super().__init__()
        self.p = nn.ModuleList(nn.Identity() for _ in range(3))
        self.pair = nn.ModuleList(nn.Identity() for _ in range(3))
        self.gate = nn.Identity()

    def forward(self, x):
        bits = [p(x[:, i : i + 1]) for i, p in enumerate(self.p)]
        pairs = [pair(torch.relu(bits[i] + bits[(i + 1) % 3] - 1)) for i, pair in enumerate(self.pair)]
        return two(self.gate(sum(pairs).clamp(max=1)))


class Exclusive(nn.Module):
    """a XOR b = (a OR b) AND NOT (a AND b), as `either` - `both`."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.either, self.both, self.out = (nn.Identity() for _ in range(5))

    def forward(self, x):
        a, b = self.a(x[:, :1]), self.b(x[:, 1:])
        either, both = self.either((a + b).clamp(max=1)), self.both(torch.relu(a + b - 1))
        return two(self.out(either - both))


def wrapped(module, x, parts=None):
    """A module and its examples; every submodule is a component by default."""
    names = [path for path, part in module.named_modules() if path and not isinstance(part, nn.ModuleList)]
    parts = {name.replace(".", ""): name for name in names} if parts is None else parts
    return ca.wrap(module, parts, answers=["no", "yes"]), ca.tensors(x, ["yes"] * len(x))
