"""What lesions and retraining say of the components, in sentences computed from the numbers."""

import math

import pandas as pd

from causalablate.effects import EFFECT
from causalablate.report.format import percent, plain, signed
from causalablate.report.retraining.rows import ALIKE, OVERSTATES, UNDECIDED, UNDERSTATES, component_rows, places
from causalablate.report.words import OutcomeWords, outcome_words, primary_outcome
from causalablate.training.retraining.result import RetrainingComparison


def retraining_findings(found: RetrainingComparison) -> list[str]:
    """Sentences about the leading outcome; the first is the headline."""
    outcome = primary_outcome(dict.fromkeys(map(str, found.frame["outcome"])))
    every, words = component_rows(found, outcome), outcome_words(outcome)
    rows = every[~every["control"]] if not every["control"].all() else every
    d = places(every, words)
    return [
        _headline(rows, words),
        *_extreme(rows, words, d, found.facts.level, OVERSTATES),
        *_extreme(rows, words, d, found.facts.level, UNDERSTATES),
        *_needed(rows, words, d),
        *_agreement(found, outcome),
        *_capacity(found, outcome, words, d),
    ]


def _headline(rows: pd.DataFrame, words: OutcomeWords) -> str:
    counts = rows["reading"].value_counts()
    over, under, alike, open_ = (int(counts.get(r, 0)) for r in (OVERSTATES, UNDERSTATES, ALIKE, UNDECIDED))
    seeds, n = rows["n_seeds_retraining"], int(rows["n_units_retraining"].max())
    least, most = int(seeds.min()), int(seeds.max())
    trained = f"{least} to {most} seeds" if least < most else f"{most} seed{'s' * (most > 1)}"
    return (
        f"Of {_components(len(rows))}, each retrained without over {trained} and compared "
        f"on {n:,} examples, the lesion overstates what {over} {_is(over)} worth to {words.phrase} and understates "
        f"{under}; for {alike} the two are alike within the margin, and {open_} {_is(open_)} undecided."
    )


def _extreme(rows: pd.DataFrame, words: OutcomeWords, d: int, level: float, which: str) -> list[str]:
    chosen = rows[rows["reading"] == which]
    if chosen.empty:
        return []
    row = chosen.loc[chosen["compensation"].abs().idxmax()]
    s, lead = words.scale, "Most overstated" if which == OVERSTATES else "Most understated"
    left = ""
    if math.isfinite(row["ratio_low"]) and row["ratio"] >= 0:
        left = f", {percent(float(row['ratio']), 0)} of the lesion's effect"
    return [
        f"{lead}: {row['lesion']} moves {words.phrase} by {signed(s * row['ate_lesion'], d)} {words.unit} as a lesion "
        f"and by {signed(s * row['ate_retraining'], d)} when the model is trained without it{left}; compensation "
        f"{signed(s * row['compensation'], d)} ({100 * level:g} % interval {signed(s * row['ci_low'], d)} to "
        f"{signed(s * row['ci_high'], d)})."
    ]


def _needed(rows: pd.DataFrame, words: OutcomeWords, d: int) -> list[str]:
    """Components without which the retrained model is shown to be worse, or better."""
    s, said = words.scale, []
    clear = rows[rows["label_retraining"] == EFFECT]
    if not words.better:
        return []
    for sign, what in ((-1, "worse"), (1, "better")):
        some = clear[clear["ate_retraining"] * words.better * sign > 0]
        if some.empty:
            continue
        most = some.loc[some["ate_retraining"].abs().idxmax()]
        said.append(
            f"Trained without {_one_of(len(some))}, the model is shown to be {what} on {words.phrase}, most of all "
            f"without {most['lesion']} ({signed(s * most['ate_retraining'], d)} {words.unit})."
        )
    return said or [f"No component is shown to matter for {words.phrase} once the model is trained without it."]


def _agreement(found: RetrainingComparison, outcome: str) -> list[str]:
    rows = found.ranking[found.ranking["outcome"] == outcome]
    if rows.empty:
        return []
    row = rows.iloc[0]
    n, rho = int(row["n_lesions"]), float(row["spearman"])
    if not math.isfinite(rho):
        return [f"Whether the two rank the components alike is undefined ({_components(n)})."]
    sure = f"{100 * found.facts.level:g} % interval {_two(row, 'spearman_low')} to {_two(row, 'spearman_high')}"
    within = f", {_two(row, 'seed_lowest')} to {_two(row, 'seed_highest')} within single seeds"
    same = round(float(row["overlap"]) * int(row["k"]))
    return [
        f"The two rank the {n} components with a rank correlation of {plain(rho, 2)} ({sure} over examples, for these "
        f"seeds{within if math.isfinite(row['seed_lowest']) else ''}); of the {int(row['k'])} largest effects "
        f"{same} {_is(same)} in common."
    ]


def _capacity(found: RetrainingComparison, outcome: str, words: OutcomeWords, d: int) -> list[str]:
    if found.capacity.empty:
        return []
    rows = found.capacity.query("outcome == @outcome and group == 'all'")
    most = rows.loc[rows["difference"].abs().idxmax()]
    clear = int((rows["label"] == EFFECT).sum())
    s = words.scale
    return [
        f"With the component's parameters re-spent in the connector, {clear} of {len(rows)} retrained models "
        f"{'differs' if clear == 1 else 'differ'} from the smaller one, most of all the one without {most['lesion']} "
        f"({signed(s * most['difference'], d)} {words.unit}, {100 * found.facts.level:g} % interval "
        f"{signed(s * most['ci_low'], d)} to {signed(s * most['ci_high'], d)})."
    ]


def _two(row: pd.Series, name: str) -> str:
    return plain(float(row[name]), 2)


def _components(n: int) -> str:
    return "one component" if n == 1 else f"{n} components"


def _one_of(n: int) -> str:
    return "one component" if n == 1 else f"one or another of {n} components"


def _is(n: int) -> str:
    return "is" if n == 1 else "are"
