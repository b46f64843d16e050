"""Small models in float64 whose effects can be worked out: one linear in every activation, one curved."""

import numpy as np
import pytest
import torch
from torch import nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.examples import Example, ExampleSet
from causalablate.models import Model, Readout
from causalablate.models.foveated import FoveatedAdapter

WIDTH, POSITIONS = 6, 4


class TwoViews(nn.Module):
    """`shared` runs once per view; `reader`'s input also goes around it, and its output is edited in place."""

    def __init__(self, bend):
        super().__init__()
        torch.manual_seed(0)
        self.shared, self.reader = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.once, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2)
        self.unused = nn.Linear(WIDTH, WIDTH)
        self.bend = bend
        self.double()

    def forward(self, views, mask):
        left, right = self.shared(views[:, 0]), self.shared(views[:, 1])
        mixed = self.bend(left + 3 * right)
        read = self.reader(mixed)
        read.mul_(2)
        read = self.bend(read) + mixed
        read = self.once(read)
        return self.head((self.bend(read) * mask[..., None]).sum(1))


class TwoViewsAdapter:
    modes = ()

    def components(self, module):
        halves = [(0, WIDTH // 2), (WIDTH // 2, WIDTH)]
        return ComponentMap(
            [
                Component("shared", "mlp", (Site("shared"),)),
                Component("reader", "mlp", (Site("reader", tokens=True),)),
                Component("block", "layer", (Site("reader", "delta", tokens=True),)),
                *(
                    Component(f"heads.{h}", "head", (Site("reader", "input", span, tokens=True),))
                    for h, span in enumerate(halves)
                ),
                Component("once", "mlp", (Site("once"),)),
                *(Component(f"into.{h}", "head", (Site("once", "input", span),)) for h, span in enumerate(halves)),
                Component("tokens.first", "tokens", (Site("once", tokens=True, group="first"),)),
                Component("everywhere", "mlp", (Site("shared"), Site("once", span=halves[0]))),
                Component("edge", "edge", (Site("reader", "attention_mask", group="first", source="first"),)),
                Component("unused", "mlp", (Site("unused"),)),
            ]
        )

    def encode(self, module, examples):
        rows = [np.random.default_rng(e.seed).normal(size=(2, POSITIONS, WIDTH)) for e in examples]
        mask = np.ones((len(examples), POSITIONS))
        mask[[e.seed % 2 == 1 for e in examples], 0] = 0
        return {"views": torch.tensor(np.array(rows)), "mask": torch.tensor(mask)}

    def alone(self, module, examples):
        return False

    def answers(self, module, examples):
        return torch.tensor([("no", "yes").index(e.answer) for e in examples])

    def token_groups(self, module, inputs):
        real = inputs["mask"].bool()
        first = torch.zeros_like(real)
        first[:, 1] = True
        return {"all": real, "first": first & real}

    def read(self, output):
        return Readout({"answer": output})

    def vocabulary(self, module):
        return ["no", "yes"]

    def tails(self, module):
        return ()


class InDouble(FoveatedAdapter):
    """The reference family in float64, so that finite differences are sharp."""

    def encode(self, module, examples):
        inputs = super().encode(module, examples)
        return {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}

    def read(self, output):
        return Readout({"answer": output.logits, "coarse": output.logits_coarse, "fine": output.logits_fine})


@pytest.fixture(scope="session")
def toys():
    """Twelve examples in six clusters."""
    image = np.zeros((1, 1, 3), dtype=np.uint8)
    return ExampleSet(
        "toys",
        [Example(f"t{i}", (image,), "?", ("no", "yes")[i % 3 == 0], seed=i, cluster=f"c{i // 2}") for i in range(12)],
    )


@pytest.fixture(scope="session")
def toy_reference():
    image = np.zeros((1, 1, 3), dtype=np.uint8)
    return ExampleSet("reference", [Example(f"r{i}", (image,), "?", "no", seed=100 + i) for i in range(8)])


@pytest.fixture
def linear():
    return Model(TwoViews(lambda x: x).eval(), TwoViewsAdapter())


@pytest.fixture
def curved():
    return Model(TwoViews(torch.tanh).eval(), TwoViewsAdapter())


@pytest.fixture(scope="session")
def in_double(make_model):
    return Model(make_model().module.double(), InDouble())
