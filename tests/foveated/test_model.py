import itertools

import pytest
import torch

from causalablate.errors import CheckpointError, ExampleError
from causalablate.foveated.config import FOVEATED_MODES, MODES, MULTI_TOKEN
from causalablate.foveated.encoding import encode


def rows(inputs, chosen):
    return {name: value[chosen] for name, value in inputs.items()}


def captured(model, path, inputs, **kwargs):
    """Outputs of a module during one forward, in order of its calls."""
    seen = []
    handle = model.get_submodule(path).register_forward_hook(lambda module, args, output: seen.append(output))
    with torch.no_grad():
        model(**inputs, **kwargs)
    handle.remove()
    return seen


def forced(model, path, value, inputs, **kwargs):
    """The forward's output with a module's output replaced."""
    handle = model.get_submodule(path).register_forward_hook(
        lambda module, args, output: torch.full_like(output, value)
    )
    with torch.no_grad():
        result = model(**inputs, **kwargs)
    handle.remove()
    return result


@pytest.fixture
def inputs(model, examples):
    return encode(examples, model.config)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_answers(model, inputs, mode):
    output = model(**inputs, mode=mode)
    assert output.logits.shape == (8, len(model.config.vocabulary))
    assert torch.isfinite(output.loss)
    if mode in ("coarse_only", MULTI_TOKEN):
        assert output.logits_fine is None and torch.equal(output.logits, output.logits_coarse)
        assert torch.equal(output.loss, output.loss_coarse)
    else:
        assert torch.equal(output.logits, output.logits_fine)
        assert output.allocation.shape == output.relevance.shape == (8, 16)
        assert output.gates.shape == (8, 3) and 0 < output.gates.min() < output.gates.max() < 1
        torch.testing.assert_close(output.allocation.mean(-1), torch.full((8,), 100.0))
        torch.testing.assert_close(output.loss, output.loss_fine + 0.5 * output.loss_coarse)


def test_modes_differ(model, inputs):
    answers = [model(**inputs, mode=mode).logits for mode in MODES]
    assert not any(torch.allclose(one, other) for one, other in itertools.combinations(answers, 2))


def test_an_unknown_mode_is_named(model, inputs):
    with pytest.raises(CheckpointError, match="coarse_fine"):
        model(**inputs, mode="corse_fine")


def test_same_inputs_same_bytes(model, inputs):
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)


