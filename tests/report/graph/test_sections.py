from pathlib import PurePosixPath

import pandas as pd
import pytest

from causalablate.errors import GraphError, LedgerError
from causalablate.report import Gallery, write_report
from causalablate.report.graph import write_graph_report, write_interactions
from causalablate.report.graph.sections import MOST_ROWS, interaction_section, sections_of
from causalablate.report.graph.tables import edge_cells, graph_findings, node_cells, total_frame
from tests.report.conftest import SMALL, counterfactual_table


@pytest.fixture(scope="module")
def predictions():
    limits = {"gain_low": [0.0, 0.125], "gain_high": [0.0, 0.375]}
    return pd.DataFrame({"method": ["additive", "graph"], "mae": [0.75, 0.5], "gain": [0.0, 0.25], **limits})


@pytest.fixture(scope="module")
def results(graph, found, interactions, predictions, tmp_path_factory):
    """A results directory with both folders."""
    out = tmp_path_factory.mktemp("results")
    write_graph_report(out / "graph", graph, found, predictions=predictions)
    write_interactions(out / "interactions", interactions)
    return out


def test_without_the_folders_there_are_no_sections(tmp_path):
    assert sections_of(tmp_path) == ()


def test_the_section_of_the_graph_says_what_its_own_page_says(results, graph, found, possible):
    section = sections_of(results)[0]
    totals = total_frame(found)
    mean = dict(zip(totals["node"], totals["effect"], strict=True))
    assert section.title == "Component graph"
    *others, predicted = section.findings
    assert others == graph_findings(graph, possible, mean)
    assert predicted.endswith(
        "off by 0.500 on average, additivity by 0.750; better by 0.250, interval of the gain [+0.125, +0.375]."
    )
    assert predicted in (results / "graph" / "index.html").read_text()
    assert section.tables[:2] == (edge_cells(graph), node_cells(graph, totals))
    assert section.tables[2].rows[1] == ["graph", "0.500", "0.250", "0.125", "0.375"]
    assert [path.name for _, path in section.images] == ["graph.png"]


def test_the_section_of_interactions_stands_on_the_correction_they_were_labelled_by(interactions, tmp_path):
    other = interactions.assign(p_bh=[0.5, 0.6, 0.7])
    other.attrs = {**interactions.attrs, "correction": "bh"}
    write_interactions(tmp_path / "interactions", other)
    section = interaction_section(tmp_path / "interactions")
    assert section.tables[0].header[3] == "p (Bh)" and section.tables[0].rows[0][3] == "0.60"
    assert section.findings[0] == "On accuracy, 3 interactions: 1 synergy, 1 redundancy, 1 independence."
    assert [path.name for _, path in section.images] == ["interactions_correct.png"]


def test_long_tables_are_cut_and_say_so(interactions, tmp_path):
    many = pd.concat([interactions.assign(interaction=f"{i} x " + interactions["interaction"]) for i in range(9)])
    many.attrs = interactions.attrs
    write_interactions(tmp_path / "interactions", many)
    (cells,) = interaction_section(tmp_path / "interactions").tables
    assert len(cells.rows) == MOST_ROWS and cells.title.endswith(f"the first {MOST_ROWS} of 27")


def test_the_page_shows_sections_with_figures_and_working_links(results, study):
    table = counterfactual_table({name: SMALL[name] for name in list(SMALL)[:2]}, 40, 0)
    keep = study.effects[study.effects["lesion"].isin(table.lesions)].reset_index(drop=True)
    arguments = {**study.arguments(), "table": table, "effects": keep, "gallery": Gallery()}
    sections = sections_of(results)
    page = write_report(results / "report", **arguments, sections=sections).page
    text = page.read_text()
    for section in sections:
        assert f'<a href="#{section.name}">' in text and f'<section id="{section.name}"' in text
        for _, address in section.links:
            assert f'href="{address}"' in text and (page.parent / PurePosixPath(address)).is_file()
    assert text.count('<figure><img src="data:image/png;base64,') == 2
    assert "Strongest synergy: a x b, +1.00 points" in text
    without = write_report(results / "report", **arguments).page.read_text()
    assert "component-graph" not in without and "<figure><img" not in without


def test_what_is_no_graph_or_table_is_refused_by_name(tmp_path):
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "graph.json").write_text("{}")
    with pytest.raises(GraphError):
        sections_of(tmp_path)
    (tmp_path / "graph" / "graph.json").unlink()
    (tmp_path / "interactions").mkdir()
    (tmp_path / "interactions" / "interactions.csv").write_text("a,b\n1,2\n")
    with pytest.raises(LedgerError, match=r"interactions\.csv has no column outcome"):
        sections_of(tmp_path)
