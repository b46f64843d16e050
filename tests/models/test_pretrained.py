"""Checkpoints loaded through transformers: fed as transformers feeds them, padded without effect, lesioned for real."""

import json
import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer

from causalablate import counterfactuals, do
from causalablate.errors import ComponentNotFoundError, ExampleError
from causalablate.examples import Example, ExampleSet
from causalablate.models import load
from tests.families import gemma3, llava, paligemma, text, tiny

TOLERANCE = 1e-5
BUILDERS = {builder.NAME: builder for builder in (llava, paligemma, gemma3, text)}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    made = {}
    for name, builder in BUILDERS.items():
        for side in ("left", "right"):
            made[name, side] = tmp_path_factory.mktemp(f"{name}-{side}")
            builder.build(made[name, side], padding_side=side)
    return made


@pytest.fixture(scope="module")
def models(paths):
    return {key: load(path) for key, path in paths.items()}


def answer(model, examples):
    with torch.no_grad():
        return model.read(model(**model.encode(examples))).logits["answer"]


def alone(model, examples):
    return torch.cat([answer(model, examples[i : i + 1]) for i in range(len(examples))])


def plain(name, path, example):
    """One example through transformers alone: no padding, no arguments of ours."""
    images = [Image.fromarray(image) for image in example.images]
    if name == "text":
        module, processor = AutoModelForCausalLM.from_pretrained(path).eval(), AutoTokenizer.from_pretrained(path)
        inputs = processor(example.question, return_tensors="pt")
    else:
        module, processor = (
            AutoModelForImageTextToText.from_pretrained(path).eval(),
            AutoProcessor.from_pretrained(path),
        )
        if processor.chat_template:
            words = [{"type": "image"}] * len(images) + [{"type": "text", "text": example.question}]
            turn = [{"role": "user", "content": words}]
            prompt = processor.apply_chat_template(turn, add_generation_prompt=True)
        elif name == "llava":
            prompt = f"USER: {'<image>' + chr(10)}{example.question} ASSISTANT:"
        else:
            prompt = f"<image>answer en {example.question}"
        inputs = processor(images=images, text=prompt, return_tensors="pt")
    inputs.pop("labels", None)
    with torch.no_grad():
        return module(**inputs).logits[:, -1]


