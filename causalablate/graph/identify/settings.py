"""Effects of settings on outcomes, from a table of past training runs in which settings were changed together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal

import numpy as np
import pandas as pd

from causalablate.effects.corrections import holm
from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.columns import check_numeric, observed
from causalablate.graph.identify.effect import Identification, identify
from causalablate.graph.identify.linear import Plan, fit, interval
from causalablate.graph.identify.overlap import overlap
from causalablate.graph.identify.plans import apart, obstacle, plans
from causalablate.graph.identify.refute import REFUTATIONS, correlated, refutations
from causalablate.graph.identify.sensitivity import benchmarks, sensitivity

Verdict = Literal["identified", "identified if linear", "no overlap", "not identified", "no path"]
NAN = float("nan")
PLANS = 20
"""So many adjustment sets are tried on the table; a graph can have thousands."""


@dataclass(frozen=True)
class SettingEffect:
    """What a table of runs says about one setting and one outcome.

    Attributes:
        treatment: The setting.
        outcome: The outcome.
        verdict: `identified`; `identified if linear`, by an instrument; `no overlap`: the graph identifies it, and
            this table cannot tell it apart; `not identified` by the graph; `no path`: the graph says it is 0.
        identification: What the graph says, without a table.
        plan: How it was estimated; None where it was not.
        effect: Units of the outcome per unit of the setting; NaN where it was not estimated, as all numbers below.
        se: Robust standard error.
        ci_low: Lower limit.
        ci_high: Upper limit.
        p: Of a zero effect, unadjusted.
        naive: The slope without any adjustment.
        overlap: Share of the variance of the setting that was free of what was adjusted for.
        n_runs: Runs used.
        n_clusters: Clusters, or runs where there are none.
        sensitivity: As `sensitivity` returns; empty where not estimated by adjustment.
        benchmarks: As `benchmarks` returns.
        refutations: As `refutations` returns.
        reason: Why that verdict, in words.
    """

    treatment: str
    outcome: str
    verdict: Verdict
    identification: Identification
    reason: str
    plan: Plan | None = None
    effect: float = NAN
    se: float = NAN
    ci_low: float = NAN
    ci_high: float = NAN
    p: float = NAN
    naive: float = NAN
    overlap: float = NAN
    n_runs: int = 0
    n_clusters: int = 0
    sensitivity: dict[str, float] = field(default_factory=dict)
    benchmarks: pd.DataFrame = field(default_factory=lambda: pd.DataFrame())
    refutations: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(REFUTATIONS)))

    def row(self) -> dict[str, Any]:
        """All of it that fits a row of a table."""
        plan = self.plan or Plan("back-door")
        failed = self.refutations.loc[~self.refutations["passed"].astype(bool), "check"]
        names = ("effect", "se", "ci_low", "ci_high", "p", "naive", "overlap", "n_runs", "n_clusters")
        sizes = ("partial_r2", "robustness", "robustness_ci", "e_value", "e_value_ci")
        return {
            "treatment": self.treatment,
            "outcome": self.outcome,
            "verdict": self.verdict,
            "strategy": plan.strategy if self.plan else "",
            "given": " & ".join(plan.given),
            "through": " & ".join(plan.through),
            **{name: getattr(self, name) for name in names},
            **{name: self.sensitivity.get(name, NAN) for name in sizes},
            "failed": " & ".join(failed),
            "reason": self.reason,
        }


def setting_effect(
    runs: pd.DataFrame,
    graph: CausalGraph,
    treatment: str,
    outcome: str,
    *,
    cluster: str | None = None,
    level: float = 0.95,
    draws: int = 200,
    seed: int = 0,
) -> SettingEffect:
    """Identify the effect of one setting, estimate it by linear regression, and try to refute it.

    Adjustment is tried first, with each minimal back-door set until the table can follow one; then a front door; and
    instruments only where no formula without linearity exists.

    Args:
        runs: One row per run, one column per setting or outcome. Nodes of the graph without a column count as
            unobserved; runs with missing values in what is needed are left out. Columns of text are categories.
        graph: Who acts on whom, and who shares unobserved causes.
        treatment: The setting, a numeric column; take logarithms before if effects are per doubling.
        outcome: The outcome, a numeric column.
        cluster: Column that says which runs belong together.
        level: Of the interval.
        draws: Refits per refutation.
        seed: Of the refutations.
    Raises:
        GraphError: A node or column is unknown or not numeric, or the treatment is the outcome.
    """
    seen = observed(runs, graph)
    check_numeric(runs, graph, (treatment, outcome))
    if cluster is not None and cluster not in runs.columns:
        raise GraphError(f'no column "{cluster}" to cluster by; the table has {", ".join(map(str, runs.columns[:12]))}')
    if treatment == outcome:
        raise GraphError(f"{treatment} is both treatment and outcome; an effect joins two columns")
    found = identify(seen, treatment, outcome)
    asked = treatment, outcome
    if outcome not in seen.descendants({treatment}):
        return SettingEffect(*asked, "no path", found, f"the graph has no way from {treatment} to {outcome}")
    problems: dict[str, None] = {}
    for plan in islice(plans(seen, treatment, outcome, found), PLANS):
        needed = dict.fromkeys((treatment, outcome, *plan.given, *plan.through, *([cluster] if cluster else [])))
        frame = runs[list(needed)].dropna()
        if problem := obstacle(plan, runs, seen, frame, treatment, outcome):
            problems.setdefault(problem)
            continue
        estimate = _estimate(plan, frame, found, treatment, outcome, cluster, level, draws, seed)
        more = correlated(runs, treatment, plan.given, apart(plan, seen, treatment, outcome))
        checks = pd.concat([estimate.refutations, more], ignore_index=True) if len(more) else estimate.refutations
        return replace(estimate, refutations=checks)
    if not found.identified:
        return SettingEffect(*asked, "not identified", found, "; ".join([str(found.hedge), *problems]))
    if problems:
        return SettingEffect(*asked, "no overlap", found, "; ".join(problems))
    return SettingEffect(*asked, "identified", found, f"by {found}, which no regression follows: not estimated")


def effects_of_settings(
    runs: pd.DataFrame,
    graph: CausalGraph,
    treatments: Sequence[str],
    outcomes: Sequence[str],
    *,
    cluster: str | None = None,
    level: float = 0.95,
    draws: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """The effects of several settings on several outcomes, those that are not identified included.

    Args:
        runs: As for `setting_effect`.
        graph: Likewise.
        treatments: Settings.
        outcomes: Outcomes.
        cluster: As there.
        level: As there.
        draws: As there.
        seed: As there.
    Returns:
        One row per setting and outcome, with what `SettingEffect` holds, and `p_holm` over all rows.
    Raises:
        GraphError: As there.
    """
    rows = [
        setting_effect(runs, graph, x, y, cluster=cluster, level=level, draws=draws, seed=seed).row()
        for y in outcomes
        for x in treatments
        if x != y
    ]
    table = pd.DataFrame(rows)
    if rows:
        table.insert(list(table).index("p") + 1, "p_holm", holm(table["p"].to_numpy(float)))
    return table


def _estimate(
    plan: Plan,
    frame: pd.DataFrame,
    found: Identification,
    treatment: str,
    outcome: str,
    cluster: str | None,
    level: float,
    draws: int,
    seed: int,
) -> SettingEffect:
    labels = None if cluster is None else frame[cluster].to_numpy()
    estimate = fit(plan, frame, treatment, outcome)
    se, low, high, p = interval(estimate, level, labels)
    adjusted = plan.strategy == "back-door"
    behind = f", given {' and '.join(plan.given)}" if plan.given else ""
    how = {
        "back-door": f"adjusted for {' and '.join(plan.given) or 'nothing: no back-door is open'}",
        "front-door": f"through {' and '.join(plan.through)}, the front door",
        "instrument": f"by the instrument {' and '.join(plan.through)}{behind}; without linearity: {found.hedge}",
    }
    return SettingEffect(
        treatment,
        outcome,
        "identified" if found.identified else "identified if linear",
        found,
        how[plan.strategy],
        plan,
        estimate.effect,
        se,
        low,
        high,
        p,
        fit(Plan("back-door"), frame, treatment, outcome).effect,
        overlap(frame, treatment, plan.given).left if adjusted else NAN,
        len(frame),
        len(frame) if labels is None else len(np.unique(labels)),
        sensitivity(frame, treatment, outcome, plan.given, level=level) if adjusted else {},
        benchmarks(frame, treatment, outcome, plan.given) if adjusted else pd.DataFrame(),
        refutations(plan, frame, treatment, outcome, estimate, cluster=labels, draws=draws, seed=seed),
    )
