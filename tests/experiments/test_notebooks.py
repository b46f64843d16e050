"""Every notebook runs from top to bottom, as in a fresh kernel, and ends with what it promises."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "experiments" / "notebooks").glob("*.ipynb"))


def shows_population_effects(cells):
    last = cells[-1].outputs[0].data["text/plain"]
    return "no fine pass" in last and ("undecided" in last or "effect" in last)


def shows_the_graph(cells):
    said = "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))
    return "ways that data can take" in said and "image/png" in cells[-1].outputs[0].data


PROMISED = {"component_graph.ipynb": (11, shows_the_graph), "counterfactuals.ipynb": (10, shows_population_effects)}


def test_there_are_notebooks():
    assert [n.name for n in NOTEBOOKS] == list(PROMISED)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_it_runs(path):
    notebook = nbformat.read(path, as_version=4)
    count, shows = PROMISED[path.name]
    assert len(notebook.cells) == count
    assert not any(cell.get("outputs") for cell in notebook.cells), "commit notebooks without outputs"
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    assert shows(notebook.cells)
