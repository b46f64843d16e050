import torch

from causalablate.foveated.passes import Connector, Passes
from causalablate.foveated.sizes import small_config


def test_each_pass_marks_its_tokens():
    passes = Passes(small_config(["a"], width=32))
    torch.nn.init.normal_(passes.fine.mark)
    tokens = torch.randn(2, 3, 32)
    torch.testing.assert_close(passes.fine(tokens) - tokens, passes.fine.mark.expand(2, 3, 32))
    assert torch.equal(passes.coarse(tokens), tokens)


def test_the_connector_keeps_tokens_apart():
    torch.manual_seed(0)
    connector = Connector(small_config(["a"], width=32))
    readings = torch.randn(2, 3, 32)
    torch.testing.assert_close(connector(readings)[:, 1:2], connector(readings[:, 1:2]))


def test_the_connector_can_be_wider_or_narrower_within():
    connector = Connector(small_config(["a"], width=32, connector_hidden=5))
    assert connector(torch.randn(2, 3, 32)).shape == (2, 3, 32)
    assert sum(p.numel() for p in connector.parameters()) == 32 * 5 + 5 + 5 * 32 + 32
