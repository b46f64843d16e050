"""Frames as data URIs: small ones pixel by pixel, large ones scaled down so that a page stays a page."""

import base64
import io

import numpy as np
from PIL import Image

EXACT_SIDE = 160
"""Frames with no side longer than this are kept pixel by pixel."""
LARGEST_SIDE = 448
"""Longest side of a scaled-down frame."""


def data_uri(frame: np.ndarray) -> str:
    """A frame as an image a page can hold.

    Args:
        frame: uint8, shape (height, width, 3).
    Returns:
        A PNG data URI, lossless, for small frames; a JPEG scaled to `LARGEST_SIDE` for large ones.
    """
    image = Image.fromarray(np.ascontiguousarray(frame), "RGB")
    data = io.BytesIO()
    if max(image.size) <= EXACT_SIDE:
        image.save(data, format="PNG", optimize=True)
        kind = "png"
    else:
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
        image.save(data, format="JPEG", quality=86)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
