"""Ratios of accuracies and of odds, counterfactual over factual: 1 where the lesion changes nothing."""

import numpy as np

from causalablate.effects.bootstrap import Limits
from causalablate.effects.estimands.base import Estimand, ratio
from causalablate.effects.estimands.linear import linearised
from causalablate.effects.kinds import Kind
from causalablate.effects.paired import Paired


def accuracies(paired: Paired) -> np.ndarray:
    """Right or wrong in the counterfactual and in the factual world."""
    return np.stack([paired.counterfactual, paired.factual])


def log_ratio(means: np.ndarray) -> np.ndarray:
    """Logarithm of the ratio of two accuracies."""
    return np.log(means[0]) - np.log(means[1])


def ratio_flip(means: np.ndarray) -> np.ndarray:
    """How much one flip changes psi of `log_ratio`: 1 / accuracy, the geometric mean of the two."""
    return 1 / np.sqrt(means[0] * means[1])


def _risk_ratio(means: np.ndarray) -> np.ndarray:
    return ratio(means[0], means[1])


def _odds_ratio(means: np.ndarray) -> np.ndarray:
    return ratio(means[0] * (1 - means[1]), means[1] * (1 - means[0]))


def _log_odds_ratio(means: np.ndarray) -> np.ndarray:
    return log_ratio(means) - log_ratio(1 - means)


def _odds_flip(means: np.ndarray) -> np.ndarray:
    return ratio_flip(means) * ratio_flip(1 - means)


def _of_the_ratio(paired: Paired, level: float) -> Limits:
    return linearised(paired, level, accuracies, log_ratio, flip=ratio_flip, back=np.exp)


def _of_the_odds(paired: Paired, level: float) -> Limits:
    return linearised(paired, level, accuracies, _log_odds_ratio, flip=_odds_flip, back=np.exp)


RISK_RATIO = Estimand(
    name="risk_ratio",
    unit="ratio",
    meaning="accuracy without the component / accuracy with it",
    kinds=(Kind.BINARY,),
    missing="no row is right in the factual world",
    columns=accuracies,
    function=_risk_ratio,
    interval=_of_the_ratio,
)

ODDS_RATIO = Estimand(
    name="odds_ratio",
    unit="ratio",
    meaning="odds of being right without the component / odds with it, over all rows (marginal)",
    kinds=(Kind.BINARY,),
    missing="no row is right in the factual world, or none is wrong in the counterfactual one",
    columns=accuracies,
    function=_odds_ratio,
    interval=_of_the_odds,
)
