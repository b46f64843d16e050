"""Every row of the table of methods keeps the promises of `discover`."""

import random
import sys

import numpy as np
import pandas as pd
import pytest

from causalablate.errors import GraphError
from causalablate.graph.discovery import METHODS, Knowledge, cpdag, discover
from causalablate.graph.discovery.missing import need
from causalablate.graph.score import adjacencies, edges, shd

STRICT = {"alpha": 0.001, "penalty": 3.0}
"""Rows of one example under several lesions share their noise, which methods take for so many independent rows."""
PACKAGES = {name: method.package for name, method in METHODS.items()}


@pytest.fixture(params=METHODS)
def method(request):
    pytest.importorskip(PACKAGES[request.param])
    return request.param


def test_it_finds_what_can_be_told(method, table, targets, truth):
    found = discover(table, method, targets=targets, **STRICT)
    assert found.method == method and found.nodes == truth.order and found.notes == ()
    assert found.kind == METHODS[method].kind
    assert adjacencies(found) == adjacencies(truth)
    if found.kind == "cpdag":
        assert shd(found, truth if METHODS[method].interventional else cpdag(truth)) == 0


def test_with_the_order_it_finds_the_graph(method, table, targets, truth):
    found = discover(table, method, targets=targets, knowledge=Knowledge.of_order(truth.order), **STRICT)
    if found.kind == "cpdag":
        assert found.graph().pairs == truth.pairs and found.graph().order == truth.order
    else:
        assert not any(link.at_source == "arrow" and link.at_target != "arrow" for link in found.links)


@pytest.mark.parametrize("seed", range(5))
def test_it_never_contradicts_what_is_known(method, table, targets, truth, seed):
    rng, pairs = np.random.default_rng(seed), [(a, b) for a in truth.order for b in truth.order if a != b]
    forbidden = {pairs[i] for i in rng.choice(len(pairs), 8, replace=False)}
    required = {next(p for p in pairs if p not in forbidden)}
    found = discover(table, method, targets=targets, knowledge=Knowledge(forbidden, required))
    assert not found.directed & forbidden and required <= found.directed
    for a, b in forbidden:
        assert (a, b) not in found.ends or found.ends[b, a] == "arrow"


def test_it_is_deterministic_and_leaves_the_random_numbers_alone(method, table, targets):
    random.seed(1)
    state, numpy_state = random.getstate(), np.random.get_state()[1].copy()
    first = discover(table, method, targets=targets, seed=3)
    assert random.getstate() == state and (np.random.get_state()[1] == numpy_state).all()
    random.seed(2)
    assert discover(table, method, targets=targets, seed=3) == first


def test_what_does_not_vary_is_reported_not_dropped(method, table, targets, truth):
    wider = table.assign(silent=1.5)
    found = discover(wider, method, targets=targets, knowledge=Knowledge({("silent", "x0")}))
    assert found.nodes == (*truth.order, "silent") and "silent does not vary" in found.notes[0]
    assert found.links == discover(table, method, targets=targets).links


def test_units_of_the_columns_do_not_matter(method, table, targets, truth):
    other = table * np.geomspace(1e-3, 1e3, len(truth.order)) + 7.0
    assert discover(other, method, targets=targets).links == discover(table, method, targets=targets).links


def test_it_prints_nothing(method, table, targets, truth, capfd):
    discover(table, method, targets=targets, knowledge=Knowledge.of_order(truth.order))
    assert capfd.readouterr() == ("", "")


def test_a_missing_package_is_named(method, table, targets, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGES[method], None)
    with pytest.raises(GraphError, match=rf"{method} needs the package {PACKAGES[method]}.*pip install"):
        discover(table, method, targets=targets)


def test_what_is_not_installed_is_said():
    with pytest.raises(GraphError, match=r"pip install 'causalablate\[discovery\]'"):
        need("no_such_package", "some method")


def test_observational_methods_use_the_rows_without_a_lesion(table, targets):
    factual = table[[not t for t in targets]]
    assert discover(table, "ges", targets=targets) == discover(factual, "ges")


def test_more_penalty_and_a_stricter_level_give_fewer_edges(table, targets):
    for name in ("ges", "boss", "grasp", "gies"):
        assert len(discover(table, name, targets=targets, penalty=1000).links) == 0
    weak = table[[not t for t in targets]].iloc[:60]
    counts = [len(discover(weak, name, alpha=alpha).links) for alpha in (1e-6, 0.2) for name in ("pc", "fci")]
    assert counts[0] < counts[2] and counts[1] < counts[3]


def test_a_pair_that_knowledge_parts_makes_no_collider():
    # a -> b -> c -> d: a and c are dependent; to part them beforehand must not make a -> b <- c.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 4))
    for j in range(1, 4):
        x[:, j] += x[:, j - 1]
    data = pd.DataFrame(x, columns=list("abcd"))
    parted = Knowledge({("a", "c"), ("c", "a"), ("b", "d"), ("d", "b")})
    assert {link.symbol for link in discover(data, "pc", knowledge=parted).links} == {"--"}
    known = parted & Knowledge({("b", "a")})
    assert edges(discover(data, "pc", knowledge=known)) == {("a", "b"), ("b", "c"), ("c", "d")}


def test_a_hidden_common_cause_is_one_for_fci_only():
    # a -> b <- h -> c <- d, h hidden: b <-> c.
    rng = np.random.default_rng(0)
    a, d, h = rng.normal(size=(3, 4000))
    b, c = a + 1.5 * h + 0.5 * rng.normal(size=4000), d + 1.5 * h + 0.5 * rng.normal(size=4000)
    data = pd.DataFrame({"a": a, "b": b, "c": c, "d": d})
    assert "b <-> c" in map(str, discover(data, "fci").links)
    known = Knowledge.of_order("abcd")
    assert "b <-> c" in map(str, discover(data, "fci", knowledge=known).links)
    assert "b <-> c" not in map(str, discover(data, "pc").links)


def test_gies_does_not_see_shifts_of_the_mean_and_jci_does():
    # With a standard normal donor in place of its own value, b varies as before: only means could tell b -> c.
    rng = np.random.default_rng(0)

    def rows(shift):
        b = rng.normal(size=1000) + shift
        return np.column_stack([b, b + rng.normal(size=1000)])

    data = pd.DataFrame(np.vstack([rows(0), rows(3)]), columns=["b", "c"])
    targets = [""] * 1000 + ["b"] * 1000
    assert discover(data, "jci-pc", targets=targets).frame.values.tolist() == [["b", "->", "c"]]
    shifted = discover(data, "gies", targets=targets)
    data.loc[1000:] -= 3
    assert discover(data, "gies", targets=targets) == shifted