@pytest.mark.parametrize("mode", MODES)
def test_an_example_does_not_depend_on_its_batch(model, inputs, mode):
    together = model(**inputs, mode=mode).logits
    alone = torch.cat([model(**rows(inputs, slice(i, i + 1)), mode=mode).logits for i in range(8)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_padding_never_changes_the_answer(model, inputs):
    junk = dict(inputs)
    junk["input_ids"] = torch.where(inputs["attention_mask"] == 1, inputs["input_ids"], 7)
    assert (junk["input_ids"] != inputs["input_ids"]).any()
    assert torch.equal(model(**junk).logits, model(**inputs).logits)


def test_the_length_that_questions_are_padded_to_does_not_matter(make_model, examples):
    short, long = make_model(), make_model(max_question_tokens=14)
    long.load_state_dict(short.state_dict())
    answers = [m(**encode(examples, m.config)).logits for m in (short, long)]
    torch.testing.assert_close(*answers, rtol=1e-4, atol=1e-5)


def test_training_mode_changes_nothing(make_model, examples):
    model = make_model()
    inputs = encode(examples, model.config)
    assert torch.equal(model.eval()(**inputs).logits, model.train()(**inputs).logits)


COMPONENTS = [
    "queries.static",
    "queries.init",
    "queries.dynamic",
    "passes.coarse",
    "passes.fine",
    "connector",
    "scorers.propositional",
    "scorers.perspectival",
    "scorers.participatory",
    "opponent.compress_particularize",
    "opponent.exploit_explore",
    "opponent.focus_diversify",
    "allocator",
    "texture.groups.rgb",
    "texture.groups.lab",
    "texture.groups.sobel",
    "texture.groups.position",
    "texture.groups.eccentricity",
    "sequence.coarse",
    "sequence.fine",
    "vision.dinov2.encoder.layer.1",
    "vision.dinov2.encoder.layer.0.mlp",
    "lm.model.layers.0",
    "lm.model.layers.1.mlp",
]


@pytest.mark.parametrize("path", COMPONENTS)
def test_every_component_is_a_module_whose_tensor_acts(model, inputs, path):
    outputs = captured(model, path, inputs)
    assert outputs and all(isinstance(output, torch.Tensor) and output.shape[0] == 8 for output in outputs)
    before, after = model(**inputs), forced(model, path, 0.25, inputs)
    assert not torch.equal(before.logits, after.logits)


def test_forced_budgets_change_what_is_seen(model, inputs):
    low, high = forced(model, "allocator", 64.0, inputs), forced(model, "allocator", 400.0, inputs)
    assert not torch.allclose(low.logits, high.logits)
    assert torch.equal(low.logits_coarse, high.logits_coarse)


def test_the_static_query_reaches_the_fine_answer_only_through_the_dynamic_query(model, inputs):
    assert not torch.equal(*captured(model, "queries.dynamic", inputs), forced_query(model, inputs))


def forced_query(model, inputs):
    seen = []
    handle = model.queries.dynamic.register_forward_hook(lambda module, args, output: seen.append(output))
    forced(model, "queries.static", 0.0, inputs)
    handle.remove()
    return seen[0]


def test_token_groups_are_where_the_tokens_are(model, inputs):
    sequence = captured(model, "sequence.fine", inputs)[0]
    fine = captured(model, "passes.fine", inputs)[0]
    coarse = captured(model, "passes.coarse", inputs)[0]
    assert torch.equal(sequence[:, model.token_groups["image.fine"]], fine)
    assert torch.equal(sequence[:, model.token_groups["image.first"]], coarse[:, 1:])
    answer = sequence[:, model.token_groups["answer"]]
    assert answer.shape[1] == 1 and torch.equal(answer[0], answer[1])


@pytest.mark.parametrize(
    "switches",
    [
        {"deep_query": False},
        {"visual_tokens_per_frame": 3},
        {"fusion": "cross_attention"},
        {"n_frames": 3},
        {"n_frames": 3, "visual_tokens_per_frame": 2, "deep_query": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", MODES)
def test_switches_run_and_learn(make_model, examples, switches, mode):
    model = make_model(**switches)
    frames = [type(e)(e.id, (e.images * 2)[: model.config.n_frames], e.question, e.answer) for e in examples]
    output = model(**encode(frames, model.config), mode=mode)
    output.loss.backward()
    assert output.logits.shape[0] == 8
    asked = model.queries.static if mode == MULTI_TOKEN else model.queries.init
    assert asked.weight.grad.abs().sum() > 0
    if mode == "coarse_fine":
        assert model.scorers.participatory.texture_features.weight.grad.abs().sum() > 0


def test_with_three_frames_the_last_is_looked_at_with_all_that_was_seen(make_model, examples):
    model = make_model(n_frames=3)
    frames = [type(e)(e.id, (*e.images, e.images[0]), e.question, e.answer) for e in examples]
    inputs = encode(frames, model.config)
    for mode, fine_reads in (("coarse_fine", 1), ("autoregressive", 2)):
        assert len(captured(model, "passes.fine", inputs, mode=mode)) == 2
        assert len(captured(model, "sequence.fine", inputs, mode=mode)) == fine_reads


SHORTER = [{}, {"visual_tokens_per_frame": 2}, {"fusion": "cross_attention"}, {"deep_query": False}]


def with_weights_of(model, other):
    """Copy weights; of cross-attention's placeholders, as many as there are."""
    here = model.state_dict()
    model.load_state_dict({name: x[: len(here[name])] if x.ndim else x for name, x in other.state_dict().items()})
    return model


@pytest.mark.parametrize("switches", SHORTER, ids=str)
@pytest.mark.parametrize("frames", [1, 2])
def test_fewer_frames_are_what_a_model_of_so_many_frames_makes_of_them(make_model, examples, switches, frames):
    long = make_model(n_frames=3, **switches)
    short = with_weights_of(make_model(n_frames=frames, image_repeats=1, **switches), long)
    inputs = encode(examples, long.config)
    fewer = inputs | {name: inputs[name][:, :frames] for name in ("pixel_values", "noise")}
    for mode in MODES:
        assert torch.equal(long(**fewer, mode=mode).logits, short(**fewer, mode=mode).logits)


@pytest.mark.parametrize("mode", FOVEATED_MODES)
def test_a_single_frame_is_answered_from_the_init_token(model, inputs, mode):
    single = inputs | {name: inputs[name][:, :1] for name in ("pixel_values", "noise")}
    before = model(**single, mode=mode)
    assert before.logits_fine is None and before.allocation is None and torch.equal(before.loss, before.loss_coarse)
    assert len(captured(model, "lm.lm_head", single, mode=mode)) == 1
    for path in ("queries.static", "queries.dynamic", "allocator", "passes.fine"):
        assert not captured(model, path, single, mode=mode)
    (visual,) = captured(model, "passes.coarse", single, mode=mode)
    assert visual.shape[1] == 1
    assert not torch.equal(forced(model, "queries.init", 0.3, single, mode=mode).logits, before.logits)


@pytest.mark.parametrize("frames", [0, 3])
def test_too_many_frames_or_none_are_refused(model, inputs, frames):
    wrong = inputs | {name: torch.zeros(8, frames, 3, 48, 48) for name in ("pixel_values", "noise")}
    with pytest.raises(ExampleError, match=f"hold {frames} frames per example; this model takes 1 to 2"):
        model(**wrong)


def test_without_foveation_every_frame_is_seen_evenly_by_the_static_queries(make_model, examples):
    model = make_model(n_frames=3, visual_tokens_per_frame=4, mean_budget=150.0)
    frames = [type(e)(e.id, (*e.images, e.images[0]), e.question, e.answer) for e in examples]
    inputs = encode(frames, model.config)
    tokens = captured(model, "passes.coarse", inputs, mode=MULTI_TOKEN)
    (sequence,) = captured(model, "sequence.coarse", inputs, mode=MULTI_TOKEN)
    assert torch.equal(sequence[:, model.token_groups["image"]], torch.cat(tokens, dim=1)) and len(tokens) == 3
    for path in ("queries.init", "queries.dynamic", "allocator", "opponent", "passes.fine", "sequence.fine"):
        assert not captured(model, path, inputs, mode=MULTI_TOKEN)
    pictures, noise = inputs["pixel_values"], inputs["noise"]
    views = captured(model, "views.fovea", inputs, mode=MULTI_TOKEN)
    even = torch.full((8, 16), 150.0)
    for t, view in enumerate(views):
        assert torch.equal(view, model.views.fovea(model.views.pyramid(pictures[:, t]), even, noise[:, t]))
        changed = inputs | {"pixel_values": pictures.clone().index_fill_(1, torch.tensor([t]), 0.5)}
        assert not torch.allclose(model(**changed, mode=MULTI_TOKEN).logits, model(**inputs, mode=MULTI_TOKEN).logits)


def test_frozen_parts_do_not_train(make_model, examples):
    model = make_model(freeze=["vision", "lm"])
    model(**encode(examples, model.config)).loss.backward()
    assert all(p.grad is None for p in [*model.vision.parameters(), *model.lm.parameters()])
    assert model.connector.fc1.weight.grad.abs().sum() > 0


def test_attention_implementations_agree(make_model, examples):
    model = make_model()
    inputs = encode(examples, model.config)
    sdpa = model(**inputs).logits
    model.vision.dinov2.set_attn_implementation("eager")
    model.lm.set_attn_implementation("eager")
    torch.testing.assert_close(model(**inputs).logits, sdpa, rtol=1e-4, atol=1e-4)
