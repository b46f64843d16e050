import pytest
import torch

from causalablate.errors import CheckpointError, InertLesionError
from causalablate.foveated.config import MODES
from causalablate.intervention import do
from causalablate.models import load
from causalablate.offs import admitted

KINDS = {
    "query",
    "layer",
    "head",
    "mlp",
    "connector",
    "pass",
    "texture",
    "scorer",
    "gate",
    "allocator",
    "tokens",
    "edge",
}


def logits(model, inputs):
    with torch.no_grad():
        return model.read(model(**inputs)).logits["answer"]


def test_the_map_holds_every_kind_of_component(model):
    assert set(model.components.kinds()) == KINDS
    assert len(model.components.select("vision.layers.*.heads.*")) == 2 * 4
    assert len(model.components.select("texture.*")) == 5
    assert len(model.components.select("scorers.*")) == len(model.components.select("opponent.*")) == 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fusion", ["concat", "cross_attention"])
def test_in_every_mode_each_listed_component_acts_and_moves_something(make_model, examples, mode, fusion):
    """A component that a mode does not use is not listed; each listed one changes its site and the answers."""
    model = make_model(mode=mode, fusion=fusion)
    inputs = model.encode(examples)
    factual = logits(model, inputs)
    for component in model.components.values():
        off = "knockout" if component.kind == "edge" else {"kind": "scale", "factor": -3.0}
        with model.do(do(component.address, off=off)) as action:
            lesioned = logits(model, inputs)
        assert action.fired.all()
        assert (action.change_norm > 0).all(), component.address
        assert not torch.equal(lesioned, factual) or _cannot_move(component.address, fusion), component.address


def _cannot_move(address, fusion):
    """Edges into image positions change only image hidden states, which the last layer does not pass on."""
    return "edges" in address and address.endswith("image") and address.startswith("lm.layers.1")


def test_heads_partition_the_output_projection(model, examples):
    """All heads of a layer off is the attention's output projection of nothing: its bias, or zero."""
    inputs = model.encode(examples)
    zeros = {"kind": "value", "value": 0.0}
    with model.do(do("lm.layers.0.heads.*", off="zero")):
        by_heads = logits(model, inputs)
    attention = model.module.lm.model.layers[0].self_attn.o_proj
    handle = attention.register_forward_hook(lambda *_: torch.zeros_like(_[2]))
    by_hand = logits(model, inputs)
    handle.remove()
    assert torch.allclose(by_heads, by_hand, atol=1e-6)
    with model.do(do("lm.layers.0.heads.*", off=zeros)):
        assert torch.equal(by_heads, logits(model, inputs))


def test_a_layer_off_is_a_layer_skipped(model, examples):
    inputs = model.encode(examples)
    with model.do(do("vision.layers.1", off="zero")):
        off = logits(model, inputs)
    layers = model.module.vision.dinov2.encoder.layer
    skipped = layers[1]
    layers[1] = torch.nn.Identity()
    layers[1].forward = lambda hidden, *args, **kwargs: hidden
    by_hand = logits(model, inputs)
    layers[1] = skipped
    assert torch.equal(off, by_hand)


@pytest.mark.parametrize(("kind", "budget"), [("fixed_min", 64.0), ("fixed_max", 400.0)])
def test_forced_budgets_change_what_is_seen(model, examples, kind, budget):
    inputs = model.encode(examples)
    with model.do(do("allocator", off=kind)):
        readout = model.read(model(**inputs))
    assert (readout.allocation == budget).all()
    assert not torch.equal(readout.logits["answer"], logits(model, inputs))


def test_uniform_budgets_spend_the_same_total(model, examples):
    inputs = model.encode(examples)
    factual = model.read(model(**inputs)).allocation
    with model.do(do("allocator", off="uniform")):
        uniform = model.read(model(**inputs)).allocation
    assert torch.allclose(factual.sum((1, 2)), uniform.sum((1, 2)), rtol=1e-4)
    assert torch.allclose(uniform, uniform[:, :1, :1].expand_as(uniform))
    assert not torch.allclose(factual, uniform)


