"""Qwen's packed patches, and encoders without a language model, against plain hooks on single examples."""

import importlib.util
import json
import sys
from contextlib import ExitStack, nullcontext

import pytest
import torch
import transformers
from PIL import Image

import causalablate as ca
from causalablate.cli.app import main
from causalablate.errors import CheckpointError, ExampleError, LesionError, OutcomeError
from causalablate.examples import Example, ExampleSet
from causalablate.models.family import LoadOptions
from causalablate.models.pretrained.encoders import FORMS
from causalablate.models.pretrained.loading import load_processor
from causalablate.replay import Replay
from tests.families import clip, dinov2, qwen2_5_vl, qwen2_vl, qwen3_vl, qwen3_vl_moe, siglip, tiny, vit

QWEN = {builder.NAME: builder for builder in (qwen2_vl, qwen2_5_vl, qwen3_vl, qwen3_vl_moe)}
SIZE = (24, 40)  # of images: 6 by 10 patches, 3 by 5 when merged, in windows of 2 by 2


@pytest.fixture(scope="module", params=QWEN)
def qwen(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    QWEN[request.param].build(path)
    return ca.load(path)


def logits(model, inputs):
    with torch.no_grad():
        return model.read(model(**inputs)).logits["answer"]


def alone(model, examples):
    return [model.encode([example]) for example in examples]


# Where the parts of a Qwen are, and which slice of them: (address, module, hook on its input, slice)
PLACES = (
    ("vision.layers.1.heads.2", "model.visual.blocks.1.attn.proj", True, slice(16, 24)),
    ("vision.layers.0.mlp", "model.visual.blocks.0.mlp", False, slice(None)),
    ("connector", "model.visual.merger", False, slice(None)),
    ("deepstack.0", "model.visual.deepstack_merger_list.0", False, slice(None)),
)


def seen_by_hand(model, inputs, path, at_input):
    found = []
    module = model.module.get_submodule(path)
    if at_input:
        handle = module.register_forward_pre_hook(lambda _, args: found.append(args[0].clone()))
    else:
        handle = module.register_forward_hook(lambda *given: found.append(given[2].clone()))
    logits(model, inputs)
    handle.remove()
    return found[0]


def replaced_by_hand(model, inputs, path, at_input, span, new):
    def changed(x):
        x = x.clone()
        x[..., span] = new[..., span]
        return x

    module = model.module.get_submodule(path)
    if at_input:
        handle = module.register_forward_pre_hook(lambda _, args: (changed(args[0]),))
    else:
        handle = module.register_forward_hook(lambda *given: changed(given[2]))
    found = logits(model, inputs)
    handle.remove()
    return found[0]


@pytest.mark.parametrize("off", ["zero", "mean", "resample"])
def test_packed_parts_are_off_per_example(qwen, off):
    examples, reference = tiny.examples(7, size=SIZE)[:4], tiny.examples(7, size=SIZE)[4:]
    for address, path, at_input, span in PLACES:
        if address not in qwen.components:
            assert address == "deepstack.0" and "qwen2" in qwen.module.config.model_type
            continue
        others = [seen_by_hand(qwen, inputs, path, at_input) for inputs in alone(qwen, reference)]
        keys = [example.id for example in examples]
        with qwen.do(ca.do(address, off=off), reference=reference, seed=3, keys=keys) as action:
            together = logits(qwen, qwen.encode(examples))
        for i, inputs in enumerate(alone(qwen, examples)):
            own = seen_by_hand(qwen, inputs, path, at_input)
            chosen = {"zero": [own * 0], "mean": [torch.stack(others).mean(0)], "resample": others}[off]
            close = [
                torch.allclose(replaced_by_hand(qwen, inputs, path, at_input, span, new), together[i], atol=2e-5)
                and torch.allclose((new - own)[..., span].norm(), action.change_norm[i], rtol=1e-4)
                for new in chosen
            ]
            assert sum(close) == 1, (address, i)


def test_means_over_the_patches_of_unequal_images(qwen):
    every = tiny.examples(6, sizes=[SIZE, (16, 16), (40, 24)])
    examples, reference = every[:3], every[3:]
    for address, path, at_input, span in PLACES[:3]:
        others = torch.cat([seen_by_hand(qwen, inputs, path, at_input) for inputs in alone(qwen, reference)])
        lesion = ca.do(address, off={"kind": "mean", "axes": "positions"})
        table = ca.counterfactuals(qwen, examples, [lesion], outcomes=["answer_logprob"], reference=reference)
        answers = qwen.adapter.answers(qwen.module, examples)
        for i, inputs in enumerate(alone(qwen, examples)):
            new = others.mean(0).expand(len(seen_by_hand(qwen, inputs, path, at_input)), -1)
            by_hand = replaced_by_hand(qwen, inputs, path, at_input, span, new).log_softmax(0)[answers[i]]
            assert table.frame["counterfactual"][i] == pytest.approx(float(by_hand), abs=2e-5)


def test_a_vision_layer_is_skipped_by_every_example(qwen):
    examples = tiny.examples(3, size=SIZE)
    with qwen.do(ca.do("vision.layers.1", off="zero")):
        together = logits(qwen, qwen.encode(examples))
    block = qwen.module.get_submodule("model.visual.blocks.1")
    handle = block.register_forward_hook(lambda _, args, output: args[0])
    by_hand = torch.cat([logits(qwen, inputs) for inputs in alone(qwen, examples)])
    handle.remove()
    torch.testing.assert_close(together, by_hand, atol=2e-5, rtol=0)


def test_images_of_unequal_size_side_by_side(qwen):
    """Each has the outcome and the change that it has alone, under stacked lesions too."""
    examples = tiny.examples(4, sizes=[SIZE, (16, 16), (40, 24), (16, 32)])
    lesions = [ca.do(a, off="zero") for a in ("vision.layers.0.heads.1", "vision.layers.1", "connector", "lm.layers.0")]
    everything = slice(0, len(examples))
    found = Replay(qwen, examples, batch_size=4, stack=4).sweep(lesions, everything)
    single = Replay(qwen, examples, batch_size=1, stack=1).sweep(lesions, everything)
    for lesion in lesions:
        one, other = found[lesion], single[lesion]
        torch.testing.assert_close(
            torch.tensor(one.values["answer_logprob"]), torch.tensor(other.values["answer_logprob"]), atol=2e-5, rtol=0
        )
        torch.testing.assert_close(torch.tensor(one.change_norm), torch.tensor(other.change_norm), atol=0, rtol=1e-4)


def test_questions_about_one_image(qwen):
    """Examples that share an image share its encoding: whole examples do, never single patches."""
    first, second = tiny.examples(2, size=SIZE)
    images = (first.images, first.images, second.images)
    examples = ExampleSet("shared", tuple(Example(f"q{i}", x, tiny.QUESTIONS[i], "yes") for i, x in enumerate(images)))
    lesions = [ca.do(a, off="zero") for a in ("vision.layers.0.heads.1", "vision.layers.1.mlp", "connector")]
    everything = slice(0, len(examples))
    patches = []
    embed = qwen.module.get_submodule("model.visual.patch_embed")
    handle = embed.register_forward_pre_hook(lambda _, args: patches.append(len(args[0])))
    found = Replay(qwen, examples, batch_size=3, stack=3).sweep(lesions, everything)
    handle.remove()
    assert 2 * 60 in patches
    single = Replay(qwen, examples, batch_size=1, stack=1).sweep(lesions, everything)
    for lesion in lesions:
        one, other = found[lesion], single[lesion]
        torch.testing.assert_close(
            torch.tensor(one.values["answer_logprob"]), torch.tensor(other.values["answer_logprob"]), atol=2e-5, rtol=0
        )
        torch.testing.assert_close(torch.tensor(one.change_norm), torch.tensor(other.change_norm), atol=0, rtol=1e-4)


def test_several_images_of_unequal_size_are_told_apart(qwen):
    small, large = tiny.examples(1, size=(16, 16))[0].images[0], tiny.examples(1, size=SIZE)[0].images[0]
    examples = [Example("a", (small, large), tiny.QUESTIONS[0], "yes"), Example("b", (large,), tiny.QUESTIONS[2], "no")]
    inputs = qwen.encode(examples)
    groups = qwen.adapter.token_groups(qwen.module, inputs)
    assert groups["image.0"].sum(1).tolist() == [4, 15]
    assert groups["image.1"].sum(1).tolist() == [15, 0]
    assert torch.equal(groups["image.0"] | groups["image.1"], groups["image"])
    first, second = (groups[name][0].nonzero()[:, 0] for name in ("image.0", "image.1"))
    assert first.max() < second.min()


def test_only_some_blocks_attend_in_windows(tmp_path):
    qwen2_5_vl.build(tmp_path)
    model = ca.load(tmp_path)
    segments = []
    with ExitStack() as stack:
        for block in model.module.model.visual.blocks:
            hook = block.register_forward_pre_hook(
                lambda _, args, kwargs: segments.append(len(kwargs["cu_seqlens"]) - 1), with_kwargs=True
            )
            stack.callback(hook.remove)
        logits(model, model.encode(tiny.examples(2, size=SIZE)))
    assert segments == [12, 2]  # windows of two images, then the images


def test_a_merger_that_leads_nowhere_is_no_component(tmp_path):
    qwen3_vl.build(tmp_path, deepstack_visual_indexes=[1, 7])
    assert [c.address for c in ca.load(tmp_path).components.select("deepstack.*")] == ["deepstack.0"]


ENCODERS = {
    "ViTModel": (vit, "layers", "attention.o_proj"),
    "Dinov2Model": (dinov2, "encoder.layer", "attention.o_proj"),
    "ViTForImageClassification": (vit, "vit.layers", "attention.o_proj"),
    "Dinov2ForImageClassification": (dinov2, "dinov2.encoder.layer", "attention.o_proj"),
    "CLIPModel": (clip, "vision_model.encoder.layers", "self_attn.out_proj"),
    "CLIPForImageClassification": (clip, "vision_model.encoder.layers", "self_attn.out_proj"),
    "SiglipModel": (siglip, "vision_model.encoder.layers", "self_attn.out_proj"),
    "SiglipForImageClassification": (siglip, "vision_model.encoder.layers", "self_attn.out_proj"),
}


def encoder(name, path, **options):
    if name.endswith("VisionModel"):
        vision = getattr(transformers, name.removesuffix("Model") + "Config")(**vit.tower())
        vit.save(path, getattr(transformers, name), vision)
        tiny.clip_images(16).save_pretrained(path)
    else:
        ENCODERS[name][0].build(path, getattr(transformers, name))
    return ca.load(path, **options)


def features(output):
    """Whatever a bare encoder or a classifier says of an image."""
    return output[0]


@pytest.mark.parametrize("name", FORMS)
def test_encoders_by_effect(name, tmp_path):
    model = encoder(name, tmp_path, **({"labels": tiny.ANSWERS} if FORMS[name].answers == "labels" else {}))
    assert type(model.module).__name__ == name
    assert len(model.components) == 12 * len(FORMS[name].towers)
    _, layers, out = ENCODERS.get(name, (None, "encoder.layers", "self_attn.out_proj"))
    inputs = model.encode(tiny.examples(3))
    read = model.read if FORMS[name].answers else features
    with torch.no_grad():
        factual = read(model(**inputs))
    factual = factual if isinstance(factual, torch.Tensor) else factual.logits["answer"]

    def lesioned(lesion):
        with torch.no_grad(), model.do(lesion) as action:
            found = read(model(**inputs))
        assert action.fired.all() and (action.change_norm > 0).all()
        return found if isinstance(found, torch.Tensor) else found.logits["answer"]

    def by_hand(path, hook, *, before=False):
        module = model.module.get_submodule(path)
        handle = module.register_forward_pre_hook(hook) if before else module.register_forward_hook(hook)
        with torch.no_grad():
            found = read(model(**inputs))
        handle.remove()
        return found if isinstance(found, torch.Tensor) else found.logits["answer"]

    def without_head(_, args):
        x = args[0].clone()
        x[..., 8:16] = 0
        return (x,)

    pairs = {
        "vision.layers.1": by_hand(f"{layers}.1", lambda _, args, output: args[0]),
        "vision.layers.0.heads.1": by_hand(f"{layers}.0.{out}", without_head, before=True),
        "vision.layers.1.mlp": by_hand(f"{layers}.1.mlp", lambda _, args, output: output * 0),
    }
    for address, expected in pairs.items():
        found = lesioned(ca.do(address, off="zero"))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        assert not torch.equal(found, factual), address


@pytest.mark.parametrize("builder", [clip, siglip], ids=["clip", "siglip"])
@pytest.mark.parametrize("part", [None, "text.layers.0.heads.1", "text.layers.1.mlp", "vision.layers.0.heads.1"])
def test_zero_shot_is_what_transformers_computes(builder, part, tmp_path):
    """With the labels once, as transformers takes them; ours repeats them for each example."""
    builder.build(tmp_path)
    model, examples = ca.load(tmp_path, labels=tiny.ANSWERS), tiny.examples(3)
    model.module.eval()
    ours = model.encode(examples)
    once = {name: x if name == "pixel_values" else x[: len(tiny.ANSWERS)] for name, x in ours.items()}
    layers = f"{'text' if part and part.startswith('text') else 'vision'}_model.encoder.layers"

    def without_head(_, args):
        x = args[0].clone()
        x[..., 8:16] = 0
        return (x,)

    with ExitStack() as stack:
        if part and "heads" in part:
            module = model.module.get_submodule(f"{layers}.0.self_attn.out_proj")
            stack.callback(module.register_forward_pre_hook(without_head).remove)
        elif part:
            module = model.module.get_submodule(f"{layers}.1.mlp")
            stack.callback(module.register_forward_hook(lambda *given: given[2] * 0).remove)
        with torch.no_grad():
            expected = model.module(**once).logits_per_image
    with model.do(ca.do(part, off="zero")) if part else nullcontext():
        torch.testing.assert_close(logits(model, ours), expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("builder", [clip, siglip], ids=["clip", "siglip"])
def test_zero_shot_lesions_side_by_side(builder, tmp_path):
    builder.build(tmp_path)
    model, examples = ca.load(tmp_path, labels=tiny.ANSWERS), tiny.examples(3)
    lesions = [ca.do(a, off="zero") for a in ("text.layers.0.heads.1", "text.layers.1", "vision.layers.0.mlp")]
    together, alone = (Replay(model, examples, batch_size=size, stack=size) for size in (3, 1))
    together.factual(slice(0, 3))
    rows = []
    read = model.module.get_submodule("text_model.encoder.layers.1.mlp")
    handle = read.register_forward_pre_hook(lambda _, args: rows.append(len(args[0]) // len(tiny.ANSWERS)))
    found = together.sweep(lesions, slice(0, 3))
    handle.remove()
    assert set(rows) == {1}  # the labels once, not once per example
    single = alone.sweep(lesions, slice(0, 3))
    for lesion in lesions:
        for name in ("answer_logprob", "correct"):
            one, other = (torch.tensor(x[lesion].values[name]) for x in (found, single))
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-5)
        one, other = (torch.tensor(x[lesion].change_norm) for x in (found, single))
        torch.testing.assert_close(one, other, atol=0, rtol=1e-4)


def test_labels_are_part_of_the_model(tmp_path):
    clip.build(tmp_path)
    hashes = {ca.load(tmp_path, labels=labels).hash for labels in (["a cat", "a dog"], ["a cat", "a cow"], [])}
    assert len(hashes) == 3


def test_a_bare_encoder_has_parts_but_no_outcomes(tmp_path):
    model, examples = encoder("Dinov2Model", tmp_path), tiny.examples(2)
    (activation,) = model.activations("vision.layers.1.heads.3", **model.encode(examples))
    assert activation.shape == (2, 17, 8)
    with pytest.raises(OutcomeError, match=r"bare encoder.*model.do.*work.*classifier"):
        ca.counterfactuals(model, examples, "vision.layers.*", off="zero")


def test_what_encoders_refuse(tmp_path):
    (tmp_path / "image").mkdir()
    clip.build(tmp_path / "image", transformers.CLIPForImageClassification)
    with pytest.raises(CheckpointError, match="no text tower to read them"):
        ca.load(tmp_path / "image", labels=["a", "b"])
    for builder in (vit, clip):
        (tmp_path / builder.NAME).mkdir()
        builder.build(tmp_path / builder.NAME)
    model, (example,) = ca.load(tmp_path / "vit"), tiny.examples(1)
    with pytest.raises(ExampleError, match=r"has 2 images.*looks at one"):
        model.encode([Example("two", example.images * 2, "?", "yes")])
    with pytest.raises(ExampleError, match=r'"rad" is none of the model.s labels.*did you mean red'):
        ca.counterfactuals(model, ExampleSet("e", (Example("e", example.images, "?", "rad"),)), "vision.**", off="zero")
    with pytest.raises(CheckpointError, match=r"compare images with texts.*leave them out"):
        ca.load(tmp_path / "vit", labels=["a", "b"])
    with pytest.raises(CheckpointError, match="a cat, a cat; give at least two, each once"):
        ca.load(tmp_path / "clip", labels=["a cat", "a cat"])
    with pytest.raises(OutcomeError, match="labels="):
        ca.load(tmp_path / "clip").encode([example])
    config = tmp_path / "vit" / "config.json"
    config.write_text(config.read_text().replace("ViTForImageClassification", "ViTForMaskedImageModeling"))
    with pytest.raises(CheckpointError, match=r"ViTForMaskedImageModeling.*causalablate.wrap"):
        ca.load(tmp_path / "vit")


def test_labels_on_the_command_line(tmp_path, monkeypatch, capsys):
    clip.build(tmp_path / "clip")
    (tmp_path / "set").mkdir()
    shown = tiny.examples(4)
    for example in shown:
        Image.fromarray(example.images[0]).save(tmp_path / "set" / f"{example.id}.png")
    lines = [
        json.dumps({"id": e.id, "image": f"{e.id}.png", "question": e.question, "answer": e.answer}) for e in shown
    ]
    (tmp_path / "set" / "examples.jsonl").write_text("\n".join(lines))
    labels = ", ".join(tiny.ANSWERS)
    given = [str(tmp_path / "clip"), "text.layers.0.mlp", "--off", "zero", "--examples", str(tmp_path / "set")]
    monkeypatch.setattr(sys, "argv", ["causalablate", "lesion", *given, "--labels", labels, "--json", "--quiet"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 0
    rows = json.loads(capsys.readouterr().out)
    (row,) = [row for row in rows if row["outcome"] == "answer_logprob" and row["group"] == "all"]
    table = ca.counterfactuals(
        ca.load(tmp_path / "clip", labels=tiny.ANSWERS), shown, "text.layers.0.mlp", off="zero"
    ).frame
    expected = table.query("outcome == 'answer_logprob'")["effect"].mean()
    assert row["ate"] == pytest.approx(expected, abs=1e-5)


def test_regions_of_packed_images_are_those_of_the_language_model(qwen):
    """Merged patches stand row by row there; in the vision tower they do not."""
    left = {"kind": "region", "off": "zero", "boxes": [[0, 0, 0.5, 1]], "grid": [3, 5]}
    with pytest.raises(LesionError, match=r"vision.layers.0.*packed.*tokens.image"):
        ca.do("vision.layers.0", off=left).resolve(qwen.components)
    examples = tiny.examples(2, size=SIZE)
    inputs = qwen.encode(examples)
    image = inputs["input_ids"] == qwen.module.config.image_token_id
    columns = torch.arange(15).repeat(2) % 5 < 3

    def without_left(_, args):
        x = args[0].clone()
        x[image] = torch.where(columns[:, None], 0.0, x[image])
        return (x,)

    with qwen.do(ca.do("tokens.image", off=left)):
        found = logits(qwen, inputs)
    handle = qwen.module.get_submodule("model.language_model.layers.0").register_forward_pre_hook(without_left)
    torch.testing.assert_close(found, logits(qwen, inputs), atol=1e-5, rtol=0)
    handle.remove()


def test_image_positions_stand_row_by_row(qwen):
    """With attention silent in the vision tower, pixels at the left change the positions at the left alone."""
    (example,) = tiny.examples(1, size=SIZE)
    image = example.images[0].copy()
    image[:, :24] = 255 - image[:, :24]
    seen = []
    with ExitStack() as stack:
        for block in qwen.module.model.visual.blocks:
            stack.callback(block.attn.register_forward_hook(lambda *given: given[2] * 0).remove)
        first = qwen.module.get_submodule("model.language_model.layers.0")
        stack.callback(first.register_forward_pre_hook(lambda _, args: seen.append(args[0])).remove)
        for pixels in (example.images[0], image):
            logits(qwen, qwen.encode([Example("e", (pixels,), example.question, "yes")]))
    positions = qwen.encode([example])["input_ids"][0] == qwen.module.config.image_token_id
    changed = (seen[0] != seen[1]).any(-1)[0]
    assert torch.equal(changed[positions], torch.arange(15) % 5 < 3)
    assert not changed[~positions].any()


@pytest.mark.parametrize("builder", [vit, clip], ids=["vit", "clip"])
def test_encoders_generate_nothing(builder, tmp_path):
    builder.build(tmp_path)
    model = ca.load(tmp_path, **getattr(builder, "OPTIONS", {}))
    with pytest.raises(LesionError, match=r"counterfactuals\(\)"):
        ca.generate(model, tiny.examples(2), {"a": ca.do("vision.layers.0", off="zero")})


def test_deepstack_carries_the_image_past_its_positions(tmp_path):
    qwen3_vl.build(tmp_path)
    model, (example,) = ca.load(tmp_path), tiny.examples(1, size=SIZE)
    other = Example(example.id, (255 - example.images[0],), example.question, example.answer)
    seen = {}
    for name, parts in {"tokens": ["tokens.image"], "all": ["connector", "deepstack.*"]}.items():
        with model.do(ca.do(parts[0], *parts[1:], off="zero")):
            pair = [logits(model, model.encode([one])) for one in (example, other)]
        seen[name] = not torch.allclose(*pair, atol=1e-6)
    assert seen == {"tokens": True, "all": False}


def test_a_processor_with_a_part_for_videos_reads_images_without_torchvision(tmp_path):
    """Transformers builds video processors with torchvision only, and refuses the whole processor without it."""
    qwen2_vl.build(tmp_path)
    processor = load_processor(tmp_path, LoadOptions())
    assert isinstance(processor, transformers.Qwen2VLProcessor)
    if importlib.util.find_spec("torchvision") is None:
        assert processor.video_processor is None
        with pytest.raises((AttributeError, ImportError)):
            transformers.AutoProcessor.from_pretrained(tmp_path, local_files_only=True)
    image = Image.fromarray(tiny.examples(1, size=SIZE)[0].images[0])
    found = processor(images=[[image]], text=[f"{qwen2_vl.IMAGE} Is it red?"], return_tensors="pt")
    assert found["image_grid_thw"].tolist() == [[1, 6, 10]]
    assert int((found["input_ids"] == processor.image_token_id).sum()) == 15
