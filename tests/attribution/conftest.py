"""Games whose values are known: each player is a module of its own, and the logit difference is what they make."""

import numpy as np
import pytest
import torch
from torch import nn

from causalablate.attribution.game import Table
from causalablate.attribution.shapley import all_coalitions
from causalablate.component import Component, ComponentMap, Site
from causalablate.examples import Example, ExampleSet
from causalablate.models import Model, Readout


class Makers(nn.Module):
    """Player i gives column i of its input, or 0 when it is off; `worth` makes one number per row of that."""

    def __init__(self, n_players, worth):
        super().__init__()
        self.players = nn.ModuleList(nn.Identity() for _ in range(n_players))
        self.scale = nn.Parameter(torch.ones(1, dtype=torch.float64))
        self.worth = worth

    def forward(self, given):
        made = torch.cat([player(given[:, i : i + 1]) for i, player in enumerate(self.players)], dim=1)
        value = self.worth(made) * self.scale
        return torch.stack([value, torch.zeros_like(value)], dim=1)


class MakersAdapter:
    model_type = "makers"
    modes = ()

    def __init__(self, given):
        self.given = given

    def load(self, path, mode):
        raise NotImplementedError

    def components(self, module):
        return ComponentMap([Component(f"p.{i}", "maker", (Site(f"players.{i}"),)) for i in range(len(module.players))])

    def encode(self, module, examples):
        return {"given": torch.tensor(np.array([self.given[e.seed] for e in examples]), dtype=torch.float64)}

    def answers(self, module, examples):
        return torch.zeros(len(examples), dtype=torch.long)

    def token_groups(self, module, inputs):
        return {"all": torch.ones(len(inputs["given"]), 1, dtype=torch.bool)}

    def read(self, output):
        return Readout({"answer": output})

    def vocabulary(self, module):
        return ["yes", "no"]

    def tails(self, module):
        return ()

    def alone(self, module, examples):
        return False


def _toys(n, clusters=None):
    image = np.zeros((1, 1, 3), dtype=np.uint8)
    groups = ({"parity": "even"}, {"parity": "odd"})
    return ExampleSet(
        "toys",
        tuple(
            Example(
                f"t{i}", (image,), "?", "yes", groups[i % 2], seed=i, cluster=f"c{i // clusters}" if clusters else ""
            )
            for i in range(n)
        ),
    )


def _game(worth, given):
    given = np.atleast_2d(np.asarray(given, dtype=float))
    return Model(Makers(given.shape[1], worth).eval(), MakersAdapter(given)), _toys(len(given))


def glove(made):
    """One left glove, two right ones: a pair is worth 1. Shapley values 2/3, 1/6, 1/6."""
    return torch.minimum(made[:, 0], torch.maximum(made[:, 1], made[:, 2]))


@pytest.fixture
def game_of():
    """A model and examples that play `worth` with the given columns: `game_of(worth, given)`."""
    return _game


@pytest.fixture
def glove_game():
    return _game(glove, [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])


@pytest.fixture
def toys():
    return _toys


@pytest.fixture
def random_game():
    """Any game of n players on so many examples: a table of random values."""

    def make(n_players, n_examples=3, seed=0):
        coalitions = all_coalitions(n_players)
        values = np.random.default_rng(seed).normal(size=(len(coalitions), n_examples))
        return Table({c.tobytes(): i for i, c in enumerate(coalitions)}, values)

    return make
