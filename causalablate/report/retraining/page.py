"""Lesion against retraining as one HTML page: figures, tables, sentences; nothing fetched from anywhere, no script."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from PIL import Image

from causalablate.report.figures.style import DPI
from causalablate.report.html import PAGE as STUDY_PAGE
from causalablate.report.html import breakable, file_rows
from causalablate.report.retraining.findings import retraining_findings
from causalablate.report.retraining.tables import all_cells, said, title_of
from causalablate.training.retraining.result import RetrainingComparison

PAGE = Path(__file__).parent / "page"
SHOWN = 100
"""Pixels of the page per inch of a figure."""


def retraining_page(
    found: RetrainingComparison, images: Sequence[tuple[str, Path]] = (), files: Sequence[str] = ()
) -> str:
    """The page.

    Args:
        found: The comparison.
        images: Figures as PNG files, with what they show.
        files: Links relative to the page.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["breakable"] = breakable
    return environment.get_template("retraining.html.j2").render(
        title=title_of(found),
        findings=retraining_findings(found),
        level=f"{100 * found.facts.level:g} %",
        images=[_image(path, title) for title, path in images],
        tables=all_cells(found),
        notes=said(found),
        files=file_rows(files),
        style=Markup((STUDY_PAGE / "page.css").read_text("utf-8")),
    )


def _image(path: Path, title: str) -> dict[str, Any]:
    with Image.open(path) as image:
        width = image.width * SHOWN // DPI
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"uri": f"data:image/png;base64,{data}", "title": title, "width": width}
