from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from torch import nn

import causalablate as ca
from causalablate.errors import GraphError
from causalablate.graph import ComponentGraph
from causalablate.graph.twin_regression import twin_regression
from causalablate.graph.twins import Twins, twins
from tests.graph.planted import Instrument, fdp_and_power, inner, plant, random_dag, with_backup

OFF = {"off": "zero", "outcomes": ["logit_difference"]}


@pytest.mark.parametrize(("p", "seed"), [(10, 0), (10, 1), (20, 2), (40, 3)])
def test_planted_graphs_are_recovered_exactly(p, seed):
    planted = plant(random_dag(p, seed=seed), 200, seed)
    found = twin_regression(twins(planted.model, planted.examples, "x*", **OFF))
    assert inner(found.graph) == planted.edges
    slopes = found.table[found.table["target"] != "logit_difference"]
    true = [planted.weight[int(a[1:]), int(b[1:])] for a, b in zip(slopes["source"], slopes["target"], strict=True)]
    np.testing.assert_allclose(slopes["weight"], true, atol=1e-4)
    left = found.residual.set_index("target")["residual"]
    assert (left[sorted({target for _, target in planted.edges})] < 1e-8).all()
    assert left[[f"x{j}" for j in range(p) if not planted.weight[:, j].any()]].isna().all()


@pytest.mark.parametrize(("p", "seed"), [(10, 0), (20, 1)])
def test_backups_are_recovered_from_contexts(p, seed):
    planted = with_backup(p, 200, seed)
    primary = f"x{int(planted.spare[1:]) - 1}"
    alone = twins(planted.model, planted.examples, "x*", **OFF)
    others = [
        twins(planted.model, planted.examples, "x*", context=ca.do(node, off="zero"), **OFF)
        for node in (primary, planted.spare)
    ]
    graph = twin_regression(alone, others).graph
    assert inner(graph) == planted.edges
    assert {(e.source, e.target) for e in graph.edges if e.context == f"{primary}=zero"} >= {
        pair for pair in planted.dormant if pair[0] == planted.spare
    }
    factual = twin_regression(alone)
    assert inner(factual.graph) < planted.edges
    assert "not known" in factual.graph.notes[planted.spare]


def test_backups_under_noise():
    rates = []
    for seed in range(4):
        planted = with_backup(10, 200, seed)
        lesions = (None, *(ca.do(f"x{int(planted.spare[1:]) - k}", off="zero") for k in (0, 1)))
        exact = [twins(planted.model, planted.examples, "x*", context=lesion, **OFF) for lesion in lesions]
        for draw in range(5):
            instrument = Instrument(planted, 0.1, [seed, draw])
            first, *others = map(instrument.twins, exact)
            rates.append(fdp_and_power(inner(twin_regression(first, others, exact=False).graph), planted.edges))
    false, power = np.mean(rates, axis=0)
    assert false <= 0.05 and power >= 0.9


@pytest.mark.parametrize(("p", "sigma", "draws"), [(10, 0.2, 8), (20, 0.1, 4)])
def test_under_noise_few_edges_are_false_and_few_are_missed(p, sigma, draws):
    rates, naive = [], []
    for seed in range(4):
        planted = plant(random_dag(p, seed=seed), 200, seed)
        exact = twins(planted.model, planted.examples, "x*", **OFF)
        for draw in range(draws):
            seen = Instrument(planted, sigma, [seed, draw]).twins(exact)
            rates.append(fdp_and_power(inner(twin_regression(seen, exact=False).graph), planted.edges))
            if draw == 0:
                naive.append(fdp_and_power(inner(twin_regression(seen).graph), planted.edges)[0])
    false, power = np.mean(rates, axis=0)
    assert false <= 0.05 and power >= 0.9
    assert np.mean(naive) > 0.2  # least squares takes noise in the regressors for effects of others


def test_intervals_cover_under_noise():
    planted = plant(random_dag(6, degree=2.5, seed=1), 200, 1)
    exact, covered = twins(planted.model, planted.examples, "x*", **OFF), []
    for draw in range(40):
        table = twin_regression(Instrument(planted, 0.2, draw).twins(exact), exact=False).table
        table = table[table["target"] != "logit_difference"]
        true = [planted.weight[int(a[1:]), int(b[1:])] for a, b in zip(table["source"], table["target"], strict=True)]
        covered.append(((table["ci_low"] <= true) & (true <= table["ci_high"])).mean())
    assert 0.92 <= np.mean(covered) <= 0.98


