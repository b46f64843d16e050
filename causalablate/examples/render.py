"""Paint digit scenes and clips: frames of 48x48 pixels. Vectorised: training paints a fresh batch every step."""

import numpy as np

from causalablate.examples.clip_scenes import Clips
from causalablate.examples.scans import Scans
from causalablate.examples.scenes import CELL, GRID, N_CELLS, N_SLOTS, SQUARE, TEXTURE, Scenes
from causalablate.examples.trajectories import trajectories

SIDE = GRID * CELL
BACKGROUND = 0.08
FAINT = 0.45
"""Contrast of a faint digit."""
PALETTE = np.array(
    [(0.95, 0.2, 0.2), (0.2, 0.85, 0.25), (0.3, 0.4, 1.0), (0.95, 0.9, 0.2), (0.8, 0.25, 0.9), (0.2, 0.9, 0.9)],
    dtype=np.float32,
)
"""RGB of each of `scenes.COLOURS`, in that order."""


def render(rng: np.random.Generator, source: Scans, scenes: Scenes, *, augment: bool = False) -> np.ndarray:
    """Paint the scenes.

    Args:
        rng: Source of positions, sizes and textures.
        source: The scans that `scenes` refers to.
        scenes: What to paint.
        augment: Also rotate and shear the digits (training only).
    Returns:
        uint8 frames of shape (n, 2, 48, 48, 3); the cue is in the first frame only.
    """
    n = len(scenes)
    ink = _square_ink(rng, n) * (scenes.kind == SQUARE)[:, :, None, None]
    digit_ink = _digit_ink(rng, source.images[scenes.scan.ravel()], augment).reshape(n, N_SLOTS, CELL, CELL)
    digit_ink *= np.where(np.arange(N_SLOTS) == scenes.faint[:, None], FAINT, 1.0).astype(np.float32)[:, :, None, None]
    used = np.arange(N_SLOTS) < scenes.n_digits[:, None]
    which = np.nonzero(used)
    ink[which[0], scenes.digit_cell[which]] = digit_ink[which]
    second = _paint(rng, ink, scenes)
    first = second.copy()
    _show_cue(first, PALETTE[scenes.cue])
    return _pixels(np.stack([first, second], 1))


def render_clips(rng: np.random.Generator, source: Scans, clips: Clips, *, augment: bool = False) -> np.ndarray:
    """Paint the clips: the digits move, all else stands still.

    Args:
        rng: Source of positions, sizes and textures.
        source: The scans that `clips` refers to.
        clips: What to paint.
        augment: Also rotate and shear the digits (training only), alike in all frames.
    Returns:
        uint8 frames of shape (n, F, 48, 48, 3); the cue is in the first frame only.
    """
    scenes, n = clips.last, len(clips)
    ground = _paint(rng, _square_ink(rng, n) * (scenes.kind == SQUARE)[:, :, None, None], scenes)
    frames = np.repeat(_pixels(ground)[:, None], clips.frames, axis=1)
    clip, slot = np.nonzero(np.arange(clips.path.shape[1]) < scenes.n_digits[:, None])
    ink = _digit_ink(rng, source.images[scenes.scan[clip, slot]], augment)[..., None]
    colour = PALETTE[scenes.colour[clip, scenes.digit_cell[clip, slot]]][:, None, None, :]
    digits = _pixels(np.clip(BACKGROUND + ink * (colour - BACKGROUND), 0.0, 1.0))
    corner = trajectories(clips.frames).corner[clips.path[clip, slot]]
    at = np.arange(CELL)
    y, x = corner[:, :, 0, None, None] + at[:, None], corner[:, :, 1, None, None] + at
    # No box overlaps another, nor a cell that is not empty.
    frames[clip[:, None, None, None], np.arange(clips.frames)[:, None, None], y, x] = digits[:, None]
    _show_cue(frames[:, 0], _pixels(PALETTE[scenes.cue]))
    return frames


