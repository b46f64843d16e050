import numpy as np
import pytest
import torch

from causalablate.errors import ExampleError
from causalablate.examples import Example
from causalablate.foveated.encoding import encode, frames_of
from causalablate.foveated.sizes import small_config


def example(*images, seed=0):
    return Example("x", images, "what digit is red", "two", seed=seed)


def test_shapes_and_ranges(model, examples):
    inputs = encode(examples, model.config)
    assert inputs["pixel_values"].shape == inputs["noise"].shape == (8, 2, 3, 48, 48)
    assert inputs["pixel_values"].min() >= 0 and inputs["pixel_values"].max() <= 1
    assert [model.config.vocabulary[i] for i in inputs["labels"]] == [e.answer for e in examples]


def test_an_example_is_encoded_without_its_batch(model, examples):
    together, alone = encode(examples, model.config), encode([examples[5]], model.config)
    assert all(torch.equal(together[name][5:6], alone[name]) for name in together)


def test_noise_follows_the_seed(model):
    image = np.zeros((48, 48, 3), np.uint8)
    one, same, other = (encode([example(image, seed=s)], model.config)["noise"] for s in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert abs(one.mean()) < 0.05 and abs(one.std() - 1) < 0.05


def test_a_single_image_is_every_frame(model):
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    pixels = encode([example(image)], model.config)["pixel_values"][0]
    assert torch.equal(pixels[0], pixels[1])


@pytest.mark.parametrize("repeats", [1, 2, 4])
def test_how_often_a_single_image_is_shown(repeats):
    config = small_config(["what", "digit", "is", "red", "two"], n_frames=4, image_repeats=repeats)
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    inputs = encode([example(image, seed=3)], config)
    assert inputs["pixel_values"].shape == inputs["noise"].shape == (1, repeats, 3, 48, 48)
    assert frames_of(example(image), config) == repeats and frames_of(example(image, image, image), config) == 3
    assert len(inputs["noise"][0].unique(dim=0)) == repeats and len(inputs["pixel_values"][0].unique(dim=0)) == 1


def test_frames_beyond_do_not_change_the_noise_of_those_before():
    config = small_config(["what", "digit", "is", "red", "two"], n_frames=3)
    images = [np.zeros((48, 48, 3), np.uint8)] * 3
    two, three = (encode([example(*images[:n], seed=3)], config)["noise"] for n in (2, 3))
    assert torch.equal(two, three[:, :2])


def test_one_batch_holds_one_number_of_frames():
    config = small_config(["what", "digit", "is", "red", "two"], n_frames=3)
    image = np.zeros((48, 48, 3), np.uint8)
    named = Example("clip", (image, image, image), "what digit is red", "two")
    with pytest.raises(ExampleError, match=r'"x" has 2 frames and "clip" has 3; .* batches of their own'):
        encode([example(image, image), named], config)
    assert encode([example(image), example(image, image)], config)["noise"].shape[:2] == (2, 2)


def test_any_size_is_brought_to_the_canvas(model):
    large = np.zeros((200, 100, 3), np.uint8)
    large[:100] = 200
    pixels = encode([example(large, np.full((20, 30, 3), 60, np.uint8))], model.config)["pixel_values"][0]
    assert pixels.shape == (2, 3, 48, 48)
    assert pixels[0, 0, 0, 0] == pytest.approx(200 / 255) and pixels[0, 0, -1, 0] == 0
    assert pixels[1].mean() == pytest.approx(60 / 255)


def test_too_many_frames_are_refused(model):
    image = np.zeros((48, 48, 3), np.uint8)
    with pytest.raises(ExampleError, match='"x" has 3 frames; this model takes 1 to 2'):
        encode([example(image, image, image)], model.config)
