import numpy as np
import pytest

from causalablate.examples import Example, digits
from causalablate.examples.properties import image_properties


def measured(*images):
    return image_properties([Example("e", images, "what?", "this")]).loc["e"]


def grey(values):
    return np.repeat(np.asarray(values, dtype=np.uint8)[:, :, None], 3, axis=2)


def test_a_plain_image():
    found = measured(np.full((4, 6, 3), 51, dtype=np.uint8))
    assert found["brightness"] == pytest.approx(0.2) and found["contrast"] == pytest.approx(0)
    assert (found["edge_density"], found["n_colours"], found["size"]) == (0, 1, 24)


def test_colours_weigh_as_the_eye_does():
    green = np.zeros((2, 2, 3), dtype=np.uint8)
    green[..., 1] = 255
    assert measured(green)["brightness"] == pytest.approx(0.587)


def test_a_step_is_an_edge_of_two_columns():
    found = measured(grey([[0, 0, 0, 255, 255, 255]] * 5))
    assert found["edge_density"] == pytest.approx(2 / 6)
    assert found["contrast"] == pytest.approx(0.5) and found["n_colours"] == 2


def test_a_gentle_ramp_is_no_edge_and_noise_no_colour():
    found = measured(grey([range(0, 200, 20)] * 3))  # 0.08 of the range per pixel
    assert found["edge_density"] == 0
    assert measured(grey([[16, 17, 18, 31]]))["n_colours"] == 1


def test_mean_over_images_and_nothing_without_any():
    dark, light = np.zeros((2, 2, 3), dtype=np.uint8), np.full((2, 2, 3), 255, dtype=np.uint8)
    assert measured(dark, light)["brightness"] == pytest.approx(0.5)
    assert image_properties([Example("t", (), "a text")]).loc["t"].isna().all()
    assert image_properties([]).shape == (0, 5)


def test_shared_images_are_measured_once(monkeypatch):
    calls = []
    monkeypatch.setattr("causalablate.examples.properties._measured", lambda image: calls.append(1) or np.zeros(5))
    image = np.zeros((2, 2, 3), dtype=np.uint8)
    image_properties([Example(f"e{i}", (image,), "q", "a") for i in range(5)])
    assert len(calls) == 1


def test_an_example_set_is_indexed_by_id():
    examples = digits(5, split="test", seed=0)
    found = image_properties(examples)
    assert found.index.tolist() == [e.id for e in examples] and found.notna().all(axis=None)
