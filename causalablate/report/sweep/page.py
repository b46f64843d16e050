"""The report of a sweep as one HTML page: sentences, tables, figures; nothing fetched from anywhere, no script."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from PIL import Image

from causalablate.report.html import PAGE as STUDY_PAGE
from causalablate.report.html import breakable, file_rows
from causalablate.report.tables import Cells

PAGE = Path(__file__).parent / "page"


def sweep_page(
    *,
    title: str,
    question: str,
    findings: Sequence[str],
    reading: Sequence[str],
    tables: Sequence[Cells],
    images: Sequence[tuple[str, Path]],
    left_out: Sequence[str],
    facts: Mapping[str, str],
    files: Sequence[str],
) -> str:
    """The page.

    Args:
        title: Heading.
        question: What the sweep asks.
        findings: Sentences, the first of them large.
        reading: How to read verdicts and tables.
        tables: In this order; a row of kind `baseline` is bold.
        images: Title and PNG file of each figure.
        left_out: What is said about figures that could not be drawn.
        facts: Shown as given.
        files: Links relative to the page.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["breakable"] = breakable
    style = (STUDY_PAGE / "page.css").read_text("utf-8") + (PAGE / "sweep.css").read_text("utf-8")
    return environment.get_template("sweep.html.j2").render(
        title=title,
        question=question,
        findings=findings,
        reading=reading,
        tables=tables,
        images=[_image(path, name) for name, path in images],
        left_out=left_out,
        facts=list(facts.items()),
        files=file_rows(files),
        style=Markup(style),
    )


def _image(path: Path, title: str) -> dict[str, Any]:
    data = path.read_bytes()
    with Image.open(path) as image:
        width = image.width * 100 // 160
    return {"uri": f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}", "title": title, "width": width}
