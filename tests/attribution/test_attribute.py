"""`attribute` from end to end, on games whose shares are known and on the reference model."""

from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from causalablate import Part, attribute, counterfactuals, do, tensors, wrap
from causalablate.attribution import METHODS, Regions
from causalablate.attribution.components import ComponentGame
from causalablate.errors import ComponentNotFoundError, EffectError, LesionError, OutcomeError

GAME = {"off": "zero", "outcome": "logit_difference"}
WEIGHTS = torch.tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64)
DRAWS = {"shapley-sampling": 20, "kernel-shap": 60, "exact": None, "ablation": None}


def additive(made):
    return made @ WEIGHTS


def shares(found):
    """Attributions, shape (examples, players)."""
    return found.frame["attribution"].to_numpy().reshape(len(found.games), -1)


@pytest.mark.parametrize("method", METHODS)
def test_in_an_additive_game_each_gets_its_own(game_of, method):
    given = np.random.default_rng(0).normal(size=(6, 4)).round(2)
    found = attribute(*game_of(additive, given), "p.*", method=method, samples=DRAWS[method], **GAME)
    assert shares(found) == pytest.approx(given * WEIGHTS.numpy(), abs=1e-4)
    assert found.frame["sampling_se"].to_numpy() == pytest.approx(0, abs=1e-4)
    assert found.frame["single_lesion"].to_numpy() == pytest.approx(found.frame["attribution"].to_numpy(), abs=1e-4)
    assert found.games["gap"].to_numpy() == pytest.approx(0, abs=1e-3)
    if found.agreement is not None:
        assert found.agreement.spearman.value == pytest.approx(1) and found.agreement.overlap.value == 1


@pytest.mark.parametrize(("method", "samples", "off_by"), [("exact", None, 1e-6), ("shapley-sampling", 600, 0.1)])
def test_gloves(glove_game, method, samples, off_by):
    found = attribute(*glove_game, ["p.*"], method=method, samples=samples, **GAME)
    assert shares(found) == pytest.approx(np.outer([1, 2], [2 / 3, 1 / 6, 1 / 6]), abs=off_by)
    assert found.games["value_all"].tolist() == [1, 2] and found.games["value_none"].tolist() == [0, 0]
    assert found.frame["single_lesion"].tolist() == [1, 0, 0, 2, 0, 0]
    assert found.n_coalitions == 8


def test_players_may_be_groups(glove_game):
    found = attribute(
        *glove_game, {"left": do("p.0", off="zero"), "right": do("p.1", "p.2", off="zero")}, method="exact",
        outcome="logit_difference",
    )  # fmt: skip
    assert list(found.frame["player"][:2]) == ["left", "right"] and found.n_coalitions == 4
    assert shares(found) == pytest.approx(np.array([[0.5, 0.5], [1, 1]]))


def test_each_coalition_is_computed_once(game_of, monkeypatch):
    computed = []
    values = ComponentGame.values

    def counted(self, coalitions, advance):
        computed.extend(c.tobytes() for c in coalitions)
        return values(self, coalitions, advance)

    monkeypatch.setattr(ComponentGame, "values", counted)
    found = attribute(*game_of(additive, np.ones((2, 4))), "p.*", samples=50, **GAME)
    assert len(computed) == len(set(computed)) == found.n_coalitions == 16


@pytest.mark.parametrize("method", ["shapley-sampling", "kernel-shap"])
def test_same_seed_same_bytes_and_the_global_state_is_left_alone(model, examples, reference, method):
    def run(seed):
        return attribute(
            model, examples[:5], ["scorers.*", "passes.*"], off="mean", reference=reference, method=method,
            samples=20, seed=seed,
        )  # fmt: skip

    state, numbers = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    first = run(3)
    assert torch.equal(torch.random.get_rng_state(), state) and (np.random.get_state()[1] == numbers).all()
    torch.rand(3)
    again, other = run(3), run(4)
    for name in ("frame", "population", "games"):
        assert getattr(first, name).to_csv() == getattr(again, name).to_csv()
    assert first.agreement == again.agreement
    assert first.frame["attribution"].tolist() != other.frame["attribution"].tolist()


def test_ablation_is_the_exact_effect_of_each_lesion(model, examples, reference):
    asked = ["scorers.*", "passes.*", "lm.layers.0.heads.*"]
    found = attribute(model, examples, asked, off="mean", reference=reference, method="ablation")
    exact = counterfactuals(
        model, examples, asked, off="mean", reference=reference, outcomes=["answer_logprob"], stack=1
    ).frame.pivot(index="example", columns="lesion", values="effect")
    ours = found.frame.pivot(index="example", columns="player", values="attribution")
    assert -ours.to_numpy() == pytest.approx(exact.loc[ours.index, ours.columns].to_numpy(), abs=1e-5)
    assert found.agreement is None and (found.frame["sampling_se"] == 0).all()
    assert set(found.population["kind"]) == {"scorer", "pass", "head"}


def test_sampling_comes_close_to_exact_and_knows_how_close(model, examples, reference):
    asked = {"off": "mean", "reference": reference, "outcome": "logit_difference"}
    exact = attribute(model, examples, ["scorers.*", "passes.*"], method="exact", **asked)
    drawn = attribute(model, examples, ["scorers.*", "passes.*"], samples=40, **asked)
    error = drawn.frame["sampling_se"].to_numpy()
    off = np.abs(drawn.frame["attribution"] - exact.frame["attribution"]).to_numpy()
    moves = error > 1e-6
    assert 0.5 < np.sqrt(((off[moves] / error[moves]) ** 2).mean()) < 2
    assert (drawn.games["gap"].abs() < 1e-5).all() and (exact.games["gap"].abs() < 1e-9).all()
    assert exact.games["value_all"].tolist() == drawn.games["value_all"].tolist()


