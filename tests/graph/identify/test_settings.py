import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from causalablate.errors import GraphError
from causalablate.graph.identify.causal_graph import CausalGraph
from causalablate.graph.identify.independences import independences
from causalablate.graph.identify.linear import Plan
from causalablate.graph.identify.settings import effects_of_settings, setting_effect

parse = CausalGraph.parse
SCALED = parse("batch -> lr -> loss; batch -> loss; data -> loss")


def runs_of(n=120, seed=0):
    """Runs in which the learning rate was raised with the batch: it adds 0.3 to the loss, the batch takes 0.5 away."""
    rng = np.random.default_rng(seed)
    batch = rng.choice([5.0, 6, 7, 8], n)
    lr = 0.9 * batch + rng.normal(0, 0.6, n)
    data = rng.choice(["web", "books"], n)
    loss = 4 + 0.3 * lr - 0.5 * batch + 0.4 * (data == "web") + rng.normal(0, 0.2, n)
    return pd.DataFrame({"batch": batch, "lr": lr, "data": data, "loss": loss})


def test_what_was_changed_with_it_is_adjusted_for():
    runs = runs_of()
    found = setting_effect(runs, SCALED, "lr", "loss", draws=20)
    assert found.verdict == "identified" and found.plan == Plan("back-door", ("batch",))
    assert found.ci_low < 0.3 < found.ci_high and found.naive < 0, "without adjustment even the sign is wrong"
    expected = smf.ols("loss ~ lr + batch", runs).fit(cov_type="HC3", use_t=True)
    assert found.effect == pytest.approx(expected.params["lr"]) and found.se == pytest.approx(expected.bse["lr"])
    assert [found.ci_low, found.ci_high] == pytest.approx(expected.conf_int().loc["lr"].tolist())
    assert found.p == pytest.approx(expected.pvalues["lr"])
    assert found.overlap == pytest.approx(1 - smf.ols("lr ~ batch", runs).fit().rsquared, rel=0.1)
    assert found.n_runs == found.n_clusters == 120 and "adjusted for batch" in found.reason
    assert found.refutations["passed"].all()


def test_categories_and_missing_values():
    runs = runs_of()
    runs.loc[:9, "data"] = None
    graph = parse("data -> lr -> loss; data -> loss; batch -> lr; batch -> loss")
    found = setting_effect(runs, graph, "lr", "loss", draws=5)
    expected = smf.ols("loss ~ lr + batch + data", runs.dropna()).fit(cov_type="HC3")
    assert found.n_runs == 110 and set(found.plan.given) == {"batch", "data"}
    assert found.effect == pytest.approx(expected.params["lr"]) and found.se == pytest.approx(expected.bse["lr"])


def test_runs_that_belong_together_count_once():
    runs = runs_of(40)
    four = pd.concat([runs.assign(sweep=np.arange(40))] * 4, ignore_index=True)
    once = setting_effect(runs, SCALED, "lr", "loss", draws=5)
    naive = setting_effect(four, SCALED, "lr", "loss", draws=5)
    clustered = setting_effect(four, SCALED, "lr", "loss", cluster="sweep", draws=5)
    assert clustered.n_clusters == 40 and clustered.effect == pytest.approx(once.effect)
    assert clustered.se == pytest.approx(once.se, rel=0.1) and naive.se < 0.6 * once.se


@pytest.mark.parametrize(
    ("follow", "problem"),
    [
        (lambda batch: 0.01 * batch, "lr follows from batch by a straight line"),
        (lambda batch: (batch - 6.5) ** 2 + 0.1 * batch, "lr is one and the same wherever runs agree in batch"),
    ],
)
def test_settings_that_always_change_together_are_not_told_apart(follow, problem):
    runs = runs_of()
    runs["lr"] = follow(runs["batch"])
    found = setting_effect(runs, SCALED, "lr", "loss")
    assert found.identification.identified and found.verdict == "no overlap" and found.reason == problem
    assert np.isnan(found.effect) and found.plan is None and found.refutations.empty


def test_a_curve_through_settings_that_never_repeat_is_seen():
    rng = np.random.default_rng(0)
    runs = runs_of()
    runs["batch"] = rng.uniform(5, 8, len(runs))
    runs["lr"] = np.abs(runs["batch"] - 6.5)
    assert setting_effect(runs, SCALED, "lr", "loss").reason == "lr follows from batch by a curve"


def test_changed_together_although_the_graph_does_not_know():
    runs = runs_of()
    runs["lr"] = 2 * runs["batch"]
    found = setting_effect(runs, parse("lr -> loss; batch -> loss"), "lr", "loss")
    assert found.verdict == "no overlap" and "batch acts on loss too" in found.reason
    runs = runs_of()
    loose = setting_effect(runs, parse("lr -> loss; batch -> loss"), "lr", "loss", draws=5)
    checks = loose.refutations.set_index("check")["passed"]
    assert loose.verdict == "identified" and not checks["independent of batch"]
    assert "independent of batch" in loose.row()["failed"]