def arrays(n=60, seed=0):
    """Changes of a, b under lesions of a, b, and of y, which is 2 a - b and noise; examples share clusters in pairs."""
    rng = np.random.default_rng(seed)
    change = np.zeros((2, 3, n))
    change[0, 0], change[1, 1] = rng.normal(size=(2, n))
    change[0, 1] = 0.5 * change[0, 0]
    change[:, 2] = 2 * change[:, 0] - change[:, 1] + rng.normal(0, 0.3, (2, n))
    graph = ComponentGraph.of_pairs("aby", [("a", "b"), ("a", "y"), ("b", "y")], "y")
    ids = tuple(map(str, range(n)))
    return Twins(graph, ("a", "b"), ("a", "b", "y"), change, ids, tuple(str(i // 2) for i in range(n)))


def test_least_squares_is_that_of_statsmodels():
    found = arrays()
    x, y = found.change[:, :2].transpose(0, 2, 1).reshape(-1, 2), found.change[:, 2].ravel()
    cluster = np.tile(np.arange(60) // 2, 2)
    fit = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    result = twin_regression(found)
    rows = result.table[result.table["target"] == "y"]
    np.testing.assert_allclose(rows["weight"], fit.params)
    se = (rows["ci_high"] - rows["ci_low"]) / 2
    assert ((se / (fit.bse * np.sqrt(30 / 29))).between(1.96, 2.6)).all()  # t quantiles, with at most 29 degrees
    left = result.residual.set_index("target").loc["y", "residual"]
    assert left == pytest.approx(1 - fit.rsquared)


def test_what_moves_only_together_is_not_told_apart():
    found = arrays()
    change = found.change.copy()
    change[1] = 0  # b's own lesion does nothing, so b is always half of a
    result = twin_regression(replace(found, change=change))
    assert result.table[result.table["target"] == "y"]["weight"].isna().all()
    assert result.graph.pairs == {("a", "b")} and set(result.graph.notes) == {"a", "b"}
    assert result.residual.set_index("target").loc["y", "residual"] < 0.1


def test_the_residual_shows_what_is_not_linear():
    class Curved(nn.Module):
        def __init__(self, curve):
            super().__init__()
            self.curve, self.a, self.b = curve, nn.Identity(), nn.Identity()

        def forward(self, x):
            a = self.a(x[:, :1])
            b = self.b(x[:, 1:] + (a**2 if self.curve else a))
            return torch.cat((torch.zeros_like(b), b), 1)

    noise = torch.as_tensor(np.random.default_rng(0).normal(size=(40, 2)), dtype=torch.float32)
    left = []
    for curve in (False, True):
        model = ca.wrap(Curved(curve), {"a": "a", "b": "b"}, answers=["no", "yes"])
        found = twin_regression(twins(model, ca.tensors(noise, ["yes"] * 40), ["a", "b"], **OFF))
        left.append(found.residual.set_index("target").loc["b", "residual"])
    assert left[0] < 1e-10 and left[1] > 0.5


def test_vectors_change_by_their_mean(model, examples, reference):
    found = twins(model, examples[:4], ["passes.*", "lm.layers.*#2"], off="mean", reference=reference)
    assert found.sources == ("passes.coarse", "passes.fine", "lm.layers.0#2", "lm.layers.1#2")
    assert found.targets[-1] == "answer_logprob" and found.change.shape == (4, 5, 4)
    assert np.abs(found.change[1, 2:]).min() > 0 and not found.change[1, 0].any()
    result = twin_regression(found)
    assert set(result.residual["target"]) == set(found.targets)


def test_what_cannot_be_estimated_is_said():
    found = arrays()
    with pytest.raises(GraphError, match="without a sham"):
        twin_regression(found, exact=False)
    with pytest.raises(GraphError, match="other examples"):
        twin_regression(found, [replace(found, example=("a",))])
    with pytest.raises(GraphError, match="there are by, bh, holm"):
        twin_regression(found, correction="maxt")


def test_one_cluster_tells_slopes_but_not_how_surely():
    found = arrays()
    result = twin_regression(replace(found, cluster=("only",) * 60))
    assert result.table["weight"].notna().all() and result.table[["ci_low", "p", "p_bh"]].isna().all(axis=None)
    assert not result.table["found"].any()
