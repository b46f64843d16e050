"""Component graphs and interactions as pages, figures, tables and files."""

from causalablate.report.graph.figure import graph_figure
from causalablate.report.graph.interactions import InteractionPaths, write_interactions
from causalablate.report.graph.matrices import matrices, matrix_figure
from causalablate.report.graph.write import GraphReportPaths, write_graph_report

__all__ = [
    "GraphReportPaths",
    "InteractionPaths",
    "graph_figure",
    "matrices",
    "matrix_figure",
    "write_graph_report",
    "write_interactions",
]
