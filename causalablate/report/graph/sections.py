"""Sections of a study's report, from the folders `graph` and `interactions` of its results directory."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from causalablate.errors import LedgerError
from causalablate.graph.export import read_graph
from causalablate.report.figures.style import file_stem
from causalablate.report.graph.interactions import interaction_cells, interaction_findings
from causalablate.report.graph.tables import (
    edge_cells,
    graph_findings,
    node_cells,
    prediction_cells,
    prediction_findings,
)
from causalablate.report.section import Section
from causalablate.report.tables import Cells
from causalablate.report.words import outcome_words

GRAPH, INTERACTIONS = "graph", "interactions"
"""Folders of a results directory: where `causalablate graph` and `causalablate interactions` are told to write."""

MOST_ROWS = 20
"""Rows of a table; the files hold all."""


def sections_of(results: Path) -> tuple[Section, ...]:
    """What a results directory holds of graph and interactions, if anything.

    Args:
        results: The directory. `graph` in it is what `write_graph_report` wrote, `interactions` what
            `write_interactions` wrote.
    Raises:
        GraphError: The file of the graph holds something else.
        LedgerError: A table holds something else.
    """
    found = []
    if (results / GRAPH / "graph.json").is_file():
        found.append(graph_section(results / GRAPH))
    if (results / INTERACTIONS / "interactions.csv").is_file():
        found.append(interaction_section(results / INTERACTIONS))
    return tuple(found)


def graph_section(folder: Path) -> Section:
    """The component graph: picture, sentences, strongest edges, nodes, and how well held-out lesions were predicted."""
    graph = read_graph(folder / "graph.json")
    possible = folder / "possible.json"
    totals = _table(folder / "total_effects.csv", ["node", "outcome", "effect", "ci_low", "ci_high"])
    predictions = _table(folder / "predictions.csv", [])
    first = totals[totals["outcome"] == graph.outcomes[0]] if graph.outcomes else totals[:0]
    mean = {str(node): float(effect) for node, effect in zip(first["node"], first["effect"], strict=True)}
    sentences = graph_findings(graph, read_graph(possible) if possible.is_file() else None, mean)
    sentences += prediction_findings(predictions)
    tables = [_few(edge_cells(graph)), node_cells(graph, totals)]
    tables += [prediction_cells(predictions)] if len(predictions) else []
    picture = folder / "figures" / "graph.png"
    return Section(
        "component-graph",
        "Component graph",
        tuple(sentences),
        (("Who acts on whom", picture),) if picture.is_file() else (),
        tuple(tables),
        (("The graph with intervals on hover, matrices and files", f"../{folder.name}/index.html"),),
    )


def interaction_section(folder: Path) -> Section:
    """Interactions: a map of the pairs, sentences and the strongest, for every outcome."""
    effects = _table(folder / "interactions.csv", ["outcome", "group", "interaction", "order", "label", "correction"])
    effects.attrs = {"correction": str(effects["correction"].iloc[0])} if len(effects) else {}
    effects["aliases"] = effects["aliases"].fillna("")
    findings, images, tables = [], [], []
    for outcome in map(str, dict.fromkeys(effects["outcome"])):
        findings += interaction_findings(effects, outcome)
        tables.append(_few(interaction_cells(effects, outcome)))
        picture = folder / f"{file_stem('interactions', outcome)}.png"
        images += [(f"Interactions on {outcome_words(outcome).phrase}", picture)] if picture.is_file() else []
    links = (("All interactions, CSV at full precision", f"../{folder.name}/interactions.csv"),)
    return Section("component-interactions", "Interactions", tuple(findings), tuple(images), tuple(tables), links)


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    """A table, or one without rows where there is no file."""
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    try:
        found = pd.read_csv(path, dtype={"aliases": str})
    except (OSError, ValueError) as error:
        raise LedgerError(f"cannot read {path}: {error}; make it again, or move it away") from error
    if missing := [column for column in columns if column not in found]:
        raise LedgerError(f"{path} has no column {', '.join(missing)}; make it again, or move it away")
    return found


def _few(cells: Cells) -> Cells:
    if len(cells.rows) <= MOST_ROWS:
        return cells
    title = f"{cells.title}; the first {MOST_ROWS} of {len(cells.rows):,}"
    return replace(cells, title=title, rows=cells.rows[:MOST_ROWS], kinds=cells.kinds[:MOST_ROWS])
