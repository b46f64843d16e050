"""The sentences a report opens with, computed from the effects and nothing else."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from causalablate.report.arrange import ALL, arrange, group_factors, harm, main_factor
from causalablate.report.format import plain, signed
from causalablate.report.tables import column_decimals
from causalablate.report.words import OutcomeWords, group_label, outcome_words, primary_outcome

EFFECT, NOISE = "effect", "within noise"
SELECTIVE = 4.0
"""A lesion is called selective when its strongest group moves this many times as much as the next."""


def _change(row: pd.Series, words: OutcomeWords, places: int) -> str:
    s = words.scale
    return f"{signed(s * row['ate'], places)} {words.unit}"


def _are(n: int) -> str:
    return "none is" if n == 0 else "1 is" if n == 1 else f"{n} are"


def headline(effects: pd.DataFrame, kinds: Mapping[str, str], level: float = 0.95) -> str:
    """One or two sentences: how many lesions matter for the leading outcome, and which matters most."""
    outcome = primary_outcome(dict.fromkeys(effects["outcome"]))
    words, rows = outcome_words(outcome), arrange(effects, kinds, outcome)
    what, places = words.phrase, column_decimals(rows, words)
    counts = rows["label"].value_counts()
    clear, noise = int(counts.get(EFFECT, 0)), int(counts.get(NOISE, 0))
    rest = len(rows) - clear - noise
    n = int(rows["n_units"].max())
    have = f"{clear or 'none'} of {len(rows)} lesions {'have' if clear > 1 else 'has'} a clear effect on {what}"
    first = f"On {n:,} examples, {have}; {_are(noise)} within noise, {_are(rest)} undecided."
    if clear == 0:
        return first
    worst = rows[rows["label"] == EFFECT].assign(h=lambda f: f["ate"].abs()).nlargest(1, "h").iloc[0]
    s, unit = words.scale, f" {words.level_unit}"
    return (
        f"{first} The largest: {worst['lesion']} takes {what} from {plain(s * worst['factual_mean'], places)}{unit} "
        f"to {plain(s * worst['counterfactual_mean'], places)}{unit} ({_change(worst, words, places)}; "
        f"{100 * level:g} % interval {signed(s * worst['ci_low'], places)} to {signed(s * worst['ci_high'], places)})."
    )


def _selective(effects: pd.DataFrame, outcome: str) -> list[str]:
    """The lesion whose effect is most confined to one group, when one is clearly so."""
    factor = main_factor(effects)
    if factor is None or len(keys := group_factors(effects)[factor]) < 3:
        return []
    words, chosen = outcome_words(outcome), effects[effects["outcome"] == outcome]
    clear = set(chosen.loc[(chosen["group"] == ALL) & (chosen["label"] == EFFECT), "lesion"])
    grouped = chosen[chosen["group"].isin(keys) & chosen["lesion"].isin(clear)]
    best: tuple[float, pd.Series, pd.Series] | None = None
    for _, rows in grouped.groupby("lesion", sort=False):
        ordered = rows.assign(size=rows["ate"].abs()).sort_values("size", ascending=False, kind="stable")
        if len(ordered) < 3 or not ordered["size"].notna().all():
            continue
        first, second = ordered.iloc[0], ordered.iloc[1]
        sure = first["ci_low"] > 0 or first["ci_high"] < 0
        score = float(first["size"] - second["size"])
        if sure and first["size"] >= SELECTIVE * second["size"] and (best is None or score > best[0]):
            best = (score, first, second)
    if best is None:
        return []
    _, row, other = best
    places = max(column_decimals(grouped, words) - 1, 0)
    return [
        f"Most selective: {row['lesion']} moves {factor.replace('_', ' ')} “{group_label(str(row['group']))}” by "
        f"{_change(row, words, places)}; the next, “{group_label(str(other['group']))}”, by "
        f"{signed(words.scale * other['ate'], places)}."
    ]


def _gains(rows: pd.DataFrame, outcome: str) -> list[str]:
    """Lesions that improve the outcome."""
    words = outcome_words(outcome)
    good = rows[(rows["label"] == EFFECT) & (harm(rows, outcome) < 0)] if words.better else rows.iloc[:0]
    if good.empty:
        return []
    best, places = good.loc[good["ate"].abs().idxmax()], column_decimals(rows, words)
    n = len(good)
    lead = "One lesion improves" if n == 1 else f"{n} lesions improve"
    return [f"{lead} {words.phrase}, most of all {best['lesion']} ({_change(best, words, places)})."]


def _controls(rows: pd.DataFrame) -> list[str]:
    """How many lesions exceed all of their size-matched random controls: those with the smallest p there can be."""
    if not {"p_control", "n_controls"} <= set(rows):
        return []
    held = rows[rows["p_control"].notna()]
    if held.empty:
        return []
    beyond = int((held["p_control"] * (1 + held["n_controls"]) < 1.5).sum())
    return [
        f"Of {len(held)} lesions with size-matched random controls, {beyond} exceed{'s' * (beyond == 1)} all of them; "
        "for the others, removing as much at random did as much at least once."
    ]


def _inert(rows: pd.DataFrame) -> list[str]:
    """Lesions that did not act on every example."""
    if "fired" not in rows:
        return []
    partial = rows[rows["fired"] < 1]
    if partial.empty:
        return []
    least = partial.loc[partial["fired"].astype(float).idxmin()]
    return [
        f"{len(partial)} lesion{'s' * (len(partial) > 1)} did not act on every example, least of all {least['lesion']} "
        f"(acted on {plain(100 * float(least['fired']), 1)} %): elsewhere its effect is zero by construction."
    ]


def _unchanged(rows: pd.DataFrame) -> list[str]:
    """Lesions whose off is what the component says anyway, such as the mean of a constant."""
    if "change_norm" not in rows:
        return []
    same = rows[(rows["change_norm"] == 0) & (rows["fired"] == 1)]
    if same.empty:
        return []
    names = ", ".join(same["lesion"])
    return [
        f"Acts, but changes nothing at its site: {names}. There "
        "the off is what the component says anyway, as the mean of a constant is, so an effect of zero says nothing "
        "about the component; choose another off, such as zero."
    ]


def findings(effects: pd.DataFrame, kinds: Mapping[str, str]) -> list[str]:
    """More about the leading outcome: selective lesions, gains, random controls, lesions that did not act."""
    outcome = primary_outcome(dict.fromkeys(effects["outcome"]))
    rows = arrange(effects, kinds, outcome)
    rows = rows[np.isfinite(rows["ate"].astype(float))]
    return [*_selective(effects, outcome), *_gains(rows, outcome), *_controls(rows), *_inert(rows), *_unchanged(rows)]
