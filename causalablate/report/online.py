"""An online experiment as people read it: the sample-ratio check first, a table, sentences, and files."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from causalablate.durable import write_durably
from causalablate.effects.online import OnlineExperiment
from causalablate.report.figures.online import online_figure
from causalablate.report.figures.style import save, styled
from causalablate.report.format import NOTHING, decimals, interval, p_value, percent, plain, signed
from causalablate.report.markup import md_table, md_text
from causalablate.report.tables import Cells
from causalablate.report.words import OUTCOMES, OutcomeWords, outcome_words

INTENTION = (
    "Units are analysed in the arm that they were assigned to, whatever they received (intention to treat): the effect "
    "is that of the assignment."
)


@dataclass(frozen=True)
class OnlinePaths:
    """The files of an experiment.

    Attributes:
        tables: CSV of effects, quantiles and looks, at full precision.
        markdown: What was found, to read.
        figures: PNG and SVG of the effects while units arrived.
    """

    tables: tuple[Path, ...]
    markdown: Path
    figures: tuple[Path, ...]


def words_of(found: OnlineExperiment) -> dict[str, OutcomeWords]:
    """Words of its outcomes; one of 0 and 1 that is not known by name is shown in points."""
    return {
        name: OutcomeWords(name, name.replace("_", " "), "points", "%", 100.0)
        if kind == "binary" and name not in OUTCOMES
        else outcome_words(name)
        for name, kind in found.kinds.items()
    }


def online_cells(found: OnlineExperiment) -> Cells:
    """Effects as a table, one row per outcome and arm."""
    words, rows = words_of(found), []
    for _, r in found.effects.iterrows():
        w = words[r["outcome"]]
        places = decimals([w.scale * (r["ci_high"] - r["ci_low"]) / 2])
        rows.append(
            [
                w.title,
                r["arm"],
                f"{plain(w.scale * r['control_mean'], places)} → {plain(w.scale * r['mean'], places)} {w.level_unit}",
                f"{signed(w.scale * r['ate'], places)} {w.unit}",
                interval(w.scale * r["ci_low"], w.scale * r["ci_high"], places),
                p_value(r["p_holm"]),
                r["label"],
                _stop(found, r["outcome"], r["arm"]),
            ]
        )
    level = f"{100 * found.level:g} % interval"
    return Cells(
        title=f"effect = arm − {found.control}",
        header=["outcome", "arm", f"{found.control} → arm", "effect", level, "p (Holm)", "label", "could have stopped"],
        rows=rows,
        kinds=[""] * len(rows),
        right=[False, False, True, True, True, True, False, False],
    )


def _stop(found: OnlineExperiment, outcome: str, arm: str) -> str:
    rows = found.sequence[(found.sequence["outcome"] == outcome) & (found.sequence["arm"] == arm)]
    at, label = rows["stopped_at"].iloc[0], rows["stopped_as"].iloc[0]
    return f"after {at:,.0f} units: {label}" if label else NOTHING


def ratio_sentence(found: OnlineExperiment) -> str:
    """The sample-ratio check in one sentence, or a loud one and what to do."""
    r = found.ratio
    arms = ", ".join(
        f"{n:,} in {arm} (planned {percent(share)})" for arm, n, share in zip(r.arms, r.counts, r.expected, strict=True)
    )
    tests = f"p = {p_value(r.p)} at the end, {p_value(r.p_anytime)} allowing for looks on the way".replace("= <", "<")
    if r.ok:
        return f"{sum(r.counts):,} units: {arms}. The sample ratio is as planned ({tests})."
    since = f", visible after {r.detected_at:,} units" if r.detected_at else ""
    return (
        f"SAMPLE RATIO MISMATCH. {sum(r.counts):,} units: {arms} ({tests}{since}). Units were lost or added "
        "depending on their arm, so the arms cannot be compared and no effect below can be trusted. Look at "
        "assignment, redirects, crashes, filters and the join of logs, or mend the allocation if that was not the plan."
    )


def online_findings(found: OnlineExperiment) -> list[str]:
    """What the experiment says, in sentences."""
    sentences = [ratio_sentence(found)]
    words, total = words_of(found), sum(found.ratio.counts)
    for _, r in found.effects.iterrows():
        w = words[r["outcome"]]
        places = decimals([w.scale * (r["ci_high"] - r["ci_low"]) / 2])
        change = f"{signed(w.scale * r['ate'], places)} {w.unit}"
        limits = interval(w.scale * r["ci_low"], w.scale * r["ci_high"], places)
        stop = _stop(found, r["outcome"], r["arm"])
        late = f"; at no look up to {total:,} units was it clear"
        when = f"; one could have stopped {stop}" if stop != NOTHING else late
        sentences.append(
            f"{r['arm']} changes {w.phrase} by {change} ({100 * found.level:g} % interval {limits}): {r['label']}"
            f"{when if found.ratio.ok else ''}."
        )
    events = found.effects["n_events"].sum() > found.effects["n_units"].sum()
    if events:
        sentences.append(
            "Units have several events; errors are those of units, and each unit counts with all its events."
        )
    return [*sentences, INTENTION]


def online_json(found: OnlineExperiment) -> dict[str, Any]:
    """Everything as JSON values, but for NaN where there is no number."""
    frames = {name: _records(getattr(found, name)) for name in ("effects", "quantiles", "sequence")}
    return {
        "control": found.control,
        "level": found.level,
        "ratio": {**dataclasses.asdict(found.ratio), "ok": found.ratio.ok},
        "kinds": dict(found.kinds),
        "sesoi": dict(found.sesoi),
        **frames,
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    if "time" in frame and pd.api.types.is_datetime64_any_dtype(frame["time"]):
        frame = frame.assign(time=frame["time"].dt.strftime("%Y-%m-%dT%H:%M:%S"))
    return frame.to_dict(orient="records")


def online_markdown(found: OnlineExperiment) -> str:
    """Sentences, table and figure as one Markdown document."""
    cells = online_cells(found)
    table = md_table(list(map(md_text, cells.header)), [list(map(md_text, row)) for row in cells.rows], cells.right)
    parts = ["# Online experiment\n", *(f"{md_text(sentence)}\n" for sentence in online_findings(found))]
    return "\n".join([*parts, f"## {md_text(cells.title)}\n", table, "![effects while units arrived](online.png)\n"])


def write_online(out_dir: Path, found: OnlineExperiment) -> OnlinePaths:
    """Write `online_effects.csv`, `online_quantiles.csv`, `online_sequence.csv`, `online.md`, `.png` and `.svg`.

    The same experiment gives the same bytes.

    Args:
        out_dir: Directory; made if needed, its files of the same names are replaced.
        found: The experiment.
    Raises:
        LedgerError: The directory cannot be written.
    """
    tables = []
    for name in ("effects", "quantiles", "sequence"):
        csv = getattr(found, name).assign(effect_is=f"arm - {found.control}").to_csv(index=False, lineterminator="\n")
        tables.append(write_durably(out_dir / f"online_{name}.csv", csv.encode(), flush=False))
    with styled():
        figures = save(online_figure(found, words_of(found)), out_dir / "online")
    return OnlinePaths(
        tuple(tables), write_durably(out_dir / "online.md", online_markdown(found).encode(), flush=False), figures
    )