def test_another_set_is_taken_where_the_first_has_no_overlap():
    rng = np.random.default_rng(0)
    budget = rng.normal(size=200)
    size = budget + rng.normal(size=200)
    runs = pd.DataFrame({"budget": budget, "size": size, "lr": 3 * budget, "loss": size + rng.normal(size=200)})
    runs["lr"] += 1e-6 * rng.normal(size=200)
    graph = parse("budget -> lr -> loss; budget -> size -> loss")
    assert setting_effect(runs, graph, "lr", "loss", draws=5).plan == Plan("back-door", ("size",))


def test_a_setting_never_changed_and_too_few_runs():
    assert setting_effect(runs_of().assign(lr=0.1), SCALED, "lr", "loss").reason == "lr is 0.1 in every run"
    assert "too few" in setting_effect(runs_of(3), SCALED, "lr", "loss").reason
    graph = parse("data -> lr -> loss; data -> loss")
    runs = runs_of(6).assign(data=list("abcdef"))
    assert "at least 9 are needed" in setting_effect(runs, graph, "lr", "loss").reason


def test_unobserved_causes():
    graph = parse("skill -> lr -> loss; skill -> loss")
    found = setting_effect(runs_of(), graph, "lr", "loss")
    assert found.verdict == "not identified" and "a hedge" in found.reason and np.isnan(found.effect)
    other = setting_effect(runs_of(), parse("loss -> lr; batch -> loss"), "lr", "loss")
    assert other.verdict == "no path" and np.isnan(other.effect)


def test_the_front_door():
    rng = np.random.default_rng(1)
    estimates, errors = [], []
    for _ in range(60):
        skill = rng.normal(size=150)
        lr = skill + rng.normal(size=150)
        steps, noise = 0.8 * lr + rng.normal(size=150), -0.4 * lr + rng.normal(size=150)
        loss = 0.5 * steps + noise + skill + rng.normal(size=150)
        runs = pd.DataFrame({"lr": lr, "steps": steps, "noise": noise, "loss": loss})
        graph = parse("lr -> steps -> loss; lr -> noise -> loss; lr <-> loss")
        found = setting_effect(runs, graph, "lr", "loss", draws=2)
        estimates.append(found.effect)
        errors.append(found.se)
    assert found.plan == Plan("front-door", (), ("steps", "noise")) and found.verdict == "identified"
    assert np.mean(estimates) == pytest.approx(0.0, abs=0.05), "0.8 * 0.5 - 0.4"
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.25)
    assert found.naive > 0.3
    assert found.refutations.set_index("check")["passed"]["placebo treatment"]


def test_an_instrument():
    rng = np.random.default_rng(1)
    skill, machine, queue = rng.normal(size=(3, 400))
    lr = machine + skill + queue + rng.normal(size=400)
    runs = pd.DataFrame({"machine": machine + queue, "queue": queue, "lr": lr})
    runs["loss"] = 0.5 * lr + 2 * skill + queue + rng.normal(size=400)
    graph = parse("queue -> machine -> lr -> loss; queue -> lr; queue -> loss; lr <-> loss")
    found = setting_effect(runs, graph, "lr", "loss", draws=20)
    assert found.verdict == "identified if linear" and found.plan == Plan("instrument", ("queue",), ("machine",))
    up, down = (smf.ols(f"{y} ~ machine + queue", runs).fit().params["machine"] for y in ("loss", "lr"))
    assert found.effect == pytest.approx(up / down) and found.ci_low < 0.5 < found.ci_high
    assert not found.ci_low < found.naive < found.ci_high
    weak = setting_effect(runs.assign(machine=rng.normal(size=400)), graph, "lr", "loss")
    assert weak.verdict == "not identified" and "too weak" in weak.reason and "a hedge" in weak.reason


def test_a_formula_without_a_regression():
    rng = np.random.default_rng(0)
    runs = pd.DataFrame(rng.normal(size=(50, 4)), columns=["w", "r", "x", "y"])
    found = setting_effect(runs, parse("w -> r -> x -> y; w <-> x; w <-> y"), "x", "y")
    assert found.verdict == "identified" and "not estimated" in found.reason and np.isnan(found.effect)


