"""The belief about all lesions of one outcome: which is largest, what label each has, what more data would tell."""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.bayes.belief import entropy_bits, forecast, label_chances, top_entropy, top_shares
from causalablate.effects.bayes.fit import NO_PRIOR, Fit
from causalablate.effects.bayes.posterior import draw

DRAWS = 4000
"""Joint draws per posterior: the SD of a probability is at most 0.008."""


@dataclass(frozen=True)
class State:
    """What is believed and what is to be expected; arrays over lesions in the order of the estimates, NaN if left out.

    Attributes:
        top: Probability of the largest |effect|, shape (lesions,).
        entropy_top: Entropy of that in bits; NaN where no lesion can be judged.
        labels: P(effect < -sesoi), P(within), P(effect > sesoi), shape (3, lesions).
        entropy_label: Entropy of each lesion's label in bits, shape (lesions,).
        reduction_top: Bits that the next examples are expected to take off `entropy_top`.
        reduction_label: Bits that they are expected to take off each label, shape (lesions,).
        note: What is left out and why; empty where nothing is.
    """

    top: np.ndarray
    entropy_top: float
    labels: np.ndarray
    entropy_label: np.ndarray
    reduction_top: float
    reduction_label: np.ndarray
    note: str


def state_of(found: Fit, sesoi: float, growth: float, seed: int) -> State:
    """Belief now, and after `growth` further examples per example so far under the same seeds.

    Lesions that are known exactly take part with their value; those that are undefined are left out. Without a
    prior nothing is believed.

    Args:
        found: Estimates and posterior.
        sesoi: Smallest effect of interest; NaN leaves the labels NaN.
        growth: Further examples per example so far.
        seed: Of the draws.
    """
    estimates = found.estimates
    known, exact = estimates.known, estimates.se == 0
    top, labels = np.full(known.size, np.nan), np.full((3, known.size), np.nan)
    reduction, entropy_top, reduction_top = np.full(known.size, np.nan), np.nan, np.nan
    rng = np.random.default_rng(seed)
    value = estimates.center[exact]
    if (found.note != NO_PRIOR).all() and (known | exact).any():
        draws = np.zeros((DRAWS, known.size))
        draws[:, exact] = value
        if found.posterior is not None:
            draws[:, known] = draw(found.posterior, DRAWS, rng)
        top[known | exact] = top_shares(draws[:, known | exact])
        entropy_top, reduction_top = float(top_entropy(top[known | exact], DRAWS)), 0.0
        labels[:, exact] = np.where(np.isfinite(sesoi), [value < -sesoi, np.abs(value) <= sesoi, value > sesoi], np.nan)
        reduction[exact] = 0.0 if np.isfinite(sesoi) else np.nan
    if found.posterior is not None:
        labels[:, known] = label_chances(found.posterior, sesoi)
        later = (estimates.from_examples / (1 + growth) + estimates.from_seeds)[np.ix_(known, known)]
        ahead = forecast(found.posterior, later, sesoi, rng, value)
        reduction[known], reduction_top = ahead.labels, ahead.top
    return State(top, entropy_top, labels, entropy_bits(labels), reduction_top, reduction, _note(found))


def _note(found: Fit) -> str:
    reasons = [str(note) for note in found.note if str(note).startswith("undefined")]
    if not reasons:
        return ""
    return f"{len(reasons)} of {found.note.size} lesions left out, {'; '.join(sorted(set(reasons)))}"
