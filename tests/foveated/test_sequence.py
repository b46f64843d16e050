import torch

from causalablate.foveated.sequence import SEQUENCES
from causalablate.foveated.sizes import small_config


def assembled(fusion, visual):
    torch.manual_seed(0)
    sequence = SEQUENCES[fusion](small_config(["a"], width=32))
    return sequence(torch.ones(2, 4, 32), visual, torch.ones(2, 1, 32))


def test_every_fusion_keeps_the_layout_and_delivers_the_visual_tokens():
    for fusion in SEQUENCES:
        one, other = assembled(fusion, torch.ones(2, 2, 32)), assembled(fusion, torch.randn(2, 2, 32))
        assert one.shape == (2, 7, 32)
        assert torch.equal(one[:, :4], other[:, :4]) and not torch.allclose(one[:, 4:], other[:, 4:])


def test_cross_attention_keeps_time_order():
    visual = torch.randn(2, 2, 32)
    changed = visual.clone()
    changed[:, 1] = 0
    one, other = assembled("cross_attention", visual), assembled("cross_attention", changed)
    assert torch.equal(one[:, 4], other[:, 4]) and not torch.allclose(one[:, 6], other[:, 6])
