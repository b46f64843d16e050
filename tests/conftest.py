"""Small models and example sets that many tests share."""

import os

import pytest
import torch
from hypothesis import settings

from causalablate.examples import digits
from causalablate.examples.questions import WORDS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.models import Model
from causalablate.models.foveated import FoveatedAdapter

# Models this small are slower on several threads, and very much slower when cores are shared.
torch.set_num_threads(1)
# How long an example takes depends on what else runs.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """A flush takes half a second on some disks, and no test pulls the plug: killed processes lose no written page.

    That every file and its directory are flushed, in the right order, is tested by recording the calls.
    """
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def untrained(seed=0, **switches):
    """A reference model with random weights: everything moves, nothing is learned."""
    torch.manual_seed(seed)
    return Model(FoveatedVLM(small_config(WORDS, width=32, layers=2, **switches)).eval(), FoveatedAdapter())


@pytest.fixture(scope="session")
def make_model():
    return untrained


@pytest.fixture(scope="session")
def model():
    return untrained()


@pytest.fixture(scope="session")
def examples():
    return digits(24, split="test", seed=5)


@pytest.fixture(scope="session")
def reference():
    return digits(32, split="validation", seed=6)