def test_replacing_the_dynamic_query_by_the_static_one(model, examples):
    inputs = model.encode(examples)
    static = model.activations("query.static", **inputs)[0]
    with model.do(do("query.dynamic", off={"kind": "replace", "component": "query.static"})):
        replaced = logits(model, inputs)
    from causalablate.offs import Value

    with model.do(do("query.dynamic", off=Value.of(static))):
        assert torch.equal(replaced, logits(model, inputs))


def test_knocking_out_every_edge_from_the_image_blinds_the_answer(model, examples):
    """With image→answer cut in every layer, and the question before the image, pixels cannot matter."""
    inputs = model.encode(examples)
    other = dict(inputs, pixel_values=inputs["pixel_values"].flip(0))
    assert not torch.allclose(logits(model, inputs), logits(model, other))
    with model.do(do("lm.layers.*.edges.image.answer", off="knockout")):
        assert torch.equal(logits(model, inputs), logits(model, other))


def test_padding_never_matters(model, examples):
    """Whatever stands in padded positions, and whatever a lesion would do there, the answers are the same."""
    inputs = model.encode(examples)
    padded = inputs["attention_mask"] == 0
    assert padded.any()
    garbage = dict(inputs, input_ids=torch.where(padded, torch.full_like(inputs["input_ids"], 7), inputs["input_ids"]))
    assert torch.equal(logits(model, inputs), logits(model, garbage))
    lesion = do("tokens.question", off={"kind": "scale", "factor": 0.3})
    with model.do(lesion) as action:
        one, norm = logits(model, inputs), action.change_norm
        two, norm_of_garbage = logits(model, garbage), action.change_norm
    assert torch.equal(one, two) and torch.equal(norm, norm_of_garbage)


def test_a_component_of_another_mode_raises(make_model, examples):
    fine, coarse = make_model(), make_model(mode="coarse_only")
    assert "passes.fine" not in coarse.components
    inputs = fine.encode(examples)
    with (
        pytest.raises(InertLesionError, match=r"passes\.fine=zero never acted"),
        fine.do(do("passes.fine", off="zero")),
    ):
        fine(**inputs, mode="coarse_only")


def test_any_checkpoint_answers_in_any_mode_but_lists_those_it_was_trained_for(tmp_path, make_model, examples):
    shipped = load("shipped", mode="multi_token")
    assert shipped.module.config.mode == "multi_token" and "allocator" not in shipped.components
    assert shipped.adapter.modes == ("coarse_only", "coarse_fine", "autoregressive")
    assert torch.isfinite(logits(shipped, shipped.encode(examples[:2]))).all()
    make_model(mode="multi_token").module.save_pretrained(tmp_path)
    assert load(tmp_path).adapter.modes == ("multi_token",)
    assert "allocator" in load(tmp_path, mode="coarse_fine").components


def test_what_each_kind_admits(model):
    admits = {kind: set(admitted(found[0])) for kind, found in model.components.kinds().items()}
    assert admits["edge"] == {"knockout"}
    assert admits["scorer"] - admits["head"] == {"uniform", "shuffle"}
    assert admits["gate"] - admits["head"] == {"fixed_min", "fixed_max"}
    assert admits["allocator"] - admits["head"] == {"uniform", "shuffle", "fixed_min", "fixed_max"}


def test_the_hash_follows_weights_and_mode(make_model):
    assert make_model().hash == make_model().hash
    assert make_model().hash != make_model(seed=1).hash
    assert make_model().hash != make_model(mode="coarse_only").hash


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "is not a directory"),
        ({}, "has no config.json"),
        ({"config.json": "{"}, "not a JSON object"),
        ({"config.json": "[]"}, "not a JSON object"),
        ({"config.json": '{"model_type": "bert"}'}, 'no family for model_type "bert".*there are foveated_vlm'),
    ],
)
def test_a_directory_that_is_no_checkpoint(tmp_path, files, message):
    path = tmp_path / "checkpoint"
    if files is not None:
        path.mkdir()
        for name, text in files.items():
            (path / name).write_text(text)
    with pytest.raises(CheckpointError, match=message):
        load(path)


def test_activations_are_ordinary_tensors(model, examples):
    (activation,) = model.activations("query.dynamic", **model.encode(examples))
    weight = torch.ones(activation.shape[-1], requires_grad=True)
    (activation * weight).sum().backward()
    assert weight.grad is not None
