"""What is believed about the effects of a family of components before they are measured, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import halfnorm
from scipy.stats import t as student

from causalablate.effects.equivalence import smallest_effects
from causalablate.effects.kinds import Kind
from causalablate.errors import EffectError, nearest

HALF_NORMAL, HALF_T = "half-normal", "half-t"
UNKNOWN, NORMAL = "unknown", "normal"

DEFAULT_SCALE = 0.1
"""Ten points of accuracy, and as much on other scales as `smallest_effects` makes of 0.1: effects of that size are
unsurprising. Half-t tails let larger ones through."""


@dataclass(frozen=True)
class Prior:
    """Effects of one family lie about mu at the scale tau; mu is N(mu_mean, mu_sd^2), tau positive with a scale itself.

    With normal tails they are N(mu, tau^2). With unknown tails (the default) they are normal or Cauchy, either as
    probable as the other before the data: where a few large effects stand out among many small ones, the tails are
    heavy and the large ones are left large.

    Attributes:
        mu_mean: Expected mean effect of a family, outcome units.
        mu_sd: How unsure that is, outcome units; 0 where the mean is known.
        tau_scale: Scale of the SD of effects within a family, outcome units.
        tau_family: `half-t`, or `half-normal` where effects far above `tau_scale` are ruled out.
        tau_df: Degrees of freedom of the half-t.
        tails: `unknown`, or `normal` where no effect is expected to stand out from its family.

    Raises:
        EffectError: A scale is not positive and finite, or the family is unknown.

    Source: Gelman (2006), Bayesian Anal. 1(3), for half-t priors of a hierarchical SD; Gelman et al.
        (2013), Bayesian Data Analysis, ch. 17, for t effects.
    """

    mu_mean: float
    mu_sd: float
    tau_scale: float
    tau_family: str = HALF_T
    tau_df: float = 3.0
    tails: str = UNKNOWN

    def __post_init__(self) -> None:
        if self.tau_family not in (HALF_NORMAL, HALF_T):
            raise EffectError(f'no prior of tau "{self.tau_family}"; there are "{HALF_T}" and "{HALF_NORMAL}"')
        if self.tails not in (UNKNOWN, NORMAL):
            raise EffectError(f'no tails "{self.tails}" of a prior; there are "{UNKNOWN}" and "{NORMAL}"')
        for name, value, least in (("mu_sd", self.mu_sd, "0 or more"), ("tau_scale", self.tau_scale, "positive"),
                                   ("tau_df", self.tau_df, "positive")):  # fmt: skip
            if not np.isfinite(value) or value < 0 or (value == 0 and least == "positive"):
                raise EffectError(f"{name} of the prior is {value}; it must be finite and {least}")
        if not np.isfinite(self.mu_mean):
            raise EffectError(f"mu_mean of the prior is {self.mu_mean}; it must be finite")

    def log_density(self, tau: np.ndarray) -> np.ndarray:
        """Log prior density of tau, same shape."""
        if self.tau_family == HALF_NORMAL:
            return halfnorm.logpdf(tau, scale=self.tau_scale)
        return np.log(2) + student.logpdf(tau, self.tau_df, scale=self.tau_scale)


def priors_of(
    given: Prior | Mapping[str, Prior] | None, kinds: Mapping[str, Kind], factual_sd: Mapping[str, float]
) -> dict[str, Prior | None]:
    """Prior of every outcome: the one given, or the default in the units of the outcome.

    The default is N(0, s^2) for mu and half-t (3 degrees of freedom) with scale s for tau. s is 0.1 for binary outcomes
    and shares, 0.4 factual SDs for real outcomes and 0.02 for distances: what `smallest_effects` makes of 0.1. It
    comes from the factual world alone, never from the effects it is a prior of.

    Args:
        given: One prior for all outcomes, or outcome name to prior (others keep the default).
        kinds: Outcome name to kind.
        factual_sd: Outcome name to the SD of its factual values.
    Returns:
        Outcome name to prior; None for a real outcome that does not vary, whose scale is unknown.
    Raises:
        EffectError: An outcome is unknown, or a value is not a `Prior`.
    """
    if isinstance(given, Prior):
        return {name: given for name in kinds}
    named = dict(given or {})
    for name, prior in named.items():
        if name not in kinds:
            raise EffectError(
                f'no outcome "{name}" to give a prior{nearest(name, kinds)}; the table has {", ".join(kinds)}'
            )
        if not isinstance(prior, Prior):
            raise EffectError(f'the prior of "{name}" is {prior!r}; give a Prior(mu_mean, mu_sd, tau_scale)')
    scales = smallest_effects(DEFAULT_SCALE, kinds, factual_sd)
    default = {name: Prior(0.0, s, s) if np.isfinite(s) else None for name, s in scales.items()}
    return {name: named.get(name, default[name]) for name in kinds}
