"""Necessity and sufficiency of a component for a right answer. Both worlds are observed, so these are counts.

The bounds beside them are what one would know with the worlds observed on different examples.
"""

from dataclasses import dataclass

import numpy as np

from causalablate.effects.flips import Flips


@dataclass(frozen=True)
class Necessity:
    """Probabilities of causation and what the margins alone would have said, arrays of shape (lesions,).

    Attributes:
        pn: Necessity: of the examples right with the component, the share wrong without it, n10 / (n11 + n10).
        ps: Sufficiency: of the examples wrong without it, the share right with it, n10 / (n10 + n00).
        pns: Necessity and sufficiency: the share that the component alone turns from wrong to right, n10 / n.
        pn_low: Tian-Pearl lower bound of `pn`.
        pn_high: Tian-Pearl upper bound of `pn`.
        ps_low: Tian-Pearl lower bound of `ps`.
        ps_high: Tian-Pearl upper bound of `ps`.
        pns_low: Tian-Pearl lower bound of `pns`.
        pns_high: Tian-Pearl upper bound of `pns`.

    A probability whose condition never occurred is NaN.
    """

    pn: np.ndarray
    ps: np.ndarray
    pns: np.ndarray
    pn_low: np.ndarray
    pn_high: np.ndarray
    ps_low: np.ndarray
    ps_high: np.ndarray
    pns_low: np.ndarray
    pns_high: np.ndarray


def probabilities_of_causation(flips: Flips) -> Necessity:
    """Probabilities of causation from the paired table, with the bounds from its margins.

    With a = share right in the factual world and b = share right in the counterfactual one, the margins bound
    PNS by max(0, a - b) and min(a, 1 - b), PN by the same divided by a, and PS by the same divided by 1 - b. These
    are the bounds under exogeneity: the component is off because we switched it off, whatever the example.

    Source: Pearl (1999), Synthese 121; Tian & Pearl (2000), Ann. Math. Artif. Intell. 28.
    """
    n = flips.n11 + flips.n10 + flips.n01 + flips.n00
    on, off = (flips.n11 + flips.n10) / n, (flips.n11 + flips.n01) / n
    low, high = np.maximum(0.0, on - off), np.minimum(on, 1 - off)
    return Necessity(
        pn=_ratio(flips.n10, flips.n11 + flips.n10),
        ps=_ratio(flips.n10, flips.n10 + flips.n00),
        pns=flips.n10 / n,
        pn_low=_ratio(low, on),
        pn_high=_ratio(high, on),
        ps_low=_ratio(low, 1 - off),
        ps_high=_ratio(high, 1 - off),
        pns_low=low,
        pns_high=high,
    )


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)
