"""Put the question of a digit scene into words, and know its answer."""

import numpy as np

from causalablate.examples.scenes import COLOURS, GRID, QUESTION_TYPES, Scenes

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEMPLATES = {
    "location": "what digit is in row {row} column {column}",
    "colour": "what digit is {colour}",
    "faint": "what digit is faint",
    "cue": "what digit matches the cue",
    "count": "how many digits are there",
    "largest": "what is the largest digit",
    "cue_colour": "what colour is the cue",
}
"""One template per question type."""
WORDS = tuple(
    dict.fromkeys(
        [*NUMBERS, *COLOURS]
        + [word for template in TEMPLATES.values() for word in template.split() if not word.startswith("{")]
    )
)
"""Every word a question or an answer can hold."""


def questions(scenes: Scenes) -> tuple[list[str], list[str]]:
    """Return the question and the answer of each scene, in words."""
    rows = np.arange(len(scenes))
    cell = scenes.digit_cell[rows, scenes.target]
    colour = scenes.colour[rows, cell]
    digit = scenes.digit[rows, scenes.target]
    asked, answers = [], []
    for i in rows:
        kind = QUESTION_TYPES[scenes.question_type[i]]
        words = {
            "row": NUMBERS[cell[i] // GRID + 1],
            "column": NUMBERS[cell[i] % GRID + 1],
            "colour": COLOURS[colour[i]],
        }
        asked.append(TEMPLATES[kind].format(**words))
        if kind == "count":
            answers.append(NUMBERS[scenes.n_digits[i]])
        elif kind == "cue_colour":
            answers.append(COLOURS[scenes.cue[i]])
        else:
            answers.append(NUMBERS[digit[i]])
    return asked, answers
