import torch

from causalablate.foveated.sizes import small_config
from causalablate.foveated.vision import VisionEncoder


def encoder(**switches):
    torch.manual_seed(0)
    return VisionEncoder(small_config(["a"], width=32, layers=2, **switches)).eval()


def test_patches_do_not_see_the_queries():
    vision, view = encoder(), torch.rand(2, 3, 48, 48)
    one = vision(view, torch.randn(2, 1, 32))
    other = vision(view, torch.randn(2, 1, 32))
    assert torch.equal(one[:, :17], other[:, :17])
    assert not torch.allclose(one[:, 17:], other[:, 17:])


def test_queries_do_not_see_each_other():
    vision, view, queries = encoder(), torch.rand(2, 3, 48, 48), torch.randn(2, 2, 32)
    together = vision(view, queries)
    torch.testing.assert_close(together[:, 17:18], vision(view, queries[:, :1])[:, 17:])


def test_queries_see_the_patches():
    vision, query = encoder(), torch.randn(1, 1, 32)
    assert not torch.allclose(
        vision(torch.rand(1, 3, 48, 48), query)[:, -1], vision(torch.rand(1, 3, 48, 48), query)[:, -1]
    )


def test_a_shallow_query_leaves_the_encoder_alone_and_reads_at_its_end():
    vision, view = encoder(deep_query=False), torch.rand(2, 3, 48, 48)
    out = vision(view, torch.randn(2, 3, 32))
    assert out.shape == (2, 20, 32)
    torch.testing.assert_close(out[:, :17], vision.dinov2(view).last_hidden_state)
    assert not torch.allclose(out[:, 17], out[:, 18])
