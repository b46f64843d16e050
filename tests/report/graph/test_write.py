"""The page and everything beside it."""

import dataclasses
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from causalablate.errors import LedgerError
from causalablate.graph import ComponentGraph, Edge
from causalablate.graph.export import read_graph
from causalablate.report.graph import write_graph_report


@pytest.fixture
def predictions():
    return pd.DataFrame({"method": ["graph", "additive"], "R2": [0.91234, 0.4], "ci_low": [0.8, float("nan")]})


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href", "xlink:href")]


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))


def test_everything_is_written(graph, found, interactions, predictions, tmp_path):
    paths = write_graph_report(
        tmp_path, graph, found, interactions=interactions, predictions=predictions, facts={"model": "shipped"}
    )
    assert {p.relative_to(tmp_path).as_posix() for p in paths.all} == {
        "index.html", "graph.json", "graph.graphml", "graph.dot", "graph.gml", "possible.json", "edges.csv",
        "total_effects.csv", "interactions.csv", "predictions.csv",
        *(f"figures/{name}.{kind}" for kind in ("png", "svg")
          for name in ("graph", "direct_effects", "total_effects", "interactions_correct")),
    }  # fmt: skip
    assert all(p.stat().st_size for p in paths.all)
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == set(paths.all)
    assert read_graph(paths.graphs[0]) == graph  # No NaN in it
    assert list(pd.read_csv(tmp_path / "edges.csv")["weight"]) == [e.weight for e in graph.edges]


def test_the_page_holds_what_hover_shows(graph, found, tmp_path):
    page = write_graph_report(tmp_path, graph, found).page.read_text()
    data = data_of(page)
    edges = {e["title"]: dict(e["rows"]) for e in data["edges"]}
    assert len(edges) == 6 and data["edges"][-1]["title"] == "lm.b#2 → answer_logprob"  # The largest on top
    top = edges["lm.b#2 → answer_logprob"]
    assert (top["direct effect"], top["interval"], top["p"]) == ("−2.00 nats", "[−2.50, −1.50]", "< 0.001")
    assert edges["lm.b#1 → answer_logprob"]["woken by"] == "lm.b#2=mean"
    assert edges["lm.b#1 → answer_logprob"]["stability"] == "found in 75 % of resamples"
    assert "interval" not in edges["idle → lm.b#1"]
    nodes = {n["title"]: dict(n["rows"]) for n in data["nodes"]}
    assert nodes["lm.b#1"]["total effect on log-probability of the true answer"].startswith("−10.0 nats [")
    assert nodes["idle"]["note"] == "never fires: nothing moves"
    assert [data["edges"][i]["title"] for i in data["order"]][:2] == [
        "lm.b#2 → answer_logprob", "lm.b#1 → answer_logprob"
    ]  # fmt: skip
    assert page.count('class="edge ') == 6 and page.count('class="node') == 6


def test_sections_are_there_only_with_something_to_show(graph, found, possible, interactions, predictions, tmp_path):
    bare = write_graph_report(tmp_path / "bare", possible).page.read_text()
    full = write_graph_report(
        tmp_path / "full", graph, found, interactions=interactions, predictions=predictions
    ).page.read_text()
    for section in ("matrices", "interactions", "predictions"):
        assert f'id="{section}"' not in bare and f'id="{section}"' in full
    assert "0.912" in full and "Strongest redundancy: a x c" in full
    assert bare.count("data:image/png") == 0 and full.count("data:image/png") == 3


def test_nothing_is_fetched_and_names_stay_text(graph, tmp_path):
    evil = '</script><img src=http://x onerror="alert(1)">'
    hostile = ComponentGraph((evil, "y"), (Edge(evil, "y", "direct", 1.0, 0.5, 1.5),), ("y",), {evil: evil})
    page = write_graph_report(tmp_path, hostile, title=evil, question=evil).page.read_text()
    assert "<img src=http" not in page and data_of(page)["nodes"][0]["title"] == evil
    links = Links()
    links.feed(page)
    assert links.found and all(link.startswith(("data:", "#", "graph.", "edges.", "figures/")) for link in links.found)
    assert "default-src 'none'" in page


def test_the_same_numbers_give_the_same_bytes(graph, found, interactions, tmp_path):
    one, two = (write_graph_report(tmp_path / name, graph, found, interactions=interactions) for name in ("one", "two"))
    assert [p.read_bytes() for p in one.all] == [p.read_bytes() for p in two.all]


@pytest.mark.filterwarnings("error")
def test_graphs_without_edges_outcomes_or_intervals(found, tmp_path):
    write_graph_report(tmp_path / "a", ComponentGraph(("alone",)))
    once = dataclasses.replace(
        found, direct=found.direct[..., :1], total=found.total[..., :1], example=("u",), cluster=("u",)
    )
    page = write_graph_report(tmp_path / "b", dataclasses.replace(found.graph, edges=()), once).page.read_text()
    assert "5 components, 0 edges on the 6 ways" in page


def test_of_very_many_lines_the_thinnest_are_hidden_at_first(graph, tmp_path):
    order = [f"n{i}" for i in range(25)]
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    many = ComponentGraph(tuple(order), tuple(Edge(*p, "direct", i / 300) for i, p in enumerate(pairs, start=1)))
    page = write_graph_report(tmp_path / "many", many).page.read_text()
    start = int(re.search(r'id="least".*?value="(\d+)"', page).group(1))
    assert sum(edge["share"] >= start / 100 for edge in data_of(page)["edges"]) in range(190, 201)
    few = write_graph_report(tmp_path / "few", graph).page.read_text()
    assert 'id="least" type="range" min="0" max="100" value="0"' in few


def test_a_directory_that_cannot_be_written_is_told(graph, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="a part of the path is a file"):
        write_graph_report(tmp_path / "file" / "out", graph)


def test_many_edges_are_cut_in_the_table_only(tmp_path):
    order = [f"n{i}" for i in range(27)]
    wide = ComponentGraph.of_pairs(order, [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]])
    paths = write_graph_report(tmp_path, wide)
    page = paths.page.read_text()
    table = re.search(r'id="edge-table">(.*?)</table>', page, re.S).group(1)
    assert table.count("<tr>") == 1 + min(len(wide.edges), 300) and page.count('class="edge ') == len(wide.edges)
    assert len(pd.read_csv(tmp_path / "edges.csv")) == len(wide.edges)
