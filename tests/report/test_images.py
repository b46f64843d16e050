import base64
import io

import numpy as np
from PIL import Image

from causalablate.report.images import LARGEST_SIDE, data_uri


def decode(uri: str) -> tuple[str, np.ndarray]:
    head, data = uri.split(",")
    return head, np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_small_frames_survive_pixel_by_pixel():
    frame = np.random.default_rng(0).integers(0, 256, (48, 36, 3), dtype=np.uint8)
    head, back = decode(data_uri(frame))
    assert head == "data:image/png;base64"
    assert (back == frame).all()


def test_large_frames_are_scaled_down_in_proportion():
    frame = np.random.default_rng(0).integers(0, 256, (600, 1200, 3), dtype=np.uint8)
    head, back = decode(data_uri(frame))
    assert head == "data:image/jpeg;base64"
    assert back.shape == (LARGEST_SIDE // 2, LARGEST_SIDE, 3)
