"""One self-contained page: styles, script, numbers and frames inline, nothing fetched from anywhere."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from causalablate.report.accuracy import Accuracy
from causalablate.report.arrange import main_factor
from causalablate.report.findings import findings, headline
from causalablate.report.format import percent, plain
from causalablate.report.gallery import Gallery
from causalablate.report.images import figure
from causalablate.report.payload import embed, payload
from causalablate.report.section import Section
from causalablate.report.tables import effect_cells
from causalablate.report.words import SIGN, outcome_words, primary_outcome
from causalablate.table import Counterfactuals

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("core", "forest", "effects", "detail", "groups", "examples", "main")
FORMATS = {
    ".csv": "CSV, full precision",
    ".md": "Markdown",
    ".tex": "LaTeX (booktabs, longtable)",
    ".png": "PNG",
    ".svg": "SVG",
}


def breakable(text: str) -> Markup:
    """Escaped text in which component addresses may break after their dots."""
    return Markup(re.sub(r"([.=])(?=\w*[A-Za-z_])", r"\1<wbr>", str(escape(text))))


def script() -> str:
    """The page's script: its parts in one scope, in the order in which they build on each other."""
    parts = [(PAGE / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n"


def accuracy_row(row: Accuracy) -> dict[str, Any]:
    """One accuracy as the template shows it; positions are percent of the track."""
    interval = f"{plain(100 * row.low, 1)} to {plain(100 * row.high, 1)}"
    shown = percent(row.estimate)
    return {
        "name": row.name,
        "estimate": f"{100 * row.estimate:.3f}",
        "low": f"{100 * row.low:.3f}",
        "high": f"{100 * row.high:.3f}",
        "percent": shown,
        "interval": interval,
        "n": f"{row.n:,}",
        "text": f"{row.name}: {shown}, interval {interval}",
    }


def file_rows(files: Sequence[str]) -> list[dict[str, Any]]:
    """Links by what they show: the formats of one table or figure stand together."""
    links: dict[str, list[dict[str, str]]] = {}
    for name in files:
        path = PurePosixPath(name)
        links.setdefault(path.stem, []).append({"href": name, "format": FORMATS.get(path.suffix, name)})
    return [{"name": stem.replace("_", " "), "links": found} for stem, found in links.items()]


def page(
    *,
    title: str,
    question: str,
    facts: Mapping[str, str],
    accuracies: Sequence[Accuracy],
    table: Counterfactuals,
    effects: pd.DataFrame,
    gallery: Gallery,
    kinds: Mapping[str, str],
    files: Sequence[str] = (),
    sections: Sequence[Section] = (),
    sesoi: Mapping[str, float],
    level: float,
) -> str:
    """The report as one HTML page.

    Parameters as in `write_report`, with `sesoi` by outcome (empty: no bands), and
    `files` as links relative to the page.
    """
    data = payload(table, effects, gallery, kinds, sesoi=sesoi, level=level)
    words = outcome_words(primary_outcome(dict.fromkeys(effects["outcome"])))
    code = script()
    digest = base64.b64encode(hashlib.sha256(code.encode("utf-8")).digest()).decode("ascii")
    factor = main_factor(effects)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = breakable
    return environment.get_template("page.html.j2").render(
        title=title,
        question=question,
        headline=headline(effects, kinds, level),
        findings=findings(effects, kinds),
        sign=SIGN[0].upper() + SIGN[1:],
        sesoi_text=f"±{words.scale * sesoi[words.name]:.2g} {words.unit}" if words.name in sesoi else None,
        level=f"{100 * level:g} %",
        controls="p_control" in data["effects"],
        factor=factor and factor.replace("_", " "),
        heads=bool(data["heads"]),
        examples=len(gallery),
        accuracies=[accuracy_row(row) for row in accuracies],
        sections=[(each, [figure(path, title) for title, path in each.images]) for each in sections],
        facts=list(facts.items()),
        cells=effect_cells(effects, kinds, words.name),
        files=file_rows(files),
        style=Markup((PAGE / "page.css").read_text(encoding="utf-8")),
        script=Markup(code),
        script_hash=Markup(f"'sha256-{digest}'"),
        data=Markup(embed(data)),
    )
