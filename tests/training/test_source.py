"""Training on a folder of examples: what is held out, what the model is built for, and that a run learns from it."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from causalablate.counterfactual import counterfactuals
from causalablate.declarative import loads, read
from causalablate.errors import ExampleError, TrainingError
from causalablate.examples import digits, folder
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.intervention import do
from causalablate.models import load
from causalablate.training.config import TrainingConfig
from causalablate.training.mixture import Mixture
from causalablate.training.source import Folder, source_of
from causalablate.training.trainer import train

SMALL = {"width": 16, "layers": 1, "image_size": 16, "patch_size": 8}
COLOURS = {"Red": (220, 30, 30), "blue": (30, 30, 220), "green": (20, 200, 40)}


@pytest.fixture
def data(tmp_path):
    """Twelve plain images, two questions about each."""
    root = tmp_path / "data"
    root.mkdir()
    lines = []
    for i in range(12):
        answer = list(COLOURS)[i % 3]
        Image.fromarray(np.full((16, 16, 3), COLOURS[answer], np.uint8)).save(root / f"{i}.png")
        for question in ("What colour is it?", "Which of the colours is here?"):
            kind = question.split()[0]
            lines.append(
                {"image": f"{i}.png", "question": question, "answer": answer, "groups": {"question_type": kind}}
            )
    (root / "train.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return root


def config(**changes):
    entries = {
        "name": "plain",
        "data": {"kind": "folder", "path": "data", "split": "train"},
        "model": SMALL,
        "encoder_warmup": {"steps": 0},
        "main": {"steps": 3, "batch_size": 6, "warmup_steps": 1},
        "evaluation": {"every": 2, "examples": 7, "batch_size": 6},
        "save_every": 2,
    }
    return TrainingConfig.model_validate({**entries, **changes})


def test_whole_images_are_held_out(data):
    source = Folder.of(folder(data, split="train"), 5, seed=0)
    assert len(source.validation) == 6 and len(source.training) == 18
    assert not {e.cluster for e in source.validation} & {e.cluster for e in source.training}
    other = Folder.of(folder(data, split="train"), 5, seed=1)
    assert {e.id for e in other.validation} != {e.id for e in source.validation}
    with pytest.raises(TrainingError, match="leaves none to train on"):
        Folder.of(folder(data, split="train"), 23, seed=0)


def test_the_examples_say_what_the_model_must_take(data):
    source = source_of(config(), data.parent)
    words = "blue colour colours green here is it of red the what which"
    assert source.words == tuple(words.split())
    assert source.shape == {"max_question_tokens": 6, "n_frames": 2, "image_repeats": 2}
    with pytest.raises(ExampleError, match="nowhere"):
        source_of(config(data={"kind": "folder", "path": "nowhere"}), data.parent)


def test_single_images_are_repeated_as_asked_and_as_often_as_others_have_frames(data):
    four = source_of(config(model={**SMALL, "image_repeats": 4}), data.parent)
    assert four.shape["n_frames"] == four.shape["image_repeats"] == 4
    line = {"image": ["0.png", "1.png", "2.png"], "question": "what", "answer": "red"}
    with (data / "train.jsonl").open("a") as file:
        file.write("\n" + json.dumps(line))
    mixed = source_of(config(), data.parent)
    assert mixed.shape["n_frames"] == mixed.shape["image_repeats"] == 3
    made_for = small_config(mixed.words, **SMALL, **mixed.shape)
    assert mixed.batch(made_for, 5, 0, 1, 0).inputs["pixel_values"].shape == (5, 3, 3, 16, 16)


def test_the_samples_have_a_seed_of_their_own(data):
    held = [{e.id for e in source_of(config(seed=s, data_seed=7), data.parent).validation} for s in (0, 1)]
    assert held[0] == held[1]
    digit = {"data": {"kind": "digits"}, "data_seed": 3}
    assert source_of(config(**digit), data).validation.hash == digits(7, split="validation", seed=3).hash


def test_a_batch_is_a_function_of_seed_stage_and_step(data):
    source = source_of(config(), data.parent)
    made_for = small_config(source.words, **SMALL, **source.shape)

    def batch(*key):
        return source.batch(made_for, 6, *key)

    first, again = batch(0, 1, 5), batch(0, 1, 5)
    assert all(torch.equal(first.inputs[name], again.inputs[name]) for name in first.inputs)
    assert first.contents is None and first.rng.random() == again.rng.random()
    for key in ((1, 1, 5), (0, 0, 5), (0, 1, 6)):
        assert not torch.equal(first.inputs["noise"], batch(*key).inputs["noise"])


def test_a_run_ends_in_a_checkpoint_and_resumes_to_the_same_bytes(data):
    run = config()
    straight = train(run, data.parent / "a", directory=data.parent, quiet=True)
    train(run, data.parent / "b", directory=data.parent, quiet=True, stop_after=2)
    resumed = train(run, data.parent / "b", directory=data.parent, quiet=True)
    assert (straight / "model.safetensors").read_bytes() == (resumed / "model.safetensors").read_bytes()
    made = FoveatedVLM.from_pretrained(straight).config
    assert made.canvas == 16 and made.n_patches == 4 and "red" in made.vocabulary
    rows = [json.loads(line) for line in (straight / "log.jsonl").read_text().splitlines()]
    assert {"accuracy.What", "accuracy.Which"} <= set(rows[-1])


def test_it_learns_what_the_images_show(data):
    run = config(
        main={"steps": 120, "batch_size": 12, "warmup_steps": 10, "learning_rate": 3e-3},
        evaluation={"every": 120, "examples": 8},
        objective={"autoregressive_share": 0},
        optimizer={"ema_decay": 0.9},
    )
    log = train(run, data.parent / "run", directory=data.parent, quiet=True) / "log.jsonl"
    assert json.loads(log.read_text().splitlines()[-1])["accuracy"] == 1.0


def test_a_run_does_not_go_on_with_other_examples(data):
    train(config(), data.parent / "run", directory=data.parent, quiet=True, stop_after=2)
    text = (data / "train.jsonl").read_text()
    (data / "train.jsonl").write_text(text.replace("Which", "What", 1))
    with pytest.raises(TrainingError, match="another config"):
        train(config(), data.parent / "run", directory=data.parent, quiet=True)


def test_a_run_may_start_from_a_checkpoint(data):
    first = train(config(), data.parent / "first", directory=data.parent, quiet=True)
    asked = folder(data, split="train")[0].question
    (data / "train.jsonl").write_text((data / "train.jsonl").read_text().replace(asked, f"{asked} Say it, please."))
    start = str(first.relative_to(data.parent))
    second = train(config(start=start, main={"steps": 0}), data.parent / "next", directory=data.parent, quiet=True)
    old, new = (FoveatedVLM.from_pretrained(path).state_dict() for path in (first, second))
    changed = {name for name in old if old[name].shape != new[name].shape or not torch.equal(old[name], new[name])}
    assert changed == {"lm.model.embed_tokens.weight", "lm.lm_head.weight"}  # there are more words now
    with pytest.raises(TrainingError, match="has another shape"):
        train(config(start="shipped"), data.parent / "wrong", directory=data.parent, quiet=True)


def test_what_only_digit_scenes_can_give_is_refused():
    with pytest.raises(ValidationError, match=r"encoder_warmup: \{steps: 0\}"):
        config(encoder_warmup={"steps": 5})
    with pytest.raises(ValidationError, match="patch_size 7 does not divide image_size 16"):
        config(model={"image_size": 16, "patch_size": 7})


ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CAUSALABLATE_DATA", ROOT.parent / "shared" / "data"))


@pytest.mark.skipif(not (DATA / "easy_vqa").is_dir(), reason=f"no easy-VQA in {DATA}")
def test_easy_vqa_is_trained_on_by_config_alone_and_lesioned(tmp_path):
    run = read(ROOT / "experiments" / "train_easy_vqa.yaml", TrainingConfig)
    few = {"kind": "folder", "path": str(DATA / "easy_vqa"), "split": "train", "limit": 400}
    short = {"data": few, "main": {"steps": 2, "batch_size": 16}, "evaluation": {"every": 2, "examples": 50}}
    model = load(train(TrainingConfig.model_validate({**run.model_dump(), **short}), tmp_path, quiet=True))
    assert model.module.config.n_patches == 16 and "rectangle" in model.vocabulary
    table = counterfactuals(model, folder(DATA / "easy_vqa", split="test", limit=40), do("connector", off="zero"))
    assert table.frame["fired"].all() and {"presence", "color"} <= set(table.frame["group.question_type"])


def test_the_page_shows_configs_that_are_valid():
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    shown = [
        loads(text, TrainingConfig, "docs/data.md") for text in re.findall(r"```yaml\n(name: .*?)```", page, re.DOTALL)
    ]
    configs = {config.name: config for config in shown}
    shipped = read(ROOT / "experiments" / "train_easy_vqa.yaml", TrainingConfig)
    config = configs["foveated-easy-vqa"]
    assert config.model == shipped.model and config.main == shipped.main and config.start == shipped.start
    assert isinstance(source_of(configs["video-heavy"], ROOT), Mixture)
