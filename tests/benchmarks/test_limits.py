import itertools

import pytest
import torch

from benchmarks.limits import limit, work
from benchmarks.replay.flops import FlopCounter
from benchmarks.replay.needed import OTHER
from benchmarks.replay.peak import peak
from benchmarks.replay.workload import spread
from benchmarks.replay.workloads import Setup, language_workload, named, pairs_workload

N_EXAMPLES, TOKENS = 3, 12


@pytest.fixture(scope="module")
def heads():
    return language_workload(Setup(quick=True), N_EXAMPLES)


class Decoder:
    """FLOPs of the parts of one layer per example, by the formulas of the architecture."""

    def __init__(self, config):
        width, self.layers = config.hidden_size, config.num_hidden_layers
        self.heads, kv = config.num_attention_heads, config.num_key_value_heads
        head = width // self.heads
        self.query = 2 * width * width
        self.keys_and_values = 2 * 2 * width * kv * head
        self.output = 2 * width * width
        self.mlp = 3 * 2 * width * config.intermediate_size
        self.attention = 4 * self.heads * head
        """Of one query and one key."""
        self.vocabulary = 2 * width * config.vocab_size

    def forward(self):
        each = self.query + self.keys_and_values + self.output + self.mlp + self.attention * TOKENS
        return self.layers * each * TOKENS + self.vocabulary

    def after_head(self, layer):
        """From the output projection of a layer on: the last layer at the last position, but for keys and values."""
        last = layer == self.layers - 1
        own = (self.output + self.mlp) * (1 if last else TOKENS)
        visible = TOKENS * (TOKENS + 1) // 2
        middle = self.query + self.keys_and_values + self.output + self.mlp
        between = (middle * TOKENS + self.attention * visible) * max(0, self.layers - 2 - layer)
        end = self.keys_and_values * TOKENS + self.query + self.attention * TOKENS + self.output + self.mlp
        return own + between + (0 if last else end) + self.vocabulary


def test_needed_work_of_heads_is_that_of_the_architecture(heads):
    decoder, found = Decoder(heads.model.module.config), work(heads)
    assert found.forward == decoder.forward()
    expected = decoder.heads * sum(decoder.after_head(layer) for layer in range(decoder.layers))
    assert found.lesions == pytest.approx(expected, rel=1e-12)
    assert sum(found.by_shape.values()) == pytest.approx(found.lesions, rel=1e-12)


def test_needed_work_is_counted_on_a_copy(heads):
    before = {name: tensor.clone() for name, tensor in heads.model.module.state_dict().items()}
    work(heads)
    assert all(torch.equal(tensor, before[name]) for name, tensor in heads.model.module.state_dict().items())
    assert all(p.grad is None for p in heads.model.module.parameters())


def test_a_pair_costs_its_later_component_and_a_share_of_its_earlier_one():
    pairs = pairs_workload(Setup(quick=True), N_EXAMPLES, 5)
    decoder, found = Decoder(pairs.model.module.config), work(pairs)
    addresses = list(dict.fromkeys(address for lesion in pairs.lesions for address, _ in lesion))
    assert len(pairs.lesions) == len(addresses) * (len(addresses) - 1) / 2
    most = decoder.forward()
    assert 0 < found.lesions < len(pairs.lesions) * most
    least = min(decoder.after_head(layer) for layer in range(decoder.layers)) - decoder.output
    assert found.lesions > len(pairs.lesions) * least


def test_the_limit_is_flops_over_speed(heads):
    found = work(heads)
    least = limit(heads, found, speed=1e9)
    assert least.plain_flops == found.forward * N_EXAMPLES * (len(heads.lesions) + 1)
    assert least.needed_flops == (found.lesions + found.forward) * N_EXAMPLES
    assert least.seconds == least.needed_flops / 1e9
    assert least.saved == least.plain_flops / least.needed_flops > 1


def test_peak_is_a_speed_and_leaves_out_what_is_no_matrix_product():
    assert peak({(16, 16): 1.0, OTHER: 1e30}, "cpu", torch.float32, quick=True) > 0


def test_flops_of_attention_on_the_cpu_are_counted():
    query, key = torch.randn(2, 4, 5, 8), torch.randn(2, 4, 7, 8)
    with FlopCounter() as counter, torch.inference_mode():
        torch.nn.functional.scaled_dot_product_attention(query, key, key)
    assert counter.total == 2 * 2 * 4 * 5 * 7 * (8 + 8)
    assert not counter.gemms


@pytest.mark.parametrize(("n", "count"), [(270, 30), (10, 3), (5, 5), (5, 0), (4, 9)])
def test_a_spread_sample_is_even_and_seeded(n, count):
    chosen = spread(n, count, seed=3)
    assert chosen == sorted(set(chosen)) == spread(n, count, seed=3)
    assert len(chosen) == (count if 0 < count < n else n)
    gaps = [b - a for a, b in itertools.pairwise(chosen)]
    assert max(gaps) - min(gaps) <= 1


def test_names_of_workloads_and_cases():
    assert named("W1,W2-16", quick=False) == ["W1-8", "W1-32", "W2-16"]
    assert named("W1,W1", quick=True) == ["W1"]
    with pytest.raises(ValueError, match="no workload W9; there are W1-8"):
        named("W9", quick=False)
