import pytest
import torch

from causalablate.examples import digits
from causalablate.examples.questions import WORDS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config


@pytest.fixture(scope="session")
def make_model():
    def make(**switches):
        torch.manual_seed(0)
        return FoveatedVLM(small_config(WORDS, **{"width": 32, "layers": 2, **switches})).eval()

    return make


@pytest.fixture(scope="session")
def model(make_model):
    return make_model()


@pytest.fixture(scope="session")
def examples():
    return digits(8, seed=3)
