"""The `texts` example set: questions that their own words answer, on a blank image."""

import numpy as np

from causalablate.examples.base import Example, ExampleSet
from causalablate.examples.blocks import in_blocks
from causalablate.examples.questions import NUMBERS
from causalablate.examples.render import BACKGROUND, SIDE
from causalablate.examples.scenes import COLOURS

TEXT_TYPES = ("largest", "count", "column", "colour")
TEXT_TEMPLATES = {
    "largest": "what is the largest digit: {digits}",
    "count": "how many digits are there: {digits}",
    "column": "what digit is in column {column}: {digits}",
    "colour": "what digit is {colour}: {coloured}",
}
"""One template per type; with its digits a question has at most ten words."""
_MOST = {"largest": 5, "count": 5, "column": 4, "colour": 3}
BLANK = np.full((SIDE, SIDE, 3), int(BACKGROUND * 255 + 0.5), dtype=np.uint8)
"""A canvas with nothing on it."""
BLANK.flags.writeable = False


def texts(n: int, *, split: str = "test", seed: int = 0) -> ExampleSet:
    """Make `n` questions that need no image.

    Deterministic in (seed, split); `texts(100)[:50]` equals `texts(50)`. Types alternate: every prefix is balanced.
    Groups: `question_type`; `kind`, text; `n_digits`.

    Args:
        n: Number of questions, at least 1.
        split: `train`, `validation` or `test`: other draws of the same questions, some of which occur in several.
        seed: Seed of the questions and of the pixel noise.
    Raises:
        ExampleError: `n` is below 1 or there is no such split.
    """
    return in_blocks("texts", n, split, seed, 10 * len(TEXT_TYPES), _block)


def draw_texts(rng: np.random.Generator, question_type: np.ndarray) -> tuple[list[str], list[str], np.ndarray]:
    """Draw questions.

    Args:
        rng: Source of all randomness.
        question_type: Indices into `TEXT_TYPES`, shape (n,).
    Returns:
        Questions and answers, in words, and the number of digits each question lists.
    """
    n = len(question_type)
    most = np.array([_MOST[name] for name in TEXT_TYPES])[question_type]
    listed = rng.integers(2, most + 1)
    digit = rng.random((n, 10)).argsort(1)
    colour = rng.random((n, len(COLOURS))).argsort(1)
    target = rng.integers(0, listed)
    asked, answers = [], []
    for i in range(n):
        kind, t = TEXT_TYPES[question_type[i]], target[i]
        digits, colours = digit[i, : listed[i]], colour[i]
        words = [NUMBERS[d] for d in digits]
        asked.append(
            TEXT_TEMPLATES[kind].format(
                digits=" ".join(words),
                column=NUMBERS[t + 1],
                colour=COLOURS[colours[t]],
                coloured=", ".join(f"{COLOURS[c]} {word}" for c, word in zip(colours, words, strict=False)),
            )
        )
        of_all = {"largest": digits.max(), "count": listed[i]}
        answers.append(NUMBERS[of_all.get(kind, digits[t])])
    return asked, answers, listed


def _block(rng: np.random.Generator, ids: list[str]) -> list[Example]:
    question_type = np.arange(len(ids)) % len(TEXT_TYPES)
    asked, answers, listed = draw_texts(rng, question_type)
    seeds = rng.integers(0, 2**31, len(ids))
    return [
        Example(
            id=name,
            images=(BLANK,),
            question=asked[i],
            answer=answers[i],
            groups={"question_type": TEXT_TYPES[question_type[i]], "kind": "text", "n_digits": str(listed[i])},
            seed=int(seeds[i]),
            # All share the blank image, and yet each stands alone.
            cluster=name,
        )
        for i, name in enumerate(ids)
    ]
