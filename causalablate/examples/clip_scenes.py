"""Draw the contents of clips: which digits move how, what stands still around them, and what is asked.

Arrays only, many clips at once.
"""

from dataclasses import dataclass

import numpy as np

from causalablate.examples.questions import NUMBERS, WORDS, questions
from causalablate.examples.scans import Scans
from causalablate.examples.scenes import (
    COLOURS,
    DIGIT,
    EMPTY,
    GRID,
    N_CELLS,
    QUESTION_TYPES,
    SQUARE,
    TEXTURE,
    Scenes,
    pick,
)
from causalablate.examples.trajectories import (
    DOWN,
    IN_COLUMN,
    IN_ROW,
    LEFT,
    MOTIONS,
    RIGHT,
    STILL,
    UP,
    Trajectories,
    trajectories,
)

MOST_DIGITS = 4
CLIP_TYPES = ("moves", "still", "turns", "ends", "cue", "count", "colour")
SEVERAL_FRAMES = ("moves", "still", "turns", "cue")
"""Types that no single frame answers."""
CLIP_TEMPLATES = {
    "moves": "what digit moves {motion}",
    "still": "what digit is still",
    "turns": "what digit turns",
    "ends": "what digit ends in row {row} column {column}",
}
"""Questions that only clips ask; the other types are put as of digit scenes."""
MIXTURE_WORDS = tuple(
    dict.fromkeys(
        [*WORDS, *MOTIONS[LEFT : DOWN + 1]]
        + [word for template in CLIP_TEMPLATES.values() for word in template.split() if not word.startswith("{")]
    )
)
"""Every word of clips, stills and texts: those of the digit scenes, then what motion needs."""

_ASKED_OF = {"moves": (LEFT, RIGHT, UP, DOWN), "still": (STILL,), "turns": (IN_ROW, IN_COLUMN)}
_OF_THE_LAST_FRAME = {"cue": "cue", "count": "count", "colour": "colour"}


@dataclass(frozen=True, eq=False)
class Clips:
    """Contents of `n` clips.

    Attributes:
        frames: Frames per clip (F).
        question_type: Index into `CLIP_TYPES`, shape (n,).
        path: Of the digit in each slot, a row of `trajectories(frames)`, shape (n, slots).
        last: The last frame, with the question of digit scenes that has the same answer there: the cell where the
            digit asked about ends.
    """

    frames: int
    question_type: np.ndarray
    path: np.ndarray
    last: Scenes

    def __len__(self) -> int:
        return len(self.question_type)


def draw_clips(rng: np.random.Generator, source: Scans, question_type: np.ndarray, frames: int) -> Clips:
    """Draw one clip per entry of `question_type`.

    Args:
        rng: Source of all randomness; the same state gives the same clips.
        source: Scans to draw digits from.
        question_type: Indices into `CLIP_TYPES`, shape (n,).
        frames: Frames per clip.
    """
    n = len(question_type)
    ways = trajectories(frames)
    path, n_digits = _paths(rng, ways, question_type)
    used = np.arange(MOST_DIGITS) < n_digits[:, None]
    digit = rng.random((n, 10)).argsort(1)[:, :MOST_DIGITS]
    digit_colour = rng.random((n, len(COLOURS))).argsort(1)[:, :MOST_DIGITS]
    at = np.nonzero(used)
    kind = _surroundings(rng, (ways.touched[path] & used[:, :, None]).any(1))
    kind[at[0], ways.end[path][at]] = DIGIT
    colour = rng.integers(0, len(COLOURS), (n, N_CELLS))
    colour[at[0], ways.end[path][at]] = digit_colour[at]
    target = np.where(np.isin(question_type, _types(*_ASKED_OF)), 0, rng.integers(0, n_digits))
    asked_cue = question_type == CLIP_TYPES.index("cue")
    cue = np.where(asked_cue, digit_colour[np.arange(n), target], rng.integers(0, len(COLOURS), n))
    of_the_last = np.array([QUESTION_TYPES.index(_OF_THE_LAST_FRAME.get(name, "location")) for name in CLIP_TYPES])
    last = Scenes(
        of_the_last[question_type],
        n_digits,
        kind,
        colour,
        ways.end[path],
        digit,
        pick(rng, source, digit),
        np.full(n, -1),
        target,
        cue,
    )
    return Clips(frames, question_type, path, last)


def clip_questions(clips: Clips) -> tuple[list[str], list[str]]:
    """Return the question and the answer of each clip, in words."""
    asked, answers = questions(clips.last)
    ways, rows = trajectories(clips.frames), np.arange(len(clips))
    path = clips.path[rows, clips.last.target]
    for i in rows:
        kind = CLIP_TYPES[clips.question_type[i]]
        if kind in CLIP_TEMPLATES:
            row, column = divmod(int(ways.end[path[i]]), GRID)
            asked[i] = CLIP_TEMPLATES[kind].format(
                motion=MOTIONS[ways.motion[path[i]]], row=NUMBERS[row + 1], column=NUMBERS[column + 1]
            )
    return asked, answers


def _types(*names: str) -> list[int]:
    return [CLIP_TYPES.index(name) for name in names]


def _paths(rng: np.random.Generator, ways: Trajectories, question_type: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose 2 to 4 paths that go together, fewer where no other fits; the first moves as the type of question asks.

    Returns:
        Path in each slot, (n, slots), and how many slots are used, (n,).
    """
    n = len(question_type)
    wanted = rng.integers(2, MOST_DIGITS + 1, n)
    open_paths = np.ones((n, len(ways.motion)), dtype=bool)
    for kind, motions in _ASKED_OF.items():
        open_paths[question_type == CLIP_TYPES.index(kind)] = np.isin(ways.motion, motions)
    # Every motion is as likely as another, however many paths it has.
    pace = np.bincount(ways.motion, minlength=len(MOTIONS))[ways.motion]
    path, n_digits = np.zeros((n, MOST_DIGITS), dtype=np.int64), np.zeros(n, dtype=np.int64)
    fits = np.ones_like(open_paths)
    for slot in range(MOST_DIGITS):
        waiting = rng.exponential(size=open_paths.shape) * pace
        path[:, slot] = np.where(fits & open_paths, waiting, np.inf).argmin(1)
        n_digits += (fits & open_paths).any(1) & (slot < wanted)
        fits &= ways.together[path[:, slot]]
        open_paths[:] = True
    return path, n_digits


def _surroundings(rng: np.random.Generator, touched: np.ndarray) -> np.ndarray:
    """Put 2-4 squares and 2-3 textures, as far as there is room, where no digit comes by; shape (n, cells)."""
    n = len(touched)
    taken = touched.copy()
    taken[:, 0] = True
    rank = np.where(taken, 2.0, rng.random(taken.shape)).argsort(1).argsort(1)
    squares = rng.integers(2, 5, n)[:, None]
    textures = squares + rng.integers(2, 4, n)[:, None]
    return np.select([taken, rank < squares, rank < textures], [EMPTY, SQUARE, TEXTURE], EMPTY)
