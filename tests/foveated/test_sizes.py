import torch

from causalablate.examples.questions import WORDS
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config, true_size_config


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_shipped_size_is_below_five_megabytes():
    with torch.device("meta"):
        assert count(FoveatedVLM(small_config(WORDS, width=128))) * 4 < 5e6


def test_the_true_size_builds_from_config_alone():
    config = true_size_config(WORDS)
    with torch.device("meta"):
        model = FoveatedVLM(config)
    assert config.n_patches == 256
    assert count(model.lm) == 134_515_008  # SmolLM2-135M as published
    assert 21e6 < count(model.vision.dinov2) < 22.2e6  # DINOv2-small, position embeddings for 224 pixels
