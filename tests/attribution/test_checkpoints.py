"""Games on a vision-language checkpoint: an example has the shares it has alone, whatever stands beside it."""

import numpy as np
import pytest

from causalablate import attribute, load
from causalablate.attribution import Regions
from causalablate.examples import Example, ExampleSet
from tests.families import llava

QUESTIONS = ("what is red", "what digit is in row one column two", "how many")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("llava")
    llava.build(path)
    return load(path)


@pytest.fixture(scope="module")
def ragged():
    draw = np.random.default_rng(0)
    sides = [(24, 24), (20, 40), (32, 24)]
    return ExampleSet(
        "ragged",
        tuple(
            Example(f"e{i}", (draw.integers(0, 255, (*side, 3), dtype=np.uint8),), question, ("yes", "no")[i % 2])
            for i, (side, question) in enumerate(zip(sides, QUESTIONS, strict=True))
        ),
    )


@pytest.mark.parametrize(
    ("players", "off"),
    [(["connector", "lm.layers.*.mlp"], "zero"), (Regions(1, 2), None)],
    ids=["components", "regions"],
)
def test_shares_do_not_depend_on_the_batch(checkpoint, ragged, players, off):
    asked = {"off": off, "method": "exact", "outcome": "logit_difference"}
    together = attribute(checkpoint, ragged, players, **asked)
    assert (together.frame["attribution"].abs() > 1e-4).any()
    for i in range(len(ragged)):
        alone = attribute(checkpoint, ragged[i : i + 1], players, **asked)
        beside = together.frame[together.frame["example"] == f"e{i}"]
        assert beside["attribution"].to_numpy() == pytest.approx(alone.frame["attribution"].to_numpy(), abs=1e-6)
