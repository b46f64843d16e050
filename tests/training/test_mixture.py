"""Batches of one kind each, in the shares asked for; contents known where there is something to know."""

from collections import Counter

import numpy as np
import pytest
import torch

from causalablate.examples.clip_scenes import MIXTURE_WORDS
from causalablate.foveated.encoding import encode
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.training.data import SQUARE_CLASS, gaze_target
from causalablate.training.data_section import MixtureData
from causalablate.training.mixture import Mixture, kind_at

KINDS = ("video", "image", "text")
SOURCE = Mixture.of(MixtureData(kind="mixture", clip_frames=3, image_repeats=2), 31, seed=0)
CONFIG = small_config(SOURCE.words, width=16, layers=1, **SOURCE.shape)


def batch(kind, source=SOURCE, config=CONFIG, size=14):
    step = next(step for step in range(100) if source.kind(0, 1, step) == kind)
    return source.batch(config, size, 0, 1, step)


@pytest.mark.parametrize("shares", [(0.55, 0.30, 0.15), (0.2, 0.2, 0.6), (1 / 3, 1 / 3, 1 / 3)])
def test_the_shares_hold_over_any_run_of_steps(shares):
    asked = dict(zip(KINDS, shares, strict=True))
    kinds = np.array([kind_at(asked, 5, 1, step) for step in range(3000)])
    for kind, share in asked.items():
        so_far = np.concatenate([[0], np.cumsum(kinds == kind)])
        for window in (5, 20, 100, 1000):
            assert np.abs(so_far[window:] - so_far[:-window] - share * window).max() < 3


def test_the_kind_depends_on_seed_and_stage_and_a_share_of_0_never_comes():
    shares = {"video": 0.5, "image": 0.5, "text": 0.0}
    orders = {tuple(kind_at(shares, seed, stage, i) for i in range(40)) for seed in range(3) for stage in (1, 2)}
    assert len(orders) > 3 and not any("text" in order for order in orders)


def test_a_batch_is_of_one_kind_and_repeats_itself():
    frames = {"video": 3, "image": 2, "text": 2}
    for kind in KINDS:
        first, again = batch(kind), batch(kind)
        assert first.inputs["pixel_values"].shape == first.inputs["noise"].shape == (14, frames[kind], 3, 48, 48)
        assert all(torch.equal(first.inputs[name], again.inputs[name]) for name in first.inputs)
        assert first.rng.random() == again.rng.random()


def test_what_clips_and_stills_hold_is_known():
    clip, still, text = (batch(kind, size=70) for kind in KINDS)
    assert text.contents is None
    assert (text.inputs["pixel_values"] == text.inputs["pixel_values"][0, 0, 0, 0, 0]).all()
    assert (still.contents.cell_class[:, 0] == SQUARE_CLASS).all()
    for shown in (clip, still):
        scenes, gaze = shown.contents.scenes, gaze_target(shown.contents.scenes).numpy()
        words = np.array(CONFIG.vocabulary)[shown.inputs["labels"].numpy()]
        for row in range(70):
            looked = np.flatnonzero(gaze[row])
            seen = [int(shown.contents.cell_class[row, cell]) for cell in looked]
            assert all(digit < 10 for digit in seen)
            if len(looked) == 1:
                assert MIXTURE_WORDS.index(words[row]) == seen[0]
            elif len(looked):
                assert len(looked) == scenes.n_digits[row]
    assert np.isclose(gaze_target(clip.contents.scenes).numpy().sum(1), 1).all()


def test_a_single_image_is_shown_as_often_as_asked():
    for repeats in (1, 16):
        source = Mixture.of(MixtureData(kind="mixture", clip_frames=3, image_repeats=repeats), 7, seed=0)
        config = small_config(source.words, width=16, layers=1, **source.shape)
        assert config.n_frames == max(3, repeats)
        pixels = batch("image", source, config).inputs["pixel_values"]
        assert pixels.shape[1] == repeats and (pixels == pixels[:, :1]).all()
        # In evaluation as in training.
        assert encode([source.validation[-1]], config)["pixel_values"].shape[1] == repeats


def test_the_warm_up_is_on_digit_scenes():
    shown = SOURCE.batch(CONFIG, 14, 0, 0, 3)
    first, last = shown.inputs["pixel_values"].unbind(1)
    assert torch.equal(first[..., 12:, :], last[..., 12:, :]) and not torch.equal(first, last)


def test_validation_holds_equal_parts_whose_types_are_told_apart():
    counts = Counter(example.groups["kind"] for example in SOURCE.validation)
    assert counts == {"video": 11, "image": 10, "text": 10}
    types = {example.groups["question_type"] for example in SOURCE.validation}
    assert {"video.turns", "video.count", "image.count", "text.count"} <= types
    assert SOURCE.validation.hash == Mixture.of(MixtureData(kind="mixture", clip_frames=3), 31, seed=0).validation.hash


def test_the_model_takes_every_kind():
    torch.manual_seed(0)
    model = FoveatedVLM(CONFIG)
    for kind in KINDS:
        shown = batch(kind)
        output = model(**shown.inputs)
        assert torch.isfinite(output.loss) and output.allocation.shape == (14, 16)


def test_one_kind_alone_may_be_all_there_is():
    assert {kind_at({"video": 0.0, "image": 0.0, "text": 1.0}, 0, 1, step) for step in range(50)} == {"text"}