def test_a_bent_effect_is_refuted_as_a_straight_line():
    runs = runs_of()
    assert setting_effect(runs, SCALED, "lr", "loss", draws=5).refutations["passed"].all()
    runs["loss"] += 0.3 * (runs["lr"] - runs["lr"].mean()) ** 2
    checks = setting_effect(runs, SCALED, "lr", "loss", draws=5).refutations.set_index("check")["passed"]
    assert not checks["straight line"]


def test_one_run_that_makes_the_effect_is_seen_in_subsets():
    runs = runs_of(seed=3)
    found = setting_effect(runs, SCALED, "lr", "loss", draws=100)
    runs.loc[0, ["lr", "loss"]] = 60, 300
    shaken = setting_effect(runs, SCALED, "lr", "loss", draws=100)
    width = [f.refutations.set_index("check").loc["subset of runs", ["low", "high"]] for f in (found, shaken)]
    assert width[1]["high"] - width[1]["low"] > 10 * (width[0]["high"] - width[0]["low"])


def test_draws_follow_the_seed():
    tables = [setting_effect(runs_of(), SCALED, "lr", "loss", draws=10, seed=s).refutations for s in (0, 0, 1)]
    assert tables[0].equals(tables[1]) and not tables[0].equals(tables[2])


def test_all_settings():
    runs = runs_of().assign(warmup=lambda r: 2 * r["lr"])
    graph = parse("batch -> lr -> loss; batch -> loss; data -> loss; lr -> warmup -> loss")
    table = effects_of_settings(runs, graph, ["batch", "lr", "warmup"], ["loss"], draws=5).set_index("treatment")
    assert table["verdict"].to_dict() == {"batch": "identified", "lr": "identified", "warmup": "no overlap"}
    assert table.loc["batch", "effect"] == pytest.approx(0.9 * 0.3 - 0.5, abs=0.1), (
        "the learning rate follows the batch"
    )
    assert table.loc["lr", "p_holm"] >= table.loc["lr", "p"] and np.isnan(table.loc["warmup", "p_holm"])


def test_independences():
    runs = runs_of(400).assign(size=0.0)
    runs["size"] = np.random.default_rng(5).normal(size=400)
    right = independences(runs, parse("batch -> lr -> loss; batch -> loss; size -> loss; data -> loss"))
    assert set(zip(right["x"], right["y"], strict=True)) == {("batch", "size"), ("lr", "size")}
    assert (right["p_holm"] > 0.05).all()
    wrong = independences(runs, parse("batch -> loss; lr -> loss; size -> loss")).set_index(["x", "y"])
    assert wrong.loc[("batch", "lr"), "p_holm"] < 1e-6 and wrong.loc[("batch", "lr"), "given"] == ""
    expected = np.corrcoef(runs["batch"], runs["lr"])[0, 1]
    assert wrong.loc[("batch", "lr"), "correlation"] == pytest.approx(expected)
    assert independences(runs, parse("batch -> lr")).empty


def test_unfit_tables():
    runs = runs_of()
    with pytest.raises(GraphError, match="no node of the graph is a column"):
        setting_effect(runs, parse("a -> b"), "a", "b")
    with pytest.raises(GraphError, match="not numbers"):
        setting_effect(runs, SCALED, "data", "loss")
    with pytest.raises(GraphError, match=r'no node "lrr" in the graph.*did you mean lr'):
        setting_effect(runs, SCALED, "lrr", "loss")
    with pytest.raises(GraphError, match='no column "warm"'):
        setting_effect(runs, parse("warm -> lr -> loss"), "warm", "loss")
    with pytest.raises(GraphError, match="infinite"):
        setting_effect(runs.assign(lr=np.inf), SCALED, "lr", "loss")
    with pytest.raises(GraphError, match="to cluster by"):
        setting_effect(runs, SCALED, "lr", "loss", cluster="sweep")
    with pytest.raises(GraphError, match="both treatment and outcome"):
        setting_effect(runs, SCALED, "lr", "lr")


def test_three_settings_changed_together():
    graph = parse("batch -> lr; data -> lr; batch -> loss; data -> loss; lr -> loss")
    runs = runs_of()
    runs["lr"] = (runs["batch"] - 6.2) ** 2 * np.where(runs["data"] == "web", 1, 2)
    found = setting_effect(runs, graph, "lr", "loss")
    assert (
        found.verdict == "no overlap" and found.reason == "lr is one and the same wherever runs agree in batch and data"
    )
    assert setting_effect(runs, graph, "batch", "loss", draws=5).verdict == "identified", (
        "with all that follows from it"
    )


def test_numbers_of_a_kind_that_can_be_missing():
    runs = runs_of().astype({"batch": "Int64"})
    runs.loc[0, "batch"] = pd.NA
    found = setting_effect(runs, SCALED, "batch", "loss", draws=5)
    assert found.n_runs == 119 and np.isfinite(found.effect)