def _paint(rng: np.random.Generator, ink: np.ndarray, scenes: Scenes) -> np.ndarray:
    """Give the ink of every cell (n, cells, 12, 12) its colour, and add textures, (n, 48, 48, 3)."""
    colour = PALETTE[scenes.colour]
    cells = BACKGROUND + ink[..., None] * (colour[:, :, None, None, :] - BACKGROUND)
    texture = rng.random((len(ink), N_CELLS, CELL // 2, CELL // 2), dtype=np.float32).repeat(2, 2).repeat(2, 3)
    cells += ((scenes.kind == TEXTURE)[:, :, None, None] * texture * 0.3)[..., None]
    return _assemble(cells)


def _show_cue(frames: np.ndarray, colour: np.ndarray) -> None:
    """Paint a cue of that colour (n, 3) into cell 0 of frames (n, 48, 48, 3), in place."""
    frames[:, 2 : CELL - 2, 2 : CELL - 2] = colour[:, None, None, :]


def _pixels(values: np.ndarray) -> np.ndarray:
    return (values * 255.0 + 0.5).astype(np.uint8)


def _assemble(cells: np.ndarray) -> np.ndarray:
    """(n, cells, 12, 12, 3) -> (n, 48, 48, 3)."""
    n = len(cells)
    grid = cells.reshape(n, GRID, GRID, CELL, CELL, 3).transpose(0, 1, 3, 2, 4, 5)
    return np.clip(grid.reshape(n, SIDE, SIDE, 3), 0.0, 1.0)


def _square_ink(rng: np.random.Generator, n: int) -> np.ndarray:
    """A filled square of 5-8 pixels somewhere in every cell, shape (n, cells, 12, 12)."""
    size = rng.integers(5, 9, (n, N_CELLS))
    start = (rng.random((n, N_CELLS, 2)) * (CELL - size + 1)[..., None]).astype(np.int64)
    at = np.arange(CELL)
    inside = (at >= start[..., None]) & (at < (start + size[..., None])[..., None])
    return (inside[:, :, 0, :, None] & inside[:, :, 1, None, :]).astype(np.float32)


def _digit_ink(rng: np.random.Generator, images: np.ndarray, augment: bool) -> np.ndarray:
    """Resample each 8x8 scan into a 12x12 cell at a random size and place (and pose, if augmenting)."""
    n = len(images)
    size = rng.uniform(9.0, 11.0, (n, 1)) * (rng.uniform(0.9, 1.08, (n, 2)) if augment else 1.0)
    angle = rng.uniform(-0.22, 0.22, n) if augment else np.zeros(n)
    shear = rng.uniform(-0.15, 0.15, n) if augment else np.zeros(n)
    shift = rng.uniform(-1.0, 1.0, (n, 2)) * np.maximum(CELL - size, 0.0) / 2
    grid = np.arange(CELL) - (CELL - 1) / 2
    y = (grid[None, :, None] - shift[:, 0, None, None]) * np.ones((1, 1, CELL))
    x = (grid[None, None, :] - shift[:, 1, None, None]) * np.ones((1, CELL, 1))
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    u, v = cos * y - sin * x, sin * y + cos * x + shear[:, None, None] * y
    scale_y, scale_x = 8.0 / size[:, 0, None, None], 8.0 / size[:, -1, None, None]
    return _bilinear(images, u * scale_y + 3.5, v * scale_x + 3.5)


def _bilinear(images: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sample (n, 8, 8) images at fractional (y, x); outside is 0."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    top = padded.shape[1] - 1
    y, x = np.clip(y + 1, 0, top - 1e-3), np.clip(x + 1, 0, top - 1e-3)
    y0, x0 = y.astype(np.int64), x.astype(np.int64)
    fy, fx = (y - y0).astype(np.float32), (x - x0).astype(np.float32)
    row = np.arange(len(images))[:, None, None]
    upper = padded[row, y0, x0] * (1 - fx) + padded[row, y0, x0 + 1] * fx
    lower = padded[row, y0 + 1, x0] * (1 - fx) + padded[row, y0 + 1, x0 + 1] * fx
    return upper * (1 - fy) + lower * fy
