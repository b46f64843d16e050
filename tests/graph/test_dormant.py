import numpy as np
import pandas as pd
import pytest

import causalablate as ca
from causalablate.graph import transfer
from causalablate.graph.dormant import contexts_of, dormant_edges, pair_excess
from causalablate.graph.edges import component_graph, edge_table
from tests.graph.planted import Instrument, fdp_and_power, inner, with_backup

OFF = {"off": "zero", "outcomes": ["logit_difference"]}


@pytest.mark.parametrize(("p", "n", "seed"), [(9, 30, 0), (9, 30, 1), (13, 60, 2)])
def test_planted_backups_are_found_and_called_dormant(p, n, seed):
    planted = with_backup(p, n, seed)
    graph = dormant_edges(planted.model, planted.examples, "x*", **OFF)  # 13 nodes: contexts from pairs of lesions
    assert inner(graph) == planted.edges
    primary = f"x{int(planted.spare[1:]) - 1}"
    dormant = {(e.source, e.target): e.context for e in graph.edges if e.kind == "dormant"}
    assert dormant == dict.fromkeys(planted.dormant, f"{primary}=zero")
    assert graph.notes[planted.spare].endswith(f"under {primary}=zero it does")


def test_the_factual_run_alone_misses_them():
    planted = with_backup(9, 30, 1)
    graph = component_graph(transfer(planted.model, planted.examples, "x*", totals=False, **OFF))
    assert inner(graph) == planted.edges - planted.dormant
    assert "never fires" in graph.notes[planted.spare]


def test_contexts_may_be_given():
    planted = with_backup(9, 30, 1)
    primary = f"x{int(planted.spare[1:]) - 1}"
    other = next(f"x{j}" for j in range(9) if f"x{j}" not in (primary, planted.spare))
    awake = [ca.do(other, off="zero"), ca.do(primary, off="zero")]
    assert inner(dormant_edges(planted.model, planted.examples, "x*", awake, **OFF)) == planted.edges
    asleep = dormant_edges(planted.model, planted.examples, "x*", awake[:1], **OFF)
    assert inner(asleep) == planted.edges - planted.dormant


def test_under_noise_with_contexts():
    planted = with_backup(9, 200, 3)
    primary = f"x{int(planted.spare[1:]) - 1}"
    lesions = (None, ca.do(primary, off="zero"), ca.do(planted.spare, off="zero"))
    found = [transfer(planted.model, planted.examples, "x*", context=c, totals=False, **OFF) for c in lesions]
    rates = []
    for draw in range(12):
        instrument = Instrument(planted, 0.1, draw)
        graph = component_graph(*_seen(instrument, found), exact=False, resamples=0)
        rates.append(fdp_and_power(inner(graph), planted.edges))
    false, power = np.mean(rates, axis=0)
    assert false <= 0.05 and power >= 0.9


def _seen(instrument, found):
    first, *contexts = map(instrument.transfer, found)
    return first, contexts


def test_stability_of_tested_edges_counts_contexts():
    planted = with_backup(9, 40, 3)
    found = [
        transfer(planted.model, planted.examples, "x*", context=c, totals=False, **OFF)
        for c in (None, ca.do("x0", off="zero"))
    ]
    table = edge_table(found[0], found[1:], sesoi=0.2, resamples=50)
    assert set(table["context"]) == {"", "x0=zero"} and table["stability"].between(0, 1).all()
    assert table.loc[table["found"], "stability"].mean() > 0.8 > 0.1 > table.loc[~table["found"], "stability"].mean()


def test_pairs_that_exceed_the_sum_by_hand():
    planted = with_backup(9, 30, 1)
    pairs = pair_excess(planted.model, planted.examples, "x*", off="zero", outcome="logit_difference")
    primary = f"x{int(planted.spare[1:]) - 1}"
    assert len(pairs) == 9 * 8 / 2 and tuple(pairs.loc[0, ["first", "second"]]) == (primary, planted.spare)
    lesions = {"a": ca.do(primary, off="zero"), "b": ca.do(planted.spare, off="zero")}
    lesions["ab"] = lesions["a"] & lesions["b"]
    run = ca.counterfactuals(planted.model, planted.examples, lesions, outcomes=["logit_difference"]).frame
    effect = {name: rows["effect"].to_numpy(float) for name, rows in run.groupby("lesion")}
    excess = np.abs(effect["ab"]) - np.abs(effect["a"] + effect["b"])
    assert pairs.loc[0, "excess"] == pytest.approx(excess.mean(), rel=1e-5)
    assert pairs.loc[0, "joint"] == pytest.approx(effect["ab"].mean(), rel=1e-5)


def test_contexts_come_from_sure_pairs_the_strongest_first():
    pairs = pd.DataFrame(
        {
            "first": ["a", "c", "a", "e"],
            "second": ["b", "d", "c", "f"],
            "excess": [2.0, 1.0, 0.5, -1.0],
            "p_bh": [0.01, 0.2, 0.001, 0.001],
        }
    )
    assert contexts_of(pairs) == ("a", "b", "c")
    assert contexts_of(pairs, most=1) == ("a",)


def test_one_node_has_no_pairs():
    planted = with_backup(9, 10, 1)
    assert pair_excess(planted.model, planted.examples, ["x1"], off="zero", outcome="logit_difference").empty
