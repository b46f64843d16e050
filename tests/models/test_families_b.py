"""Families with tiles, a Q-Former or cross-attention: each address against an edit of the weights that it stands for.

Module names are written down here a second time, on purpose: a component map that names the wrong part would agree with
itself.
"""

import copy
import re
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from transformers import (
    AutoModelForImageTextToText,
    Blip2Config,
    Idefics3Config,
    InstructBlipConfig,
    InternVLConfig,
    LlavaNextConfig,
    LlavaOnevisionConfig,
    Mistral3Config,
    MllamaConfig,
    SmolVLMConfig,
)

from causalablate import counterfactuals, do, load
from causalablate.errors import CheckpointError, ComponentNotFoundError, ExampleError, LesionError
from causalablate.examples import Example, ExampleSet
from causalablate.generation.session import check_generates
from causalablate.models.families import FAMILIES
from causalablate.models.pretrained import blip
from causalablate.models.pretrained.anatomy import components
from causalablate.models.pretrained.llava import read_layers
from causalablate.replay import Replay
from tests.families import tiny
from tests.families.table import BUILDERS

CLIP, LLAMA = ("self_attn.out_proj", "mlp.fc2"), ("self_attn.o_proj", "mlp.down_proj")
LLAVA = {
    "vision": ("model.vision_tower.encoder.layers", *CLIP),
    "lm": ("model.language_model.layers", *LLAMA),
    "connector": "model.multi_modal_projector.linear_2",
}
IDEFICS = {
    "vision": ("model.vision_model.encoder.layers", *CLIP),
    "lm": ("model.text_model.layers", *LLAMA),
    "connector": "model.connector.modality_projection.proj",
}
BLIP = {
    "vision": ("vision_model.encoder.layers", "self_attn.projection", "mlp.fc2"),
    "connector": "language_projection",
}
T5_ATTENTION, T5_CROSS = "layer.0.SelfAttention.o", "layer.1.EncDecAttention.o"
T5 = {
    "lm.encoder": ("language_model.encoder.block", T5_ATTENTION, "layer.1.DenseReluDense.wo"),
    "lm": ("language_model.decoder.block", T5_ATTENTION, "layer.2.DenseReluDense.wo"),
}
PARTS = {
    "smolvlm": IDEFICS,
    "idefics3": IDEFICS,
    "llava_next": LLAVA,
    "llava_onevision": LLAVA,
    "internvl": {**LLAVA, "vision": ("model.vision_tower.encoder.layer", "attention.projection_layer", "mlp.fc2")},
    "mistral3": {
        **LLAVA,
        "vision": ("model.vision_tower.transformer.layers", "attention.o_proj", "feed_forward.down_proj"),
    },
    "mllama": {
        "vision": ("model.vision_model.transformer.layers", "self_attn.o_proj", "mlp.fc2"),
        "vision.global": ("model.vision_model.global_transformer.layers", "self_attn.o_proj", "mlp.fc2"),
        "lm": ("model.language_model.layers", *LLAMA),
        "connector": "model.multi_modal_projector",
    },
    "blip2": {**BLIP, "lm": ("language_model.model.decoder.layers", "self_attn.out_proj", "fc2")},
    "blip2_t5": {**BLIP, **T5},
    "instructblip": {**BLIP, "lm": ("language_model.model.layers", *LLAMA)},
    "instructblip_t5": {**BLIP, **T5},
}
HEADS = {"vision": 2, "vision.global": 2, "qformer": 2, "lm.encoder": 4, "lm": 4}
CROSSING, QUERIES = 1, 3
ENTRY = {
    "blip2": "qformer.layernorm",
    "blip2_t5": "qformer.layernorm",
    "instructblip": "qformer.embeddings",
    "instructblip_t5": "qformer.embeddings",
}


