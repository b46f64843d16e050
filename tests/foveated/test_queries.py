import torch

from causalablate.foveated.queries import Queries
from causalablate.foveated.sizes import small_config


def test_learned_queries_are_the_same_for_every_example_and_dynamic_ones_are_not():
    queries = Queries(small_config(["a"], width=32, visual_tokens_per_frame=2))
    torch.nn.init.normal_(queries.static.weight)
    batch = torch.randn(3, 2, 32)
    static = queries.static(batch)
    assert (
        static.shape == (3, 2, 32) and torch.equal(static[0], static[2]) and not torch.equal(static[0, 0], static[0, 1])
    )
    dynamic = queries.dynamic(batch)
    assert dynamic.shape == (3, 2, 32) and not torch.equal(dynamic[0], dynamic[1])
