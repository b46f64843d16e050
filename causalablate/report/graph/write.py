"""Write everything that shows a component graph: page, figures, tables, and the graph for other programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from causalablate.durable import write_durably
from causalablate.graph.export import write_graph
from causalablate.graph.matrices import Transfer
from causalablate.graph.network import ComponentGraph
from causalablate.report.figures.style import save, styled
from causalablate.report.graph.figure import graph_figure
from causalablate.report.graph.interactions import write_maps
from causalablate.report.graph.matrices import matrices, matrix_figure, total_effects
from causalablate.report.graph.page import graph_page
from causalablate.report.graph.tables import edge_frame, total_frame

FORMATS = ("json", "graphml", "dot", "gml")


@dataclass(frozen=True)
class GraphReportPaths:
    """Where the parts are.

    Attributes:
        page: The page, `index.html`; it needs no other file.
        graphs: The graph as JSON, GraphML, DOT and GML; the ways that data can take as JSON.
        tables: Edges, total effects, interactions and predictions, as CSV at full precision.
        figures: PNG and SVG files, sorted by name.
    """

    page: Path
    graphs: tuple[Path, ...]
    tables: tuple[Path, ...]
    figures: tuple[Path, ...]

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file, the page first."""
        return (self.page, *self.graphs, *self.tables, *self.figures)


def write_graph_report(
    out_dir: Path | str,
    graph: ComponentGraph,
    found: Transfer | None = None,
    *,
    title: str = "Who acts through whom",
    question: str = "",
    facts: Mapping[str, str] | None = None,
    interactions: pd.DataFrame | None = None,
    predictions: pd.DataFrame | None = None,
    level: float = 0.95,
) -> GraphReportPaths:
    """Write a page with the graph, matrices of effects, tables, and all of it as files. Same arguments, same bytes.

    Args:
        out_dir: Directory; made if needed, its files of the same names are replaced.
        graph: Estimated, or the computational graph alone.
        found: What the graph was estimated from: gives matrices, total effects, and the ways without an edge.
        title: Of the page.
        question: What was asked, in words.
        facts: What identifies the results, shown as given.
        interactions: Table of `interaction_effects`, in a section of its own.
        predictions: How well held-out lesions were predicted, e.g. of pairs: any table, shown as it is.
        level: Of the intervals of total effects; say the one that the graph was estimated with.
    Returns:
        The paths written.
    Raises:
        LedgerError: The directory cannot be written.
    """
    out_dir = Path(out_dir)
    possible = found.graph if found else None
    graphs = tuple(write_graph(graph, out_dir / f"graph.{suffix}") for suffix in FORMATS)
    graphs += (write_graph(possible, out_dir / "possible.json"),) if possible else ()
    totals = total_frame(found, level)
    tables = [_csv(out_dir / "edges.csv", edge_frame(graph))]
    pictures: dict[str, Path] = {}
    figures: list[Path] = []
    with styled():
        mean = total_effects(found) if found else None
        figures += save(graph_figure(graph, possible, mean), out_dir / "figures" / "graph")
        if found:
            tables.append(_csv(out_dir / "total_effects.csv", totals))
            both = matrices(found)
            for name, matrix in (("direct", both.direct), ("total", both.total)):
                said = f"{name.capitalize()} effects"
                pair = save(matrix_figure(matrix, both.outcomes, said), out_dir / "figures" / f"{name}_effects")
                figures += pair
                pictures[said] = pair[0]
    maps: dict[str, tuple[Path, Path]] = {}
    if interactions is not None:
        maps = write_maps(out_dir / "figures", interactions)
        tables.append(_csv(out_dir / "interactions.csv", interactions))
        figures += [path for pair in maps.values() for path in pair]
    if predictions is not None:
        tables.append(_csv(out_dir / "predictions.csv", predictions))
    figures.sort()
    html = graph_page(
        title=title,
        question=question,
        facts=facts or {},
        graph=graph,
        possible=possible,
        totals=totals,
        images=list(pictures.items()),
        interactions=interactions,
        interaction_images={outcome: pair[0] for outcome, pair in maps.items()},
        predictions=predictions,
        files=[path.relative_to(out_dir).as_posix() for path in (*graphs, *tables, *figures)],
        level=level,
    )
    page = write_durably(out_dir / "index.html", html.encode("utf-8"), flush=False)
    return GraphReportPaths(page, graphs, tuple(tables), tuple(figures))


def _csv(path: Path, frame: pd.DataFrame) -> Path:
    return write_durably(path, frame.to_csv(index=False, lineterminator="\n").encode(), flush=False)