@pytest.fixture(scope="module", params=PARTS)
def opened(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    BUILDERS[request.param].build(path)
    return SimpleNamespace(name=request.param, path=path, model=load(path))


def only(*names):
    """Run a test on these families."""
    return pytest.mark.parametrize("opened", names, indirect=True, scope="module")


def logits(model, inputs, module=None):
    with torch.no_grad():
        return model.read((module or model.module)(**inputs)).logits["answer"]


@contextmanager
def hooked(part, change):
    """A part whose output is changed, before transformers collects it."""

    def hook(_, args, output):
        return (change(output[0]), *output[1:]) if isinstance(output, tuple) else change(output)

    handle = part.register_forward_hook(hook, prepend=True)
    yield
    handle.remove()


class Changed(nn.Module):
    """A part whose first input and whose output pass through a function each."""

    def __init__(self, inner, before=lambda x: x, after=lambda came, went: went):
        super().__init__()
        self.inner, self.before, self.after = inner, before, after

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def forward(self, *args, **kwargs):
        came = args[0] if args else kwargs.pop("hidden_states", None)
        rest = args[1:]
        if came is None:  # InstructBLIP's embeddings
            return self.after(None, self.inner(**kwargs))
        out = self.inner(self.before(came), *rest, **kwargs)
        if isinstance(out, tuple):
            return (self.after(came, out[0]), *out[1:])
        return self.after(came, out)


def put(module, path, part):
    parent, _, name = path.rpartition(".")
    module.get_submodule(parent).register_module(name, part)


def zero(module, path, columns=slice(None)):
    linear = module.get_submodule(path)
    with torch.no_grad():
        linear.weight[:, columns] = 0
        if linear.bias is not None and columns == slice(None):
            linear.bias.zero_()


def blank(x, rows, width=slice(None)):
    x = x.clone()
    x[:, rows, width] = 0
    return x


def without(module, name, address, positions):
    """Take a part out of a module, by its weights where that can be."""
    parts = PARTS[name]
    if address == "connector":
        return zero(module, parts["connector"])
    if match := re.fullmatch(r"tokens\.(\w+)", address):
        path, where = f"{parts.get('lm.encoder', parts['lm'])[0]}.0", positions[match[1]][..., None]
        return put(module, path, Changed(module.get_submodule(path), lambda x: x.masked_fill(where, 0)))
    if match := re.fullmatch(r"qformer\.(queries|outputs)\.(\d)", address):
        path, q = ENTRY[name] if match[1] == "queries" else "language_projection", int(match[2])
        return put(module, path, Changed(module.get_submodule(path), after=lambda _, x: blank(x, q)))
    tower, i, rest = re.fullmatch(r"(.*)\.layers\.(\d+)(.*)", address).groups()
    head = re.search(r"heads\.(\d+)", rest)
    if tower == "qformer":
        return _without_in_qformer(module, f"qformer.encoder.layer.{i}", rest, head)
    layers, out, mlp = parts[tower]
    layer, whole = f"{layers}.{i}", (out, mlp)
    if "lm.encoder" in parts and tower == "lm":
        whole = (out, T5_CROSS, mlp)
        out = T5_CROSS if rest.startswith(".cross") else out
    if name == "mllama" and tower == "lm" and int(i) == CROSSING:
        out = "cross_attn.o_proj"
        whole = (out, mlp)
    width = module.get_submodule(f"{layer}.{out}").in_features // HEADS[tower]
    if head:
        return zero(module, f"{layer}.{out}", slice(int(head[1]) * width, (int(head[1]) + 1) * width))
    if match := re.fullmatch(r"\.cross\.(\w+)", rest):
        where = positions[match[1]][..., None]
        path = f"{layer}.{out}"
        return put(module, path, Changed(module.get_submodule(path), after=lambda _, x: x.masked_fill(where, 0)))
    for path in {"": whole, ".mlp": (mlp,), ".cross": (out,)}[rest]:
        zero(module, f"{layer}.{path}")


def _without_in_qformer(module, layer, rest, head):
    """What normalises behind its additions cannot be taken out by weights alone, nor from the queries alone."""
    queries = slice(0, QUERIES)
    if rest == "":

        def skip(came, went):
            return torch.cat((came[:, queries], went[:, QUERIES:]), dim=1)

        return put(module, layer, Changed(module.get_submodule(layer), after=skip))
    if rest in (".mlp", ".cross"):
        return zero(module, f"{layer}.{'output_query' if rest == '.mlp' else 'crossattention.output'}.dense")
    path = f"{layer}.{'crossattention' if rest.startswith('.cross') else 'attention'}.output.dense"
    width = slice(8 * int(head[1]), 8 * int(head[1]) + 8)
    return put(module, path, Changed(module.get_submodule(path), lambda x: blank(x, queries, width)))


def test_every_address_is_the_part_that_it_names(opened):
    model = opened.model
    examples = tiny.examples(1 if opened.name == "mistral3" else 3)
    inputs = model.encode(examples[:])
    ids, real = inputs["input_ids"], inputs["attention_mask"].bool()
    image, last = ids == model.module.config.image_token_id, torch.zeros_like(real)
    last[:, -1] = "lm.encoder" not in PARTS[opened.name]  # a decoder answers from a position of its own
    positions = {"image": image, "answer": last, "question": real & ~image & ~last}
    factual = logits(model, inputs)
    for component in model.components.values():
        if component.kind == "edge":
            continue
        edited = copy.deepcopy(model.module)
        without(edited, opened.name, component.address, positions)
        expected = logits(model, inputs, edited)
        with model.do(do(component.address, off="zero")):
            found = logits(model, inputs)
        assert torch.allclose(found, expected, atol=2e-5), component.address
        assert (found - factual).abs().max() > 1e-4, f"{component.address} does nothing"


def test_the_map_is_complete(opened):
    """Layers, heads and MLPs of all towers, and what the family has besides."""
    model, name = opened.model, opened.name
    kinds = {kind: len(found) for kind, found in model.components.kinds().items()}
    vision = 4 if name == "mllama" else 2
    decoder = 3 if "lm.encoder" in PARTS[name] else 0
    language = 4 if name == "mllama" else 2 + decoder
    qformer = 2 if name in ENTRY else 0
    assert kinds["layer"] == kinds["mlp"] == vision + language + qformer
    # The first layer of the Q-Former looks at the image, and a decoder at the prompt, with heads of their own.
    assert kinds["head"] == 2 * vision + 4 * (language + decoder) + (2 * qformer + 2 if qformer else 0)
    assert kinds["connector"] == 1 and kinds["tokens"] == (2 if decoder else 3)
    assert kinds.get("query", 0) == (2 * QUERIES if qformer else 0)
    assert kinds.get("cross", 0) == (3 if name == "mllama" else (1 if qformer else 0) + decoder)
    assert ("edge" in kinds) == (not decoder)


def test_images_of_several_sizes_have_the_outcomes_that_they_have_alone(opened):
    model = opened.model
    examples = tiny.examples(4, sizes=[(20, 20), (20, 40), (40, 16), (20, 40)])
    everything = slice(0, 4)
    last = f"lm.layers.{3 if opened.name == 'mllama' else 1}.mlp"
    lesions = [do(address, off="zero") for address in ("vision.layers.0", "connector", last)]
    for stack in (1, 3):
        together = Replay(model, examples, batch_size=4, stack=stack)
        found, factual = together.sweep(lesions, everything), together.factual(everything)
        for i, example in enumerate(examples):
            alone = Replay(model, ExampleSet("one", (example,)), stack=1)
            single = slice(0, 1)
            np.testing.assert_allclose(
                factual["answer_logprob"][i], alone.factual(single)["answer_logprob"][0], rtol=0, atol=2e-5
            )
            for lesion, one in alone.sweep(lesions, single).items():
                got = found[lesion]
                np.testing.assert_allclose(
                    got.values["answer_logprob"][i], one.values["answer_logprob"][0], rtol=0, atol=2e-5
                )
                np.testing.assert_allclose(got.change_norm[i], one.change_norm[0], rtol=1e-4)


POSITIONS = {  # of an image of 20 x 20 and of one of 20 x 40, in tiles of 16: each tile (rows x columns), the whole
    "smolvlm": (5 * 4, 3 * 4),
    "idefics3": (5 * 4, 3 * 4),
    "llava_next": (8 * 9 + 16, 4 * 9 + 16),
    "llava_onevision": (16 + 1, 16 + 1),  # several images are not cut
    "internvl": (4, 3 * 4),
    "mistral3": (9, 6),
    "mllama": (1, 1),
}


@only(*POSITIONS)
def test_each_image_has_its_own_group(opened):
    model, rng = opened.model, np.random.default_rng(1)
    square, broad = (rng.integers(0, 256, size, dtype=np.uint8) for size in ((20, 20, 3), (20, 40, 3)))
    small, large = POSITIONS[opened.name]
    for images, expected in (((square, broad), (small, large)), ((broad, square), (large, small))):
        example = Example("two", images, "Is it red?", "yes")
        groups = model.adapter.token_groups(model.module, model.encode([example]))
        assert (int(groups["image.0"].sum()), int(groups["image.1"].sum())) == expected
        assert torch.equal(groups["image.0"] | groups["image.1"], groups["image"])
        first, second = (groups[f"image.{i}"][0].nonzero().flatten() for i in (0, 1))
        assert first.max() < second.min()


@only("llava_next", "llava_onevision")
def test_images_with_nothing_between_them_are_told_apart_where_they_are_equal(opened):
    model = opened.model
    sides = ((20, 40), (20, 40)), ((20, 40), (20, 20))
    for sizes, apart in zip(sides, (True, opened.name == "llava_onevision"), strict=True):
        images = tuple(np.full((*size, 3), 9, dtype=np.uint8) for size in sizes)
        inputs = dict(model.adapter.processor(images=[[*images]], text=["<image><image>x"], return_tensors="pt"))
        groups = model.adapter.token_groups(model.module, inputs)
        assert ("image.1" in groups) == apart
        if apart:
            assert int(groups["image.0"].sum()) == int(groups["image.1"].sum()) == int(groups["image"].sum()) // 2


@only(*POSITIONS)
def test_examples_with_other_numbers_of_images_run_alone(opened):
    model = opened.model
    one, two = tiny.examples(1), tiny.examples(2, n_images=2)
    assert model.adapter.alone(model.module, (one[0], two[1]))
    assert model.adapter.alone(model.module, two[:]) == (opened.name == "mistral3")
    both = ExampleSet("both", (one[0], two[1]))
    values = Replay(model, both, batch_size=2).factual(slice(0, 2))["answer_logprob"]
    for i, example in enumerate(both):
        alone = Replay(model, ExampleSet("one", (example,))).factual(slice(0, 1))["answer_logprob"]
        np.testing.assert_allclose(values[i], alone[0], rtol=0, atol=2e-5)


def test_a_reference_set_of_images_of_several_sizes_has_means_over_positions(opened):
    model, reference = opened.model, tiny.examples(4, sizes=[(20, 20), (20, 40)])
    for off in ({"kind": "mean", "axes": "positions"}, {"kind": "noise", "std": 1.0}):
        table = counterfactuals(
            model, tiny.examples(2), ["vision.layers.0", "lm.layers.0.mlp"], off=off, reference=reference
        )
        assert table.frame["fired"].all() and (table.frame["change_norm"] > 0).all()


@only("idefics3", "llava_next", "internvl", "mistral3")
def test_donors_of_another_shape_are_refused(opened):
    reference = tiny.examples(4, sizes=[(20, 20), (20, 40)])
    with pytest.raises(LesionError, match="a donor must fit"):
        counterfactuals(opened.model, tiny.examples(2), "vision.layers.0", off="resample", reference=reference)


@only("llava_next")
def test_layers_behind_the_one_that_is_read_are_no_components(opened):
    model = opened.model
    inputs = model.encode(tiny.examples(2)[:])
    factual, ran = logits(model, inputs), []
    with hooked(model.module.model.vision_tower.encoder.layers[2], lambda x: ran.append(x) or torch.zeros_like(x)):
        assert torch.equal(logits(model, inputs), factual) and ran  # it runs, and nobody reads it
    with pytest.raises(ComponentNotFoundError):
        model.components.select("vision.layers.2")


@only("llava_next", "llava_onevision", "internvl", "mistral3")
@pytest.mark.parametrize("selected", [-2, -1, 1, 2])
def test_the_vision_layers_that_are_read_are_those_that_matter(opened, selected):
    module, layers = copy.deepcopy(opened.model.module), PARTS[opened.name]["vision"][0]
    module.config.vision_feature_layer = selected
    inputs = opened.model.encode(tiny.examples(1)[:])
    factual, matter = logits(opened.model, inputs, module), []
    for i, layer in enumerate(module.get_submodule(layers)):
        with hooked(layer, lambda x: torch.randn_like(x)):
            if not torch.equal(logits(opened.model, inputs, module), factual):
                matter.append(i)
    assert matter == list(range(FAMILIES[module.config.model_type].anatomy(module).towers[0].n_layers))


@pytest.mark.parametrize(("selected", "n_layers"), [([-3, -2], 2), ([0, 3], 3), ([0], 0)])
def test_of_several_layers_that_are_read_the_last_one_counts(selected, n_layers):
    config = SimpleNamespace(vision_config=SimpleNamespace(num_hidden_layers=3), vision_feature_layer=selected)
    assert read_layers(config) == n_layers


@only("instructblip", "instructblip_t5")
def test_words_in_the_q_former_are_padded_behind(opened):
    """Padded as the processor does it, they would stand elsewhere, and the answer would change."""
    model = opened.model
    examples = tiny.examples(3)
    together = model.encode(examples[:])
    alone = model.encode(examples[1:2])
    as_alone = logits(model, alone)[0]
    assert torch.allclose(logits(model, together)[1], as_alone, atol=1e-5)
    shift = {name: together[name].roll(1, dims=1) for name in ("qformer_input_ids", "qformer_attention_mask")}
    assert not torch.allclose(logits(model, together | shift)[1], as_alone, atol=1e-3)


@only("instructblip")
def test_positions_are_said_where_padding_lies_between_image_and_question(opened):
    model = opened.model
    examples = tiny.examples(3)
    together, alone = model.encode(examples[:]), model.encode(examples[1:2])
    silent = {name: x for name, x in together.items() if name != "position_ids"}
    assert not torch.allclose(logits(model, silent)[1], logits(model, alone)[0], atol=1e-3)


@only("blip2_t5", "instructblip_t5")
def test_no_padding_lies_between_what_t5_reads(opened):
    """Padded as the processor does it, image and question would be further apart, and the answer would change."""
    model = opened.model
    examples = tiny.examples(3)
    together, alone = model.encode(examples[:]), model.encode(examples[1:2])
    as_alone = logits(model, alone)[0]
    assert torch.allclose(logits(model, together)[1], as_alone, atol=1e-5)
    texts = [model.adapter.prompt(model.adapter.processor, e.question, 1) for e in examples]
    pixels = [e.images[0] for e in examples]
    raw = model.adapter.processor(images=pixels, text=texts, padding=True, padding_side="left", return_tensors="pt")
    apart = together | {name: raw[name] for name in ("input_ids", "attention_mask")}
    assert not torch.allclose(logits(model, apart)[1], as_alone, atol=1e-3)


@only("blip2_t5", "instructblip_t5")
def test_t5_answers_as_it_begins_to_generate(opened):
    model, processor = opened.model, opened.model.adapter.processor
    examples = tiny.examples(3)
    found = logits(model, model.encode(examples[:]))
    for example, ours in zip(examples, found, strict=True):
        text = model.adapter.prompt(processor, example.question, 1)
        inputs = processor(images=example.images[0], text=text, return_tensors="pt")
        said = model.module.generate(
            **inputs, max_new_tokens=1, use_cache=False, return_dict_in_generate=True, output_logits=True
        )
        assert torch.allclose(said.logits[0][0], ours, atol=1e-5)


@only("blip2_t5")
def test_an_answer_of_t5_is_a_text_of_its_own(opened):
    model, words = opened.model, opened.model.adapter.processor.tokenizer
    examples = tiny.examples(5)
    ids = [words(example.answer).input_ids[0] for example in examples]
    assert model.adapter.answers(model.module, examples[:]).tolist() == ids
    assert all(model.vocabulary[i].startswith("▁") and i not in words.all_special_ids for i in ids)


@only("blip2_t5", "instructblip_t5")
def test_without_cross_attention_t5_says_the_same_of_everything(opened):
    model = opened.model
    inputs = model.encode(tiny.examples(3)[:])
    answers = logits(model, inputs)
    assert not torch.allclose(answers[0], answers[1], atol=1e-3)
    with model.do(do("lm.layers.*.cross", off="zero")):
        answers = logits(model, inputs)
    assert torch.allclose(answers[0], answers[1], atol=1e-6) and torch.allclose(answers[0], answers[2], atol=1e-6)


@only("blip2_t5", "instructblip_t5")
def test_generation_with_an_encoder_decoder_is_refused(opened):
    with pytest.raises(LesionError, match="encoder-decoder"):
        check_generates(opened.model.module)


@only(*ENTRY)
def test_one_image_at_a_time(opened):
    model = opened.model
    with pytest.raises(ExampleError, match="one image at a time"):
        model.encode(tiny.examples(1, n_images=2)[:])


@only(*ENTRY)
def test_a_processor_without_query_tokens_would_answer_blind(opened):
    model = opened.model
    processor = copy.copy(model.adapter.processor)
    processor.num_query_tokens = None
    with pytest.raises(CheckpointError, match="num_query_tokens"):
        model.adapter.prompt(processor, "Is it red?", 1)


@only("blip2")
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("image_token_index", None, "image_token_index"), ("use_decoder_only_language_model", False, "encoder-decoder")],
)
def test_configs_that_would_be_read_wrongly_are_refused(opened, field, value, message):
    model = opened.model
    config = copy.deepcopy(model.module.config)
    setattr(config, field, value)
    with pytest.raises(CheckpointError, match=message):
        blip.anatomy(SimpleNamespace(config=config, qformer=model.module.qformer))


