"""Regions of images: what is covered, and what the model says of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from causalablate.attribution.regions import RegionGame, Regions
from causalablate.errors import ExampleError, LesionError, OutcomeError
from causalablate.examples import Example, ExampleSet
from causalablate.outcome import compute
from causalablate.replay import Replay

IMAGE = np.random.default_rng(0).integers(0, 256, (10, 14, 3), dtype=np.uint8)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 4), (10, 14), (3, 3)])
def test_boxes_tile_the_image(rows, columns):
    covered = np.zeros((10, 14), int)
    for box in (boxes := Regions(rows, columns).boxes(10, 14)):
        covered[box] += 1
    assert (covered == 1).all() and len(boxes) == rows * columns == len(Regions(rows, columns).names)


def test_only_absent_regions_change():
    present = np.array([True, False, True, True])
    for fill in ("mean", "blur"):
        covered = Regions(2, 2, fill).cover(IMAGE, present)
        changed = (covered != IMAGE).any(axis=2)
        assert not changed[5:].any() and not changed[:, :7].any() and changed[:5, 7:].mean() > 0.9
    assert (Regions(2, 2).cover(IMAGE, present)[:5, 7:] == np.rint(IMAGE.mean(axis=(0, 1)))).all()
    blurred = Regions(2, 2, "blur").cover(IMAGE, present)[:5, 7:]
    assert 0 < blurred.std() < 0.5 * IMAGE.std()
    assert (Regions(2, 2).cover(IMAGE, np.ones(4, bool)) == IMAGE).all()


def test_values_are_outcomes_on_covered_images(model, examples):
    some, grid = examples[:6], Regions(1, 2)
    game = RegionGame(model, some, grid, outcome="answer_logprob", batch_size=4)
    coalitions = np.array([[True, True], [True, False], [False, False]])
    values = game.values(coalitions, lambda n, note: None)
    intact = Replay(model, some, outcomes=["answer_logprob"], batch_size=4).factual(slice(0, 6))["answer_logprob"]
    assert values[0].tolist() == intact.tolist()
    for i, (left, right) in enumerate(coalitions):
        images = []
        for example in some:
            frames = [image.copy() for image in example.images]
            for frame in frames:
                colour, half = np.rint(frame.mean(axis=(0, 1))), round(frame.shape[1] / 2)
                frame[:, :half] = frame[:, :half] if left else colour
                frame[:, half:] = frame[:, half:] if right else colour
            images.append(replace(example, images=tuple(frames)))
        covered = ExampleSet("covered", tuple(images))
        with torch.no_grad():
            seen = model.read(model(**model.encode(covered)))
        (expected,) = compute(
            ["answer_logprob"], seen, model.adapter.answers(model.module, some), seen, [e.id for e in some]
        )
        assert values[i] == pytest.approx(expected.numpy(), abs=1e-5)
    assert (values[0] != values[1]).any() and (values[1] != values[2]).any()


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda m, e: Regions(0, 3), LesionError, "at least 1 x 1"),
        (lambda m, e: Regions(2, 2, "blurr"), LesionError, "did you mean blur"),
        (
            lambda m, e: RegionGame(m, e, Regions(2, 2), outcome="kl_to_factual", batch_size=4),
            OutcomeError,
            "same image",
        ),
        (
            lambda m, e: RegionGame(m, e, Regions(2, 999), outcome="correct", batch_size=4),
            ExampleError,
            "use a coarser grid",
        ),
        (
            lambda m, e: RegionGame(
                m, ExampleSet("words", (Example("w", question="?"),)), Regions(1, 1), outcome="correct", batch_size=4
            ),
            ExampleError,
            '"w" has no image',
        ),
    ],
)
def test_games_that_are_none(model, examples, ask, error, message):
    with pytest.raises(error, match=message):
        ask(model, examples)