def test_population_means_respect_clusters_and_groups(game_of, toys):
    given = np.repeat(np.random.default_rng(1).normal(size=(6, 4)), 2, axis=0)
    model, _ = game_of(additive, given)
    found = attribute(model, toys(12, clusters=2), "p.*", method="exact", **GAME)
    rows = found.population[found.population["group"] == "all"]
    assert list(found.population["group"].unique()) == ["all", "parity=even", "parity=odd"]
    assert (rows["n_units"] == 12).all() and (rows["n_clusters"] == 6).all()
    assert set(rows["interval_method"]) == {"cluster-robust t", "sign, all effects equal"}
    sizes = rows["attribution"].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)
    first = rows[rows["player"] == "p.0=zero"].iloc[0]
    means = given[::2, 0]
    assert first["attribution"] == pytest.approx(means.mean(), abs=1e-6)
    assert first["se"] == pytest.approx(means.std(ddof=1) / np.sqrt(6), abs=1e-6)
    even = found.population[found.population["group"] == "parity=even"].set_index("player")
    assert even.loc["p.0=zero", "attribution"] == pytest.approx(given[::2, 0].mean(), abs=1e-6)


def test_the_interval_knows_that_permutations_were_drawn(game_of):
    """All examples alike: what is uncertain is the draw, and examples alone would claim certainty."""

    def pairs(made):
        return made[:, 0] * made[:, 1] + made[:, 2] * made[:, 3]

    found = attribute(*game_of(pairs, np.ones((8, 4))), "p.*", samples=12, **GAME)
    rows = found.population[found.population["group"] == "all"]
    assert set(rows["interval_method"]) == {"two-way t"}
    assert rows["se"].to_numpy() == pytest.approx(rows["sampling_se"].to_numpy()) and (rows["se"] > 0.05).all()
    assert ((rows["ci_low"] < 0.5) & (rows["ci_high"] > 0.5)).all()


def test_any_module_against_plain_hooks():
    """Four groups of hidden neurons of a wrapped network, zeroed by a hook written here, in every order."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 3))
    x = torch.randn(5, 4)
    found = attribute(
        wrap(net, {"neurons": Part("1", heads=4, width=12)}, answers=3), tensors(x, [0, 1, 2, 0, 1]),
        "neurons.heads.*", off="zero", method="exact", outcome="answer_logprob",
    )  # fmt: skip

    def value(present):
        kept = torch.tensor([float(i in present) for i in range(4)]).repeat_interleave(3)
        hook = net[1].register_forward_hook(lambda module, inputs, output: output * kept)
        with torch.no_grad():
            logprob = net(x).log_softmax(-1)[torch.arange(5), torch.tensor([0, 1, 2, 0, 1])]
        hook.remove()
        return logprob.numpy().astype(float)

    orders = list(permutations(range(4)))
    share = np.zeros((5, 4))
    for order in orders:
        for place, player in enumerate(order):
            share[:, player] += (value(order[: place + 1]) - value(order[:place])) / len(orders)
    assert shares(found) == pytest.approx(share, abs=1e-5)


def test_regions_of_the_reference_model(model, examples):
    found = attribute(model, examples[:4], Regions(2, 2), method="exact")
    assert found.regions == Regions(2, 2) and found.n_coalitions == 16
    assert list(found.frame["player"][:4]) == ["region.0.0", "region.0.1", "region.1.0", "region.1.1"]
    assert set(found.population["kind"]) == {"region"}
    assert (found.frame["attribution"] != 0).any() and (found.games["gap"].abs() < 1e-9).all()


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        ({"method": "shapley"}, EffectError, "did you mean shapley-sampling"),
        ({"method": "exact", "samples": 5}, EffectError, "draws nothing"),
        ({"samples": 1}, EffectError, "at least 2"),
        ({"method": "kernel-shap", "samples": 5}, EffectError, "at least 6"),
        ({"method": "kernel-shap", "samples": 6, "seed": 0}, EffectError, "do not tell 4 players apart"),
        ({"method": "kernel-shap", "players": "p.0"}, EffectError, "there is one player"),
        ({"outcome": "predicted_answer"}, OutcomeError, "is a category"),
        ({"outcome": "logit_diff"}, OutcomeError, "did you mean logit_difference"),
        ({"level": 2}, EffectError, "level is 2"),
        ({"top": 0}, EffectError, "top is 0"),
        ({"players": "q.*"}, ComponentNotFoundError, "the model has p"),
        ({"off": None}, LesionError, "say how it is off"),
        ({"off": "mean"}, LesionError, "needs a reference set"),
        ({"players": []}, LesionError, "there are no players"),
        ({"players": Regions(1, 1)}, LesionError, "covered, not lesioned"),
    ],
)
def test_what_cannot_be_is_said_clearly(game_of, ask, error, message):
    model, examples = game_of(additive, np.ones((2, 4)))
    with pytest.raises(error, match=message):
        attribute(model, examples, **{"players": "p.*", **GAME, **ask})


def test_too_many_players_for_enumeration(game_of):
    with pytest.raises(EffectError, match="exact Shapley values of 13 players"):
        attribute(*game_of(lambda made: made.sum(1), np.ones((1, 13))), "p.*", method="exact", **GAME)


def test_shares_that_do_not_add_up_are_an_error(game_of, monkeypatch):
    from causalablate.attribution import by_captum

    right = by_captum.shapley_sampling
    monkeypatch.setattr(by_captum, "shapley_sampling", lambda *given: right(*given) * 1.01)
    with pytest.raises(EffectError, match='example "t0" sum to'):
        attribute(*game_of(additive, np.ones((2, 4))), "p.*", **GAME)
