"""TransformerLens' names reach what TransformerLens hooks there, checked with plain torch hooks."""

import pytest
import torch
from torch import nn

import causalablate as ca
from causalablate.component import Component, ComponentMap, Site
from causalablate.errors import ComponentNotFoundError
from causalablate.hook_names import SUPPORTED, is_hook_name


def addresses(model, name):
    return [component.address for component in model.components.select(name)]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("blocks.1.attn.hook_z", "lm.layers.1.heads.*"),
        ("blocks.1.attn.hook_z.3", "lm.layers.1.heads.3"),
        ("blocks.1.attn.hook_z[:, :, 3]", "lm.layers.1.heads.3"),
        ("blocks.1.attn.hook_z[:,:,3]", "lm.layers.1.heads.3"),
        ("blocks.*.attn.hook_z.0", "lm.layers.*.heads.0"),
        ("blocks.0.hook_mlp_out", "lm.layers.0.mlp"),
        ("blocks.{0..1}.hook_mlp_out", "lm.layers.{0..1}.mlp"),
        ("blocks.0.hook_mlp_out@image", "lm.layers.0.mlp@image"),
        ("blocks.1.hook_resid_post", "lm.layers.1.resid"),
        ("hook_embed", "tokens.*"),
    ],
)
def test_names_stand_for_addresses(model, name, address):
    assert addresses(model, name) == addresses(model, address)


def zeroed(module, path, inputs, *, at_input):
    """Zero what goes into, or comes out of, one module at every call."""
    inner = module.get_submodule(path)
    if at_input:
        handle = inner.register_forward_pre_hook(
            lambda m, args, kwargs: (
                ((args[0] * 0, *args[1:]), kwargs)
                if args
                else (args, kwargs | {"hidden_states": kwargs["hidden_states"] * 0})
            ),
            with_kwargs=True,
        )
    else:
        handle = inner.register_forward_hook(
            lambda m, args, output: output * 0 if isinstance(output, torch.Tensor) else (output[0] * 0, *output[1:])
        )
    with torch.no_grad():
        logits = module(**inputs).logits
    handle.remove()
    return logits


@pytest.mark.parametrize(
    ("name", "path", "at_input"),
    [
        ("blocks.1.hook_attn_out", "lm.model.layers.1.self_attn", False),
        ("blocks.1.hook_mlp_out", "lm.model.layers.1.mlp", False),
        ("blocks.1.hook_resid_pre", "lm.model.layers.1", True),
        ("blocks.1.hook_resid_post", "lm.model.layers.1", False),
        ("blocks.0.attn.hook_z", "lm.model.layers.0.self_attn.o_proj", True),
    ],
)
def test_a_lesion_by_hook_name_is_what_a_torch_hook_does(make_model, examples, name, path, at_input):
    model = make_model(seed=3)
    for layer in model.module.lm.model.layers:
        layer.self_attn.o_proj.bias = nn.Parameter(torch.randn(layer.self_attn.o_proj.out_features))
    inputs = model.encode(examples[:4])
    expected = zeroed(model.module, path, inputs, at_input=at_input)
    with torch.no_grad(), model.do(ca.do(name, off="zero")):
        found = model(**inputs).logits
    with torch.no_grad():
        assert not torch.allclose(found, model(**inputs).logits, atol=1e-3)
    assert torch.allclose(found, expected, atol=1e-5)


def test_places_that_are_no_components_can_be_swept_read_and_replaced(model, examples, reference):
    names = ["blocks.0.hook_attn_out", "blocks.1.hook_resid_pre"]
    lesions = [ca.do(name, off=off) for name in names for off in ("mean", "resample")]
    table = ca.counterfactuals(model, examples, lesions, reference=reference).frame
    assert table["fired"].all() and set(table["lesion"]) == {lesion.name for lesion in lesions}
    each = ca.counterfactuals(model, examples, "blocks.*.hook_attn_out", off="zero").frame
    assert set(each["lesion"]) == {f"blocks.{i}.hook_attn_out=zero" for i in range(2)}
    inputs = model.encode(examples[:2])
    before, after = (model.activations(a, **inputs) for a in ("blocks.1.hook_resid_pre", "lm.layers.0.resid"))
    assert len(before) == 2 and all(map(torch.equal, before, after))


def test_the_only_tower_is_meant_where_there_is_no_language_model():
    parts = [Component("vision.layers.0.mlp", "mlp", (Site("a"),)), Component("head", "module", (Site("b"),))]
    assert ComponentMap(parts).select("blocks.0.hook_mlp_out")[0].address == "vision.layers.0.mlp"
    two = [*parts, Component("qformer.layers.0.mlp", "mlp", (Site("c"),))]
    with pytest.raises(ComponentNotFoundError):
        ComponentMap(two).select("blocks.0.hook_mlp_out")


@pytest.mark.parametrize(
    "name", ["blocks.0.attn.hook_pattern", "blocks.0.hook_resid_mid", "blocks.0.hook_mlp_out.3", "hook_pos_embed"]
)
def test_other_hook_names_are_refused_with_all_that_are_understood(model, name):
    with pytest.raises(ComponentNotFoundError) as error:
        model.components.select(name)
    assert all(known in str(error.value) for known in SUPPORTED) and f'"{name}"' in str(error.value)


def test_layers_and_heads_that_are_not_there_are_named_as_such(model):
    with pytest.raises(ComponentNotFoundError, match=r"lm.layers has 0, 1"):
        model.components.select("blocks.7.hook_mlp_out")
    with pytest.raises(ComponentNotFoundError, match=r'no component "lm.layers.1.heads.9"'):
        model.components.select("blocks.1.attn.hook_z.9")


def test_no_address_of_a_model_looks_like_a_hook_name(model):
    assert not any(map(is_hook_name, model.components))


def test_an_address_that_looks_like_a_hook_name_is_the_component_itself():
    parts = [Component("blocks.0.hook_mlp_out", "module", (Site("own"),)), Component("lm.layers.0.mlp", "mlp", ())]
    assert ComponentMap(parts).select("blocks.*.hook_mlp_out") == parts[:1]
    assert ComponentMap(parts)["blocks.0.hook_mlp_out"] is parts[0]
