import pytest

from causalablate.training.config import TrainingConfig


@pytest.fixture
def tiny():
    """A run of 4 + 4 + 2 steps that ends in seconds."""

    def make(**changes):
        entries = {
            "name": "tiny",
            "model": {"width": 16, "layers": 1},
            "encoder_warmup": {"steps": 4, "batch_size": 7, "warmup_steps": 2},
            "main": {"steps": 4, "batch_size": 7, "warmup_steps": 2},
            "settle": {"steps": 2, "batch_size": 7, "warmup_steps": 1},
            "evaluation": {"every": 3, "examples": 14, "batch_size": 7},
            "save_every": 2,
        }
        return TrainingConfig.model_validate({**entries, **changes})

    return make
