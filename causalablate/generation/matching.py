"""Whether a generated answer is the true one. A new way is one row of `MATCHES`, or any function of two texts."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from causalablate.errors import OutcomeError, nearest
from causalablate.generation.vqa import NUMBERS, normalised

Match = Callable[[str, str], bool | float]
"""(what the model said, the true answer) -> whether it is right, or how right from 0 to 1."""

_NUMBER = re.compile(r"-?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?")


def exact(said: str, truth: str) -> bool:
    """The very same text, white space around it aside."""
    return said.strip() == truth.strip()


def vqa(said: str, truth: str) -> bool:
    """The same answer by the rules of the VQA evaluation, see `vqa.normalised`; both sides are normalised."""
    return normalised(said) == normalised(truth)


@dataclass(frozen=True)
class Numeric:
    """The same number: the first one in each text, in digits (1,234.5; -2e3) or as a word from zero to ten.

    Where the true answer has no number, texts are compared as by `vqa`.

    Attributes:
        relative: Largest difference, as a share of the true number.
        absolute: Largest difference; the larger of the two counts.

    Source: Masry et al. (2022), ChartQA (relaxed accuracy, relative=0.05).
    """

    relative: float = 0.0
    absolute: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.relative < float("inf") and 0 <= self.absolute < float("inf")):
            raise OutcomeError(
                f"numeric: relative={self.relative}, absolute={self.absolute}; tolerances are finite and at least 0"
            )

    def __call__(self, said: str, truth: str) -> bool:
        """Whether both say the same number."""
        true = first_number(truth)
        if true is None:
            return vqa(said, truth)
        number = first_number(said)
        return number is not None and abs(number - true) <= max(self.relative * abs(true), self.absolute)


def first_number(text: str) -> float | None:
    """The first number in a text, in digits or as a word from zero to ten; None if there is none."""
    for word in text.lower().split():
        if (bare := word.strip(".,;:!?()")) in NUMBERS:
            return float(NUMBERS[bare])
        if (digits := _NUMBER.search(word)) is not None:
            return float(digits[0].replace(",", ""))
    return None


MATCHES: dict[str, Match] = {"exact": exact, "vqa": vqa, "numeric": Numeric()}


def match_for(match: str | Match) -> Match:
    """A way of matching by name; a function passes through.

    Raises:
        OutcomeError: There is no such name.
    """
    if not isinstance(match, str):
        return match
    if match not in MATCHES:
        raise OutcomeError(f'no match "{match}"{nearest(match, MATCHES)}; there are {", ".join(MATCHES)}')
    return MATCHES[match]
