"""The test that a row stands on: chosen from the kind of outcome and from what the rows share, or by name."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.intervals import T_OF
from causalablate.effects.kinds import Kind
from causalablate.effects.methods import AUTO, UNDEFINED, refusal
from causalablate.effects.paired import Paired
from causalablate.effects.structure import Structure, structure_of
from causalablate.effects.tests_by_name import TESTS, Settings, Tested, nothing


@dataclass(frozen=True)
class EffectTests:
    """p values of the mean effect, arrays of shape (lesions,).

    Attributes:
        mcnemar: Exact McNemar; NaN unless the outcome is binary and rows are independent.
        signflip: Sign-flip permutation of whole clusters; NaN with several seeds, where flipping examples
            would treat the seeds as fixed, and for effects of one sign.
        primary: The one that corrections and labels use; NaN where one cluster leaves nothing to test, or the test
            asked for is not valid.
        method: Name of the primary test, or `undefined: ` and the reason.
    """

    mcnemar: np.ndarray
    signflip: np.ndarray
    primary: np.ndarray
    method: np.ndarray


def effect_tests(paired: Paired, settings: Settings, test: str = AUTO) -> EffectTests:
    """Test the mean effect against zero, or against `sesoi` where effects are never negative.

    The primary test is exact McNemar for binary outcomes with independent rows, the sign-flip permutation
    for other outcomes of one seed, the two-way t test with several seeds, an exact binomial test for
    shares and a one-sided t test for distances.

    Args:
        paired: The outcomes.
        settings: Null value, level and permutations.
        test: `auto` or a key of `TESTS`. One that is not valid for these outcomes gives NaN and says why.
    """
    shown = {name: _run(name, paired, settings) for name in ("mcnemar", "sign-flip")}
    name = automatic(paired) if test == AUTO else test
    primary = shown[name] if name in shown else _run(name, paired, settings)
    return EffectTests(shown["mcnemar"].p, shown["sign-flip"].p, primary.p, primary.method)


def automatic(paired: Paired) -> str:
    """Key of the test that `auto` stands for."""
    structure = structure_of(paired)
    if paired.kind is Kind.CATEGORICAL:
        return "binomial"
    if paired.kind is Kind.DISTANCE:
        return T_OF[structure]
    if structure is Structure.SEEDS:
        return "bonett-price" if paired.kind is Kind.BINARY else "two-way-t"
    return "mcnemar" if paired.kind is Kind.BINARY and structure is Structure.INDEPENDENT else "sign-flip"


def _run(name: str, paired: Paired, settings: Settings) -> Tested:
    reason = refusal(name, TESTS[name], paired)
    return nothing(paired, UNDEFINED + reason) if reason else TESTS[name].run(paired, settings)
