"""Every effect beside what is left of it once it is seen as one of many."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalablate.effects.bayes.fit import Fit, Setup, fit, setup_of
from causalablate.effects.bayes.prior import Prior
from causalablate.effects.groups import subgroups
from causalablate.effects.kinds import Kind
from causalablate.effects.order import in_order
from causalablate.effects.paired import Paired
from causalablate.table import Counterfactuals

CREDIBLE = "credible, hierarchical"
EXACT = "all effects equal, not shrunk"
CREDIBLE_LIMITS = ["credible_low", "credible_high"]
ENDS = {Kind.BINARY: (-1.0, 1.0), Kind.CATEGORICAL: (0.0, 1.0)}
"""Smallest and largest mean effect that is possible; of other outcomes any is."""

SHRUNK_COLUMNS = (
    "outcome",
    "lesion",
    "group",
    "n_units",
    "ate",
    "se",
    "ci_low",
    "ci_high",
    "posterior_mean",
    "posterior_sd",
    "credible_low",
    "credible_high",
    "interval_method",
    "p_beyond",
    "p_below",
    "p_within",
    "p_negative",
    "lfsr",
    "shrinkage",
    "family",
    "family_mean",
    "family_scale",
    "log_evidence",
)
"""Columns of the table, in order. Their meaning is in docs/shrinkage.md."""


def shrunk_effects(
    table: Counterfactuals,
    *,
    prior: Prior | Mapping[str, Prior] | None = None,
    families: Mapping[str, str] | None = None,
    sesoi: float | Mapping[str, float] = 0.005,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Posterior of every lesion's effect, as one of a family of effects with an unknown mean and spread.

    Estimates y ~ N(theta, Sigma) with the full covariance of lesions that share examples and seeds;
    theta about mu at the scale tau within a family; mu and tau have a prior. Effect = counterfactual - factual.

    Args:
        table: Paired outcomes.
        prior: Prior of mu and tau in outcome units, for all outcomes or by outcome; by default `priors_of`.
        families: Lesion name to family, e.g. the kind of its component; each family has its own mu and tau. By
            default all lesions are one.
        sesoi: Smallest effect of interest: a number, or outcome name to value (`smallest_effects`).
        level: Coverage of the credible intervals, in (0.5, 1).
        seed: Seeds the draws of unknown tails, and the nodes of tau where there are several families.
    Returns:
        One row per outcome, lesion and group with the columns `SHRUNK_COLUMNS`. Effects that are all equal, of a real
        outcome, are known exactly: they are neither shrunk nor part of their family. Undefined numbers are NaN and
        `interval_method` says why. `attrs` records level, seed, kinds, sesoi, prior, and as `effective_nodes` the
        fewest nodes or independent draws that a posterior rests on (None without any).
    Raises:
        EffectError: The table is empty or cannot be paired, a value is not finite, or an argument is invalid.

    Source: Gelman et al. (2013), Bayesian Data Analysis, ch. 5; Stephens (2017), Biostatistics 18(2), for `lfsr`.
    """
    setup = setup_of(table, prior=prior, families=families, sesoi=sesoi, level=level, seed=seed)
    parts, nodes = [], []
    for outcome, blocks in setup.blocks.items():
        for group, samples in _by_group(blocks).items():
            found = fit(samples, setup)
            rows = _rows(found, setup, outcome, group)
            rows[CREDIBLE_LIMITS] = rows[CREDIBLE_LIMITS].clip(*ENDS.get(samples[0].kind, (None, None)))
            parts.append(rows)
            nodes += [] if found.posterior is None else [found.posterior.effective_nodes]
    frame = pd.concat(parts, ignore_index=True)
    frame = in_order(frame, table)[list(SHRUNK_COLUMNS)]
    frame.attrs = {**setup.attrs, "effective_nodes": min(nodes, default=None)}
    return frame


def _by_group(blocks: Sequence[Paired]) -> dict[str, list[Paired]]:
    """Group to the blocks that have rows in it, `all` first."""
    found: dict[str, list[Paired]] = {}
    for block in blocks:
        for group, sample in subgroups(block):
            found.setdefault(group, []).append(sample)
    return found


def _rows(found: Fit, setup: Setup, outcome: str, group: str) -> pd.DataFrame:
    estimates, known = found.estimates, found.estimates.known
    sesoi = setup.sesoi[outcome]
    exact = estimates.se == 0
    nan = np.full(known.size, np.nan)
    frame = pd.DataFrame(
        {
            "outcome": outcome,
            "lesion": estimates.lesions,
            "group": group,
            "n_units": estimates.n_units,
            "ate": estimates.ate,
            "se": estimates.se,
            "ci_low": estimates.low,
            "ci_high": estimates.high,
            "posterior_mean": np.where(exact, estimates.center, nan),
            "posterior_sd": np.where(exact, 0.0, nan),
            "credible_low": np.where(exact, estimates.center, nan),
            "credible_high": np.where(exact, estimates.center, nan),
            "interval_method": np.where(exact, EXACT, found.note),
            **_chances(estimates.center, exact, sesoi),
            "shrinkage": np.where(exact, 0.0, nan),
            "family": found.family,
            "family_mean": np.nan,
            "family_scale": np.nan,
            "log_evidence": np.nan,
        }
    )
    if found.posterior is not None:
        _fill(frame, found, setup.level, sesoi)
    return frame


def _chances(value: np.ndarray, exact: np.ndarray, sesoi: float) -> dict[str, np.ndarray]:
    """Probabilities about effects that are known exactly; NaN elsewhere."""
    known = {
        "p_beyond": np.abs(value) > sesoi,
        "p_below": value < -sesoi,
        "p_within": np.abs(value) <= sesoi,
    }
    signs = {"p_negative": value < 0, "lfsr": value == 0}
    without = dict.fromkeys(known, exact & np.isfinite(sesoi)) | dict.fromkeys(signs, exact)
    return {name: np.where(without[name], values, np.nan) for name, values in {**known, **signs}.items()}


def _fill(frame: pd.DataFrame, found: Fit, level: float, sesoi: float) -> None:
    """Write the posterior of the known lesions into their rows."""
    posterior, known = found.posterior, found.estimates.known
    assert posterior is not None
    low, high = posterior.interval(level)
    negative, below, up_to = posterior.below(0.0), posterior.below(-sesoi), posterior.below(sesoi)
    code = posterior.evidence.family
    values = {
        "posterior_mean": posterior.mean,
        "posterior_sd": posterior.sd,
        "credible_low": low,
        "credible_high": high,
        "interval_method": np.full(low.shape, CREDIBLE, dtype=object),
        "p_beyond": np.clip(1 - (up_to - below), 0, 1),
        "p_below": below,
        "p_within": up_to - below,
        "p_negative": negative,
        "lfsr": np.minimum(negative, 1 - negative),
        "shrinkage": posterior.shrinkage,
        "family_mean": (posterior.weights @ posterior.mu)[code],
        "family_scale": (posterior.weights @ posterior.tau)[code],
        "log_evidence": np.full(low.shape, posterior.log_evidence),
    }
    for name, column in values.items():
        frame.loc[known, name] = column
