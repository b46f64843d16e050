import numpy as np
import pandas as pd
import pytest

from causalablate.errors import GraphError
from causalablate.graph.discovery import Knowledge, edge_frequencies
from causalablate.graph.discovery.frequencies import COLUMNS, _draws


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    a, c = rng.normal(size=(2, 300))
    b = a + c + rng.normal(size=300)
    return pd.DataFrame({"a": a, "b": b, "c": c, "d": rng.normal(size=300)})


def test_frequencies_of_a_collider(data):
    found = edge_frequencies(data, "ges", resamples=20)
    assert tuple(found.columns) == COLUMNS
    shares = found.set_index(["source", "target"])
    for cause in "ac":
        assert shares.loc[(cause, "b"), "adjacent"] == shares.loc[("b", cause), "adjacent"] == 1
        assert shares.loc[(cause, "b"), "directed"] > 0.6 > shares.loc[("b", cause), "directed"]
    assert (shares.drop(index=[("a", "b"), ("b", "a"), ("c", "b"), ("b", "c")])["adjacent"] < 0.6).all()
    either = shares["directed"] + shares["undirected"] + shares["bidirected"] + shares["circle"]
    back = shares["directed"].reindex([(b, a) for a, b in shares.index]).to_numpy()
    np.testing.assert_allclose(either + back, shares["adjacent"])


def test_the_seed_decides(data):
    few = data[:30]
    first = edge_frequencies(few, "ges", resamples=5, seed=1)
    pd.testing.assert_frame_equal(first, edge_frequencies(few, "ges", resamples=5, seed=1))
    assert not first.equals(edge_frequencies(few, "ges", resamples=5, seed=2))


def test_knowledge_holds_in_every_resample(data):
    found = edge_frequencies(data, "pc", resamples=5, knowledge=Knowledge.of_order("abcd"))
    assert (found[found["source"] > found["target"]]["directed"] == 0).all()
    assert (found["undirected"] == 0).all()


def test_rows_are_drawn_within_lesions_and_clusters_whole():
    off = [frozenset()] * 6 + [frozenset("a")] * 4
    for rows in _draws(off, None, 20, 0):
        assert (rows < 6).sum() == 6 and (rows >= 6).sum() == 4
    clusters = ["x", "y", "y", "z"] * 2
    drawn = list(_draws([frozenset()] * 8, clusters, 20, 0))
    assert len({tuple(rows) for rows in drawn}) > 5
    for rows in drawn:
        times = np.bincount(rows, minlength=8)
        assert times[0] == times[4] and times[1] == times[2] == times[5] == times[6] and times[3] == times[7]
        assert times[0] + times[1] + times[3] == 3


def test_targets_follow_their_rows(data):
    lesioned = data.assign(a=np.random.default_rng(1).normal(size=300) * 3)
    lesioned["b"] = lesioned["a"] + lesioned["c"]
    both, targets = pd.concat([data, lesioned], ignore_index=True), [""] * 300 + ["a"] * 300
    found = edge_frequencies(both, "gies", targets=targets, clusters=[*range(300)] * 2, resamples=5)
    assert found.set_index(["source", "target"]).loc[("a", "b"), "directed"] == 1


def test_a_progress_bar(data, capsys):
    edge_frequencies(data, "ges", resamples=2, quiet=False)
    assert "ges on resamples" in capsys.readouterr().err


def test_what_is_refused(data):
    with pytest.raises(GraphError, match="resamples is 0"):
        edge_frequencies(data, "pc", resamples=0)
    with pytest.raises(GraphError, match="2 clusters for 300 rows"):
        edge_frequencies(data, "pc", clusters=["a", "b"])