@only("mllama")
def test_without_cross_attention_the_image_makes_no_difference(opened):
    model = opened.model
    one, other = tiny.examples(1), tiny.examples(2)
    inputs, blind = model.encode(one[:]), model.encode((Example("b", other[1].images, one[0].question, "yes"),))
    assert not torch.allclose(logits(model, inputs), logits(model, blind), atol=1e-3)
    with model.do(do(f"lm.layers.{CROSSING}.cross", off="zero")):
        assert torch.equal(logits(model, inputs), logits(model, blind))


LANGUAGE = {"model_type": "llama"}
FLAN_T5_XL = {
    "model_type": "t5",
    "d_model": 2048,
    "d_ff": 5120,
    "num_layers": 24,
    "num_heads": 32,
    "feed_forward_proj": "gated-gelu",
    "tie_word_embeddings": False,
}
FULL_SIZE = {  # as the first checkpoints of each family have them, but for what is said
    "smolvlm": SmolVLMConfig,
    "idefics3": Idefics3Config,
    "llava_next": partial(LlavaNextConfig, text_config={"model_type": "mistral"}),
    "llava_onevision": LlavaOnevisionConfig,
    "internvl": InternVLConfig,
    "internvl-qwen3-moe": partial(InternVLConfig, text_config={"model_type": "qwen3_moe", "num_hidden_layers": 2}),
    "mistral3": Mistral3Config,
    "mllama": MllamaConfig,
    "blip2": partial(Blip2Config, image_token_index=5),
    "blip2-t5": partial(Blip2Config, image_token_index=5, text_config={"model_type": "t5"}),
    "instructblip": partial(InstructBlipConfig, image_token_index=5, text_config=LANGUAGE),
    "instructblip-t5": partial(InstructBlipConfig, image_token_index=5, text_config=FLAN_T5_XL),
    "instructblip-opt": partial(InstructBlipConfig, image_token_index=5),
}


@pytest.mark.parametrize("name", FULL_SIZE)
def test_models_of_full_size_have_the_parts_that_are_named(name):
    config = FULL_SIZE[name]()
    with torch.device("meta"):
        module = AutoModelForImageTextToText.from_config(config)
    known = components(FAMILIES[config.model_type].anatomy(module), module)
    spans = {}
    for component in known.kinds()["head"]:
        (site,) = component.sites
        spans.setdefault(site.module, []).append(site.span)
    for path, found in spans.items():
        edges = [0, *(stop for _, stop in found)]
        assert [start for start, _ in found] == edges[:-1]
        assert edges[-1] == module.get_submodule(path).in_features
