"""What a screening found."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from causalablate.effects.agreement import Agreement
from causalablate.table import Counterfactuals


@dataclass(frozen=True)
class Screening:
    """Approximate effects of many lesions, and the exact effects of some.

    Attributes:
        frame: One row per lesion, the highest ranked first: `rank` (ties share one), `lesion`, `kind` of component,
            `outcome`, `precision` of the model; `approximate_effect`, the mean first-order effect in outcome units,
            with its standard error over clusters `approximate_se`; `approximate_magnitude`, the mean over examples of
            its absolute value;
            `change_norm`, the mean L2 norm of the change at the sites in the factual run; `reached`, whether any
            gradient came from the outcome to a site (where none did, the 0 is no evidence); `confirmed`: `top`,
            `sample` (drawn at random from the rest) or empty; and, where confirmed, `exact_effect` and `exact_se`.
        approximate: First-order effect of each lesion on each example, float32, shape (lesions, examples), in the
            order of `frame`.
        exact: Factual and counterfactual outcomes of every example under every confirmed lesion.
        agreement: How far the approximation can be trusted here.
        excluded: Address to reason, of components that a glob matched but that could not be screened.
    """

    frame: pd.DataFrame
    approximate: np.ndarray
    exact: Counterfactuals
    agreement: Agreement
    excluded: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)
