"""Frames and figures as data URIs: small frames pixel by pixel, large ones scaled down so that a page stays a page."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

EXACT_SIDE = 160
"""Frames with no side longer than this are kept pixel by pixel."""
LARGEST_SIDE = 448
"""Longest side of a scaled-down frame."""
FIGURE_DPI = 160
"""Pixels per inch of figures; a page shows 100."""


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


def figure(path: Path, title: str) -> dict[str, Any]:
    """A PNG figure as a template shows it: `uri`, `title`, and the `width` at which its text is legible."""
    with Image.open(path) as image:
        width = image.width * 100 // FIGURE_DPI
    return {
        "uri": f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}",
        "title": title,
        "width": width,
    }