@pytest.mark.parametrize("name", BUILDERS)
def test_a_model_answers_as_transformers_alone_has_it_answer(paths, models, name):
    examples = tiny.examples(3)
    expected = torch.cat([plain(name, paths[name, "left"], example) for example in examples])
    assert expected.std() > 0.01
    assert torch.allclose(answer(models[name, "left"], examples), expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("n_images", [1, 2])
@pytest.mark.parametrize("name", BUILDERS)
def test_padding_changes_no_outcome(models, name, n_images):
    examples = tiny.examples(5, n_images=n_images)
    together, other = answer(models[name, "left"], examples), answer(models[name, "right"], examples)
    assert torch.equal(together, other), "the tokenizer's own padding side matters"
    assert (together - alone(models[name, "left"], examples)).abs().max() < TOLERANCE
    lengths = models[name, "left"].encode(examples)["attention_mask"].sum(1)
    assert len(set(lengths.tolist())) == 5


@pytest.mark.parametrize("name", BUILDERS)
def test_a_lesion_does_in_a_padded_batch_what_it_does_alone(models, name):
    model, examples = models[name, "left"], tiny.examples(4)
    asked = [do("lm.layers.0.heads.1", "lm.layers.1.mlp", off="zero"), do("tokens.question", off="zero")]
    asked += [do("lm.layers.0.edges.question.answer", off="knockout"), do("lm.layers.1", off="zero")]
    together = counterfactuals(model, examples, asked).frame.set_index(["lesion", "example", "outcome"])
    single = [counterfactuals(model, examples[i : i + 1], asked).frame for i in range(4)]
    for frame in single:
        for row in frame.itertuples():
            found = together.loc[row.lesion, row.example, row.outcome]
            assert abs(found.counterfactual - row.counterfactual) < TOLERANCE
            assert abs(found.change_norm - row.change_norm) < 1e-4 and found.fired
    assert (together.effect.abs().groupby("lesion").max() > 1e-4).all()


@pytest.mark.parametrize("off", ["zero", "mean", "noise", "resample"])
def test_two_images_of_an_example_are_lesioned_together_whatever_stands_beside_them(models, off):
    model, examples = models["llava", "left"], tiny.examples(3, n_images=2)
    asked = [do(address, off=off) for address in ("vision.layers.0.heads.1", "vision.layers.1", "connector")]
    reference = model.reference(tiny.examples(6, n_images=2))
    together = counterfactuals(model, examples, asked, reference=reference).frame
    for i, example in enumerate(examples):
        single = counterfactuals(model, examples[i : i + 1], asked, reference=reference).frame
        here = together[together.example == example.id].reset_index(drop=True)
        assert np.abs(here.counterfactual - single.counterfactual).max() < TOLERANCE
        assert np.abs(here.change_norm - single.change_norm).max() < 1e-4 and here.change_norm.min() > 1e-3


@pytest.mark.parametrize("name", ["llava", "paligemma", "gemma3"])
def test_token_groups_part_the_prompt(models, name):
    model, examples = models[name, "left"], tiny.examples(3, n_images=2)
    inputs = model.encode(examples)
    groups = model.adapter.token_groups(model.module, inputs)
    parts = torch.stack([groups["image"], groups["question"], groups["answer"]])
    assert torch.equal(parts.sum(0), groups["all"].long()) and torch.equal(groups["all"], inputs["attention_mask"] == 1)
    assert torch.equal(groups["image.0"] ^ groups["image.1"], groups["image"])
    assert (groups["image.0"].sum(1) == 4).all() and (groups["image.1"].sum(1) == 4).all()
    first, second = (groups[f"image.{i}"].long() for i in range(2))
    assert (first.argmax(1) < second.argmax(1)).all()
    assert groups["answer"][:, -1].all() and (groups["answer"].sum(1) == 1).all()


def test_each_image_has_its_own_positions(models):
    model, (example,) = models["llava", "left"], tiny.examples(1, n_images=2)
    other = Example("o", (example.images[0], 255 - example.images[1]), example.question, example.answer)
    groups = model.adapter.token_groups(model.module, model.encode([example]))
    kept = [model.activations("lm.layers.0", **model.encode([e]))[0] for e in (example, other)]
    # Only the second image differs, and a decoder looks back only: what stands before it is the same.
    moved = (kept[0] - kept[1]).abs().amax(-1) > 1e-7
    assert not moved[groups["image.0"]].any() and moved[groups["image.1"]].all()


class TestVisionFeatureLayer:
    """LLaVA reads its tower at one layer: what is behind it runs, but nobody reads it."""

    @pytest.mark.parametrize(("selected", "n_read"), [(-2, 2), (-1, 3), (1, 1), ([-3, 1], 1), ([-2, -3], 2)])
    def test_layers_that_are_not_read_are_no_components(self, tmp_path, selected, n_read):
        n = 1 if isinstance(selected, int) else len(selected)
        llava.build(tmp_path, vision_feature_layer=selected)
        model = load(tmp_path)
        assert len(model.components.select("vision.layers.*.mlp")) == n_read
        assert model.module.model.multi_modal_projector.linear_1.in_features == 16 * n
        effects = counterfactuals(model, tiny.examples(2), "vision.layers.*", off="zero").frame
        assert (effects.groupby("lesion").effect.apply(lambda x: x.abs().max()) > 1e-5).all()
        with pytest.raises(ComponentNotFoundError):
            do(f"vision.layers.{n_read}.mlp", off="zero").resolve(model.components)

    def test_layers_behind_it_really_do_nothing(self, models):
        model, examples = models["llava", "left"], tiny.examples(2)
        before = answer(model, examples)
        layers = model.module.model.vision_tower.encoder.layers
        with torch.no_grad(), _replaced(layers[2].mlp.fc2.weight, 3.0):
            assert torch.equal(answer(model, examples), before)
        with torch.no_grad(), _replaced(layers[1].mlp.fc2.weight, 3.0):
            assert not torch.equal(answer(model, examples), before)

    def test_a_warm_and_a_cold_model_agree(self, paths):
        examples, lesion = tiny.examples(2), do("vision.layers.1", off="zero")
        cold, warm = load(paths["llava", "left"]), load(paths["llava", "left"])
        warm.module.model.vision_tower(torch.zeros(1, 3, 16, 16), output_hidden_states=True)
        answer(warm, examples)
        found = [counterfactuals(m, examples, lesion).frame.effect.to_numpy() for m in (cold, warm)]
        assert np.array_equal(*found) and np.abs(found[0]).max() > 1e-4


@contextmanager
def _replaced(weight, value):
    """A weight with another value inside the block."""
    old = weight.detach().clone()
    weight.fill_(value)
    yield
    weight.copy_(old)


class TestAnswers:
    def test_the_first_token_is_the_one_that_follows_the_prompt(self, models):
        model = models["llava", "left"]
        (token,) = model.adapter.answers(model.module, [_asked("Is it red?", "yes")])
        assert model.vocabulary[token] == "Ġyes"  # behind `ASSISTANT:` a word begins with its space
        model = models["paligemma", "left"]
        (token,) = model.adapter.answers(model.module, [_asked("Is it red?", "yes")])
        assert model.vocabulary[token] == "yes"  # behind a line end it does not

    def test_two_answers_that_begin_alike_are_refused(self, models):
        model = models["llava", "left"]
        examples = ExampleSet("alike", (_asked("Is it red?", "yes it is", "a"), _asked("Is it red?", "yes", "b")))
        with pytest.raises(ExampleError, match=r'"yes it is" and "yes" begin with the same token, .Ġyes.*multiple'):
            counterfactuals(model, examples, "connector", off="zero")

    def test_a_reference_set_needs_no_answers(self, models):
        alike = ExampleSet("alike", (_asked("Is it red?", "yes it is", "a"), _asked("Is it red?", "yes", "b")))
        lesion = do("connector", off="mean")
        assert counterfactuals(models["llava", "left"], tiny.examples(2), lesion, reference=alike).frame.fired.all()

    def test_the_vocabulary_names_every_logit(self, models):
        for model in models.values():
            assert len(model.vocabulary) == answer(model, tiny.examples(1)).shape[1]
            assert all(isinstance(token, str) and token for token in model.vocabulary)

    def test_a_template_that_starts_the_text_starts_it_once(self, tmp_path):
        llava.build(tmp_path, chat=True)
        processor = AutoProcessor.from_pretrained(tmp_path)
        processor.chat_template = tiny.chat_template("<image>", start="<s>")
        processor.save_pretrained(tmp_path)
        model = load(tmp_path)
        ids = model.encode(tiny.examples(2))["input_ids"]
        assert ((ids == 1).sum(1) == 1).all()
        assert model.adapter.texts(model.module, tiny.examples(1)) == [
            "<s>user: <image>\nWhat colour is the square?assistant:"
        ]


def _asked(question, expected, name="e"):
    return Example(name, (np.zeros((16, 16, 3), dtype=np.uint8),), question, expected)


@pytest.fixture(scope="module")
def mixed():
    one, two = tiny.examples(3), tiny.examples(5, n_images=2)
    return ExampleSet("mixed", (*one.examples, *two.examples[3:]))


class TestRaggedBatches:
    @pytest.mark.parametrize("name", ["llava", "paligemma", "gemma3"])
    def test_examples_with_unequally_many_images_run_one_at_a_time(self, models, mixed, name):
        model = models[name, "left"]
        assert model.adapter.alone(model.module, mixed) and not model.adapter.alone(model.module, mixed[:3])
        assert [len(batch.keys) for batch in model.batches(mixed, 64)] == [1] * 5
        asked = [do("vision.layers.0", off="zero"), do("connector", off="mean"), do("tokens.image", off="zero")]
        frame = counterfactuals(model, mixed, asked, reference=tiny.examples(3), batch_size=4).frame
        for i in (0, 4):
            reference = tiny.examples(3)
            single = counterfactuals(model, mixed[i : i + 1], asked, reference=reference, batch_size=1).frame
            here = frame[frame.example == mixed[i].id].reset_index(drop=True)
            assert np.abs(here.counterfactual - single.counterfactual).max() < TOLERANCE
        assert frame.fired.all()


def test_models_that_leave_the_mask_out_of_some_batches_are_replayed_exactly(models, monkeypatch):
    """Without the extra padding, batches of one length have no attention mask and others have one."""
    monkeypatch.setattr("causalablate.models.pretrained.inputs._with_padding", lambda inputs, processor: inputs)
    model, examples = models["llava", "left"], tiny.examples(5)
    asked = ["lm.layers.*.heads.*", "vision.layers.*.mlp"]
    for batch_size in (1, 5):
        fast = counterfactuals(model, examples, asked, off="zero", batch_size=batch_size, stack=4).frame
        slow = counterfactuals(model, examples, asked, off="zero", batch_size=batch_size, stack=1).frame
        assert np.abs(fast.counterfactual - slow.counterfactual).max() < TOLERANCE and fast.fired.all()


def test_image_sizes_do_not_matter_where_all_are_made_one(models):
    examples = tiny.examples(3, sizes=[(20, 20), (17, 40), (64, 30)])
    model = models["llava", "left"]
    assert not model.adapter.alone(model.module, examples)
    assert (answer(model, examples) - alone(model, examples)).abs().max() < TOLERANCE


def test_the_python_of_the_page_on_checkpoints_runs(tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "models.md"
    llava.build(tmp_path / "llava-1.5-7b-hf")
    (tmp_path / "photos").mkdir()
    lines = []
    for example in tiny.examples(3):
        Image.fromarray(example.images[0]).save(tmp_path / "photos" / f"{example.id}.png")
        lines.append({"image": f"{example.id}.png", "question": example.question, "answer": example.answer})
    (tmp_path / "photos" / "examples.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(compile(block, str(page), "exec"), names)
    assert names["table"].frame.fired.all() and names["edges"].frame.fired.all()
