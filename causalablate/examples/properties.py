"""What images look like, as numbers: covariates by which effects may differ."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from causalablate.examples.base import Example

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""
EDGE = 0.1
"""Gradient of brightness per pixel, as a share of its range, from which a pixel lies on an edge."""
COLOUR_BITS = 4
"""Bits of each channel that tell two colours apart, so that noise and compression make no new ones."""

COLUMNS = ("brightness", "contrast", "edge_density", "n_colours", "size")


def image_properties(examples: Iterable[Example]) -> pd.DataFrame:
    """Measure the images of examples.

    Args:
        examples: An example set; images that several examples share are measured once.
    Returns:
        One row per example, indexed by its id, mean over its images; NaN for examples without images. `brightness` mean
        luma in [0, 1]; `contrast` SD of luma between pixels; `edge_density` share of pixels where the Sobel gradient of
        luma exceeds 0.1 per pixel; `n_colours` distinct colours at 4 bits per channel; `size` pixels.
    Source: Peli (1990), J. Opt. Soc. Am. A 7(10), for contrast as SD.
    """
    asked = list(examples)
    images = {id(image): image for example in asked for image in example.images}
    known = {key: _measured(image) for key, image in images.items()}
    none = [np.full(len(COLUMNS), np.nan)]
    rows = [np.mean([known[id(image)] for image in example.images] or none, axis=0) for example in asked]
    ids = pd.Index([example.id for example in asked], name="example")
    return pd.DataFrame(np.reshape(rows, (-1, len(COLUMNS))), columns=list(COLUMNS), index=ids)


def _measured(image: np.ndarray) -> np.ndarray:
    luma = image / 255.0 @ LUMA
    levels = (image >> (8 - COLOUR_BITS)).astype(np.int64)
    colours = np.unique(levels @ np.array([1 << 2 * COLOUR_BITS, 1 << COLOUR_BITS, 1])).size
    return np.array([luma.mean(), luma.std(), (_gradient(luma) > EDGE).mean(), colours, luma.size])


def _gradient(luma: np.ndarray) -> np.ndarray:
    """Magnitude of the Sobel gradient per pixel, edges of the image repeated; same shape."""
    padded = np.pad(luma, 1, mode="edge")
    smooth, slope = np.array([1, 2, 1]) / 4, np.array([-1, 0, 1]) / 2
    across = _filtered(_filtered(padded, smooth, 0), slope, 1)
    down = _filtered(_filtered(padded, slope, 0), smooth, 1)
    return np.hypot(across, down)


def _filtered(values: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    n = values.shape[axis] - 2
    return np.sum([w * values.take(range(i, i + n), axis=axis) for i, w in enumerate(weights)], axis=0)
