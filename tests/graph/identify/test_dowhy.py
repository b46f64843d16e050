"""DoWhy as an oracle, where it works with the versions of today: its ID without unobserved causes, estimator, refuters."""

import contextlib
import io

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalablate.graph.identify import CausalGraph, identify, setting_effect
from causalablate.graph.identify.estimand import P, Product, Sum, evaluate
from tests.graph.identify.discrete import Discrete

pytestmark = pytest.mark.filterwarnings("ignore")
SCALED = CausalGraph.parse("batch -> lr -> loss; batch -> loss")


def theirs(graph, x, y):
    """What DoWhy's ID algorithm says, in terms of ours."""
    from dowhy.causal_identifier.id_identifier import IDExpression, identify_effect_id

    def read(part):
        if not isinstance(part, IDExpression):
            return P(tuple(part["outcome_vars"]), tuple(part["condition_vars"]))
        product = Product(tuple(map(read, part.get_val("prod"))))
        return Sum(over, product) if (over := tuple(part.get_val("sum"))) else product

    arrows = nx.DiGraph(list(graph.directed))
    arrows.add_nodes_from(graph.nodes)
    return read(identify_effect_id(arrows, x, y))


@pytest.mark.parametrize("seed", range(6))
def test_its_id_algorithm_gives_the_same_probabilities(seed):
    rng = np.random.default_rng(seed)
    nodes = "abcxy"
    pairs = [(p, q) for i, p in enumerate(nodes) for q in nodes[i + 1 :] if rng.random() < 0.6]
    graph = CausalGraph.parse(
        "; ".join(f"{p} -> {q}" for p, q in sorted({*pairs, ("a", "x"), ("x", "y"), ("b", "y"), ("c", "y")}))
    )
    joint = Discrete(graph, seed).joint()
    mine, known = (
        dict([evaluate(estimand, graph.nodes, joint)])
        for estimand in (identify(graph, "x", "y").estimand, theirs(graph, ["x"], ["y"]))
    )
    (kept, values), (of, whole) = *mine.items(), *known.items()
    # Theirs may name nodes on which it does not depend; they have the same value everywhere.
    extra = tuple(of.index(n) for n in of if n not in kept)
    assert all(np.ptp(whole, axis=axis).max() < 1e-12 for axis in extra)
    np.testing.assert_allclose(values, whole.mean(axis=extra), atol=1e-12)


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    batch = rng.choice([5.0, 6.0, 7.0, 8.0], 150)
    lr = 0.9 * batch + rng.normal(0, 0.6, 150)
    return pd.DataFrame({"batch": batch, "lr": lr, "loss": 4 + 0.3 * lr - 0.5 * batch + rng.normal(0, 0.2, 150)})


@pytest.fixture(scope="module")
def estimated(runs):
    """DoWhy's linear regression on the back-door set that is found here."""
    from dowhy.causal_estimators.linear_regression_estimator import LinearRegressionEstimator
    from dowhy.causal_identifier.identified_estimand import IdentifiedEstimand

    found = setting_effect(runs, SCALED, "lr", "loss", draws=20)
    estimand = IdentifiedEstimand(
        None, ["lr"], ["loss"], estimand_type="nonparametric-ate", estimands={"backdoor": {"estimand": None}},
        backdoor_variables={"backdoor": list(found.plan.given)}, default_backdoor_id="backdoor",
        identifier_method="backdoor",
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        estimator = LinearRegressionEstimator(estimand).fit(runs)
        return found, estimand, estimator.estimate_effect(runs, treatment_value=1, control_value=0)


def test_its_regression_gives_the_same_effect(estimated):
    found, _, estimate = estimated
    assert found.effect == pytest.approx(estimate.value)


def test_its_refuters_come_to_the_same(runs, estimated):
    from dowhy.causal_refuters.placebo_treatment_refuter import refute_placebo_treatment
    from dowhy.causal_refuters.random_common_cause import refute_random_common_cause

    found, estimand, estimate = estimated
    mine = found.refutations.set_index("check")["passed"]
    common = {"num_simulations": 20, "random_state": 0, "n_jobs": 1}
    noise = refute_random_common_cause(runs, estimand, estimate, **common)
    placebo = refute_placebo_treatment(runs, estimand, estimate, placebo_type="permute", **common)
    assert mine["random common cause"] and noise.new_effect == pytest.approx(found.effect, abs=0.01)
    assert mine["placebo treatment"] and abs(placebo.new_effect) < 0.1 * found.effect
