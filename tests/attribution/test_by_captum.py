"""captum driven by our seeds and tables, against captum on a forward function written by hand."""

from itertools import permutations

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation, KernelShap, ShapleyValues

from causalablate.attribution import by_captum
from causalablate.attribution.methods import METHODS, Setting, plan
from causalablate.attribution.shapley import exact_shapley, marginal_contributions


def nonlinear(masks):
    """Two examples' games of four players, by hand: shape (coalitions, 2)."""
    x = masks.double()
    return torch.stack([x[:, 0] * x[:, 1] + 2 * x[:, 2], (x[:, 1] + x[:, 3]) ** 2 - x[:, 0] * x[:, 3]], dim=1)


def value(coalitions):
    return nonlinear(torch.from_numpy(np.asarray(coalitions, dtype=float))).numpy()


def of_example(i):
    return lambda masks: nonlinear(masks)[:, i]


def test_ablation_is_captums():
    theirs = torch.stack([FeatureAblation(of_example(i)).attribute(torch.ones(1, 4))[0] for i in (0, 1)], dim=1)
    assert by_captum.feature_ablation(value, 4) == pytest.approx(theirs.numpy())
    assert theirs.numpy().T.tolist() == [[1, 1, 2, 0], [-1, 3, 0, 2]]


def test_sampling_over_all_permutations_is_captums_exact_method():
    theirs = torch.stack([ShapleyValues(of_example(i)).attribute(torch.ones(1, 4))[0] for i in (0, 1)], dim=1)
    ours = by_captum.shapley_sampling(value, 4, list(permutations(range(4))))
    assert ours == pytest.approx(theirs.numpy(), abs=1e-6)
    assert ours == pytest.approx(exact_shapley(value, 4), abs=1e-6)


def test_sampling_is_the_mean_of_its_own_permutations(random_game):
    table, drawn = random_game(6), [np.random.default_rng(i).permutation(6).tolist() for i in range(7)]
    ours = by_captum.shapley_sampling(table, 6, drawn)
    assert ours == pytest.approx(marginal_contributions(table, drawn).mean(axis=0), abs=1e-6)


def test_kernel_shap_is_captums_at_the_same_seed():
    ours = by_captum.kernel_shap(value, 4, 2, 40, seed=11)
    for i in (0, 1):
        torch.manual_seed(11)
        theirs = KernelShap(of_example(i)).attribute(torch.ones(1, 4), n_samples=40)
        assert ours[:, i] == pytest.approx(theirs[0].numpy(), abs=1e-6)
    assert ours == pytest.approx(exact_shapley(value, 4), abs=0.35)


@pytest.mark.parametrize("name", METHODS)
def test_seeds_decide_everything_and_the_global_state_nothing(random_game, name):
    method, table = METHODS[name], random_game(5)
    setting = Setting(5, 3, method.samples, seed=1)
    torch.manual_seed(0)
    np.random.seed(0)
    state, numbers = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    first = method.estimate(table, setting)
    assert torch.equal(torch.random.get_rng_state(), state) and (np.random.get_state()[1] == numbers).all()
    torch.manual_seed(99)
    again = method.estimate(table, setting)
    assert first.values.tobytes() == again.values.tobytes() and first.draws.tobytes() == again.draws.tobytes()
    other = method.estimate(table, Setting(5, 3, method.samples, seed=2))
    assert (other.values.tobytes() == first.values.tobytes()) == (not method.samples)


@pytest.mark.parametrize("name", METHODS)
def test_the_plan_is_all_that_is_asked_for(random_game, name):
    method, table, asked = METHODS[name], random_game(5), set()
    setting = Setting(5, 3, method.samples and 20, seed=1)

    def recorded(coalitions):
        asked.update(c.tobytes() for c in np.asarray(coalitions, dtype=bool))
        return table(coalitions)

    method.estimate(recorded, setting)
    planned = plan(method, setting)
    assert {c.tobytes() for c in planned} == asked and len(planned) == len(asked)


@pytest.mark.parametrize("name", ["shapley-sampling", "kernel-shap"])
def test_standard_errors_are_those_of_repeated_draws(random_game, name):
    method, table, repeats = METHODS[name], random_game(5, n_examples=1), 80
    found = [method.estimate(table, Setting(5, 1, 60, seed)) for seed in range(repeats)]
    values, errors = (np.stack([getattr(f, what)[:, 0] for f in found]) for what in ("values", "error"))
    assert values.std(axis=0, ddof=1) / np.sqrt((errors**2).mean(axis=0)) == pytest.approx(np.ones(5), abs=0.25)
    off = np.abs(values.mean(axis=0) - exact_shapley(table, 5)[:, 0])
    assert (off < 4 * values.std(axis=0) / np.sqrt(repeats) + 0.01).all()
