"""Write everything that shows a comparison of lesions with retraining: page, tables, figures."""

from dataclasses import dataclass
from pathlib import Path

from causalablate.durable import write_durably
from causalablate.report.figures.style import file_stem, save, styled
from causalablate.report.retraining.figure import retraining_figure
from causalablate.report.retraining.page import retraining_page
from causalablate.report.retraining.tables import csv_table, latex, markdown, outcomes
from causalablate.report.words import outcome_words
from causalablate.training.retraining.result import RetrainingComparison


@dataclass(frozen=True)
class RetrainingReportPaths:
    """Where the parts are.

    Attributes:
        page: The page, `index.html`; it needs no other file.
        tables: All effects, the effect of the parameters alone where there are capacity controls, and the agreement
            of rankings: CSV at full precision.
        markdown: Tables and sentences to read.
        latex: Tables for a paper.
        figures: PNG and SVG files, the leading outcome first.
    """

    page: Path
    tables: tuple[Path, ...]
    markdown: Path
    latex: Path
    figures: tuple[Path, ...]


def write_retraining_report(found: RetrainingComparison, out: str | Path) -> RetrainingReportPaths:
    """Write page, tables and figures. The same comparison gives the same bytes.

    Args:
        found: What `compare_sweep` or `read_comparison` returned.
        out: Directory of the report; made if needed, its files of the same names are replaced.
    Raises:
        LedgerError: The directory cannot be written.
    """
    out = Path(out)
    tables = [_text(out / "retraining.csv", csv_table(found))]
    if not found.capacity.empty:
        tables.append(_text(out / "capacity.csv", found.capacity.to_csv(index=False, lineterminator="\n")))
    tables.append(_text(out / "ranking.csv", found.ranking.to_csv(index=False, lineterminator="\n")))
    md, tex = _text(out / "retraining.md", markdown(found)), _text(out / "retraining.tex", latex(found))
    pictures: dict[str, tuple[Path, Path]] = {}
    with styled():
        for name in outcomes(found):
            stem = out / "figures" / file_stem("retraining", name)
            pictures[f"Effects on {outcome_words(name).phrase}"] = save(retraining_figure(found, name), stem)
    figures = tuple(path for pair in pictures.values() for path in pair)
    links = [path.relative_to(out).as_posix() for path in (*tables, md, tex, *figures)]
    html = retraining_page(found, [(title, png) for title, (png, _) in pictures.items()], links)
    return RetrainingReportPaths(_text(out / "index.html", html), tuple(tables), md, tex, figures)


def _text(path: Path, text: str) -> Path:
    return write_durably(path, text.encode("utf-8"), flush=False)
