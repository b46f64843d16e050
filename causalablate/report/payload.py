"""What the page's script reads: the numbers of a study as compact, deduplicated JSON."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from causalablate.report.arrange import ALL, group_factors, main_factor
from causalablate.report.figures.heads import head_lesions
from causalablate.report.gallery import Gallery
from causalablate.report.images import data_uri
from causalablate.report.tables import column_decimals
from causalablate.report.words import FALLBACK_KIND, group_label, kind_title, outcome_words, primary_outcome
from causalablate.table import Counterfactuals
from causalablate.trace import Trace

DIGITS = 5
BINS = 25
CORE = (
    "n_units",
    "factual_mean",
    "counterfactual_mean",
    "ate",
    "ci_low",
    "ci_high",
    "p_holm",
    "p_control",
    "n_flips_down",
    "n_flips_up",
)
"""Numbers that are shown for every group; the others are kept for all examples together only."""


class Pool:
    """Each distinct value once, known by its index."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._index: dict[str, int] = {}

    def add(self, value: Any) -> int:
        """Index of a value, the same for equal values."""
        key = json.dumps(value)
        if key not in self._index:
            self._index[key] = len(self.values)
            self.values.append(value)
        return self._index[key]


def rounded(value: float) -> float | int | None:
    """A number with `DIGITS` significant digits; None, JSON's null, when it is not finite."""
    number = float(value)
    if not math.isfinite(number):
        return None
    short = float(f"{number:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def effects_json(effects: pd.DataFrame, lesions: list[str], groups: list[str], outcomes: list[str]) -> dict[str, Any]:
    """The effects by column: names as indices, numbers shortened, columns without a single value left out."""
    columns: dict[str, list[Any]] = {
        name: [known.index(value) for value in effects[name]]
        for name, known in (("outcome", outcomes), ("lesion", lesions), ("group", groups))
    }
    columns["label"] = [str(value) for value in effects["label"]]
    return columns | _numbers(effects, [name for name in CORE if name in effects])


def details_json(effects: pd.DataFrame) -> dict[str, Any]:
    """The remaining columns for the rows over all examples, with `row`, their positions in `effects_json`."""
    whole = np.flatnonzero((effects["group"] == ALL).to_numpy())
    rest = [str(n) for n in effects.columns if n not in CORE and pd.api.types.is_numeric_dtype(effects[n])]
    rows = effects.iloc[whole]
    columns: dict[str, list[Any]] = {"row": [int(i) for i in whole], **_numbers(rows, rest)}
    if "interval_method" in rows:
        columns["interval_method"] = [str(value) for value in rows["interval_method"]]
    return columns


def _numbers(rows: pd.DataFrame, names: list[str]) -> dict[str, list[Any]]:
    return {name: [rounded(value) for value in rows[name]] for name in names if rows[name].notna().any()}


def histograms(table: Counterfactuals, outcome: str) -> dict[str, list[float | int | None]]:
    """Histogram of the individual effects on one outcome, by lesion: low end, high end, then `BINS` counts.

    The ends are the 0.5 % and 99.5 % quantiles; what lies outside is counted in the outermost bins.
    """
    result = {}
    for lesion, values in table.frame[table.frame["outcome"] == outcome].groupby("lesion", sort=False)["effect"]:
        ite = values.to_numpy(dtype=float)
        ite = ite[np.isfinite(ite)]
        if ite.size == 0 or ite.min() == ite.max():
            continue
        low, high = (float(q) for q in np.quantile(ite, (0.005, 0.995)))
        low, high = (low, high) if low < high else (float(ite.min()), float(ite.max()))
        counts, _ = np.histogram(np.clip(ite, low, high), bins=BINS, range=(low, high))
        result[str(lesion)] = [rounded(low), rounded(high), *(int(c) for c in counts)]
    return result


def gallery_json(gallery: Gallery, lesions: list[str]) -> dict[str, Any]:
    """The single examples; texts, frames and allocation grids are stored once and referred to by index."""
    texts, frames, grids = Pool(), Pool(), Pool()

    def trace(t: Trace) -> list[Any]:
        grid = None if t.allocation is None else [[rounded(float(f"{v:.4g}")) for v in row] for row in t.allocation]
        top = [[texts.add(answer), rounded(probability)] for answer, probability in t.top]
        return [texts.add(t.answer), rounded(t.probability), top, -1 if grid is None else grids.add(grid)]

    examples = [
        {
            "id": example.id,
            "frames": [frames.add(data_uri(frame)) for frame in example.frames],
            "question": example.question,
            "answer": texts.add(example.answer),
            "groups": dict(example.groups),
            "factual": trace(example.factual),
            "lesioned": [[lesions.index(name), *trace(t)] for name, t in example.lesioned.items()],
        }
        for example in gallery.examples
    ]
    return {"texts": texts.values, "frames": frames.values, "grids": grids.values, "examples": examples}


def payload(
    table: Counterfactuals,
    effects: pd.DataFrame,
    gallery: Gallery,
    kinds: Mapping[str, str],
    *,
    sesoi: Mapping[str, float],
    level: float,
) -> dict[str, Any]:
    """Everything the page shows by script, as plain data."""
    outcomes, groups = _names(effects["outcome"]), _names(effects["group"])
    lesions = _names([*effects["lesion"], *gallery.lesions])
    whole = effects[effects["group"] == ALL]
    shown = []
    for name in outcomes:
        words = outcome_words(name)
        shown.append(
            {
                "name": name,
                "title": words.title,
                "phrase": words.phrase,
                "unit": words.unit,
                "levelUnit": words.level_unit,
                "scale": words.scale,
                "better": words.better,
                "sesoi": rounded(sesoi.get(name, math.nan)),
                "decimals": column_decimals(whole[whole["outcome"] == name], words),
                "histograms": {} if words.is_share else histograms(table, name),
            }
        )
    return {
        "outcomes": shown,
        "primary": outcomes.index(primary_outcome(outcomes)),
        "groups": [{"key": key, "label": group_label(key)} for key in groups],
        "factors": {name: [groups.index(key) for key in keys] for name, keys in group_factors(effects).items()},
        "factor": main_factor(effects),
        "kinds": {kind: kind_title(kind) for kind in [*dict.fromkeys(kinds.values()), FALLBACK_KIND]},
        "lesions": [{"name": name, "kind": kinds.get(name, FALLBACK_KIND)} for name in lesions],
        "heads": [[h.panel, h.layer, h.head, lesions.index(h.lesion)] for h in head_lesions(_names(effects["lesion"]))],
        "effects": effects_json(effects, lesions, groups, outcomes),
        "details": details_json(effects),
        "gallery": gallery_json(gallery, lesions),
        "level": level,
    }


def _names(values: Iterable[Any]) -> list[str]:
    return [str(value) for value in dict.fromkeys(values)]


def embed(data: Mapping[str, Any]) -> str:
    """JSON that is inert inside a `<script>` element: no `<`, `>`, `&` or line separator survives unescaped."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
