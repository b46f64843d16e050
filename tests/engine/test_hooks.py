"""Attention masks, and the trap of transformers' own hooks."""

from typing import NamedTuple

import pytest
import torch
from transformers import Dinov2Config, Dinov2Model, LlamaConfig, LlamaModel

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.hooks import full_mask, intercepted
from causalablate.engine.lesioned import lesioned
from causalablate.engine.stack import Surroundings
from causalablate.intervention import do


@pytest.fixture(scope="module")
def llama():
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=24,
        vocab_size=11,
    )
    return LlamaModel(config).eval()


def groups(inputs):
    length = inputs["input_ids"].shape[1]
    position = torch.arange(length).expand(inputs["input_ids"].shape)
    return {"all": position >= 0, "first": position == 0, "last": position == length - 1}


def edge(layer):
    site = Site(f"layers.{layer}.self_attn", "attention_mask", group="last", source="first")
    return Component(f"edge.{layer}", "edge", (site,))


IDS = torch.tensor([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_knockout_cuts_the_only_way_of_information(llama, implementation):
    """With first→last cut in both layers and the positions between blind to the first, its token cannot matter."""
    llama.set_attn_implementation(implementation)
    sites = [
        Component(f"blind.{i}.{p}", "edge", (Site(f"layers.{i}.self_attn", "attention_mask", group=p, source="first"),))
        for i in range(2)
        for p in ("last", "middle")
    ]
    components = ComponentMap(sites)

    def with_middle(inputs):
        found = groups(inputs)
        return found | {"middle": ~found["first"] & ~found["last"]}

    changed = IDS.clone()
    changed[:, 0] = 3
    with torch.no_grad():
        assert not torch.allclose(llama(IDS)[0][:, -1], llama(changed)[0][:, -1])
        parts = do("blind.**", off="knockout").resolve(components)
        with lesioned(llama, parts, Surroundings(components, with_middle)) as action:
            one, other = llama(input_ids=IDS)[0][:, -1], llama(input_ids=changed)[0][:, -1]
    assert torch.equal(one, other)
    assert action.change_norm.tolist() == pytest.approx([(2 * 4) ** 0.5] * 2)


def test_knockout_of_one_edge_equals_an_explicit_mask(llama):
    llama.set_attn_implementation("eager")
    components = ComponentMap([edge(1)])
    with torch.no_grad():
        with lesioned(llama, do("edge.1", off="knockout").resolve(components), Surroundings(components, groups)):
            lesioned_out = llama(input_ids=IDS)[0]
        layer = llama.layers[1].self_attn
        handle = layer.register_forward_pre_hook(_cut_first_from_last, with_kwargs=True)
        expected = llama(input_ids=IDS)[0]
        handle.remove()
    assert torch.equal(lesioned_out, expected)


def _cut_first_from_last(module, args, kwargs):
    mask = torch.full((5, 5), torch.finfo(torch.float32).min).triu(1)
    mask[-1, 0] = torch.finfo(torch.float32).min
    return args, {**kwargs, "attention_mask": mask.expand(2, 1, 5, 5)}


def test_full_mask_is_causal_where_the_module_is():
    causal, free = torch.nn.Identity(), torch.nn.Identity()
    causal.is_causal = True
    x = torch.zeros(2, 3, 4)
    assert full_mask(causal, x)[0, 0].tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert full_mask(free, x).all()
    assert full_mask(causal, x[:, :2], cached=1)[0, 0].tolist() == [[True, True, False], [True, True, True]]


def test_collected_hidden_states_see_the_lesion_warm_and_cold():
    """transformers collects output_hidden_states by hooks it installs on first use; ours must come before them."""
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, image_size=12, patch_size=6)
    cold, warm = Dinov2Model(config).eval(), Dinov2Model(config).eval()
    warm.load_state_dict(cold.state_dict())
    components = ComponentMap([Component("layer", "layer", (Site("encoder.layer.1"),))])
    pixels = torch.randn(2, 3, 12, 12)

    def collect(model):
        with torch.no_grad():
            return model(pixel_values=pixels, output_hidden_states=True).hidden_states

    factual = collect(warm)
    seen = []
    for model in (cold, warm):
        parts = do("layer", off="zero").resolve(components)
        with lesioned(model, parts, Surroundings(components, lambda inputs: {})):
            seen.append(collect(model))
    assert len(factual) == len(seen[0]) == len(seen[1])
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))
    assert any((a == 0).all() for a in seen[1]) and not any((a == 0).all() for a in factual)


class Named(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


class ReturnsNamed(torch.nn.Module):
    def forward(self, x):
        return Named(x, 2 * x)


class ReadsNamed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = ReturnsNamed()

    def forward(self, x):
        found = self.inner(x)
        return found.x + found.y


def test_a_named_tuple_stays_one_under_a_lesion():
    components = ComponentMap([Component("inner", "other", (Site("inner"),))])
    x = torch.ones(2, 3)
    net = ReadsNamed()
    with lesioned(net, do("inner", off="zero").resolve(components), Surroundings(components, lambda inputs: {})):
        assert torch.equal(net(x=x), 2 * x)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_interceptors_nest_and_go_away(error):
    """The inner one runs first, around what the outer one lets through; the module's own forward comes back."""
    net, seen = torch.nn.Identity(), []
    net.forward = own = lambda x: x + 1

    def noting(name):
        def intercept(forward, args, kwargs):
            seen.append(name)
            return forward(*args, **kwargs)

        return intercept

    def run():
        with intercepted({net: noting("outer")}), intercepted({net: noting("inner")}):
            assert net(1) == 2
            if error is not None:
                raise error

    if error is None:
        run()
    else:
        with pytest.raises(error):
            run()
    assert seen == ["inner", "outer"] and net.forward is own and net(1) == 2
