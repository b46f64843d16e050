"""A tiny LLaVA with weights of the size that training gives, and examples whose prompts differ in length."""

import pytest

import causalablate as ca
from tests.families import llava as family
from tests.families import tiny


@pytest.fixture(scope="session")
def llava(tmp_path_factory):
    path = tmp_path_factory.mktemp("llava")
    family.build(path)
    model = ca.load(path)
    tiny.spread(model.module)
    return model


@pytest.fixture(scope="session")
def asked():
    return tiny.examples(4)
