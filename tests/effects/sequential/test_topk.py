import numpy as np
import pytest

from causalablate.effects.sequential import Bounds, Population, TopK, TopKRace
from causalablate.effects.sequential.topk import EXHAUSTED, RUNNING, SEPARATED, TIED, TOLERATED
from causalablate.errors import EffectError

FREE, FLIPS = Bounds(), Bounds(-1.0, 1.0, between=1.0)


def whole(table):
    return Population(table.shape[1])


def graded(seed=0, n=400, sd=1.0):
    means = np.array([-3.0, 2.5, -1.0, 0.5, 0.1, 0.0])
    return means[:, None] + sd * np.random.default_rng(seed).normal(size=(6, n))


def flips(seed=0, n=400):
    chance = np.array([0.7, 0.5, 0.1, 0.05, 0.02, 0.0])[:, None]
    return -(np.random.default_rng(seed).random((6, n)) < chance).astype(float)


def test_the_largest_in_size_are_found_and_the_rest_is_not_run_on(finish):
    table = graded()
    race = TopKRace(TopK(2), 6, population=whole(table), bounds=FREE)
    used = finish(race, table)
    assert list(np.flatnonzero(race.members)) == [0, 1]
    assert set(race.why) == {SEPARATED} and not race.active.size and not race.exact
    assert used.max() < 200


@pytest.mark.parametrize(("direction", "expected"), [("decrease", [0, 2]), ("increase", [1, 3])])
def test_directions(finish, direction, expected):
    table = graded()
    race = TopKRace(TopK(2, direction), 6, population=whole(table), bounds=FREE)
    finish(race, table)
    assert list(np.flatnonzero(race.members)) == expected


@pytest.mark.parametrize("direction", ["both", "decrease"])
def test_bounded_effects_are_compared_by_betting(finish, direction):
    table = flips()
    race = TopKRace(TopK(2, direction), 6, population=whole(table), bounds=FLIPS)
    used = finish(race, table)
    assert race.exact and list(np.flatnonzero(race.members)) == [0, 1]
    assert used.max() < 400


@pytest.mark.parametrize("bounds", [FREE, Bounds(-10.0, 10.0)], ids=["asymptotic", "betting"])
def test_equal_sizes_of_opposite_sign_are_not_separated_before_the_end(finish, bounds):
    rng = np.random.default_rng(0)
    table = np.stack([1 + rng.normal(size=300), -1 + rng.normal(size=300), 0.1 * rng.normal(size=300)])
    table = np.clip(table - table.mean(axis=1, keepdims=True) + np.array([[1.0], [-1.01], [0.0]]), -10, 10)
    race = TopKRace(TopK(1), 3, population=whole(table), bounds=bounds)
    used = finish(race, table)
    assert list(np.flatnonzero(race.members)) == [1]
    assert used[0] == used[1] == 300 and used[2] < 300
    assert list(race.why) == [EXHAUSTED, EXHAUSTED, SEPARATED]


def test_on_all_examples_the_answer_is_that_of_the_full_sweep(finish):
    for seed in range(20):
        table = np.random.default_rng(seed).normal(size=(8, 90))
        race = TopKRace(TopK(3), 8, population=whole(table), bounds=FREE)
        finish(race, table)
        assert set(np.flatnonzero(race.members)) == set(np.argsort(-np.abs(table.mean(axis=1)))[:3])


def test_a_tie_at_the_border_is_said(finish):
    table = graded()[[0, 1, 1, 5]]
    race = TopKRace(TopK(2), 4, population=whole(table), bounds=FREE)
    finish(race, table)
    assert list(np.flatnonzero(race.members)) == [0, 1]
    assert list(race.why) == [SEPARATED, TIED, TIED, SEPARATED]


def test_a_tie_elsewhere_is_none_of_its_business(finish):
    table = graded()[[0, 0, 2, 5]]
    race = TopKRace(TopK(2), 4, population=whole(table), bounds=FREE)
    assert finish(race, table).max() < 400
    assert list(np.flatnonzero(race.members)) == [0, 1] and set(race.why) == {SEPARATED}


@pytest.mark.parametrize("bounds", [FREE, Bounds(-10.0, 10.0)], ids=["asymptotic", "betting"])
def test_a_tolerance_ends_the_race_earlier(finish, bounds):
    noise = np.random.default_rng(0).normal(size=(4, 400))
    table = np.array([[-3.0], [2.5], [2.45], [0.0]]) + noise - noise.mean(axis=1, keepdims=True)
    exact = TopKRace(TopK(2), 4, population=whole(table), bounds=bounds)
    loose = TopKRace(TopK(2, tolerance=1.0), 4, population=whole(table), bounds=bounds)
    assert finish(loose, table).max() < 200 < finish(exact, table).max()
    assert loose.members.sum() == 2 and loose.members[0] and TOLERATED in loose.why


def test_a_population_has_no_end(finish):
    table = graded()[[0, 1, 1, 5]] + np.array([[0.0], [0.0], [-0.01], [0.0]])
    race = TopKRace(TopK(2), 4, population=Population(None), bounds=FREE)
    finish(race, table)
    assert list(race.active) == [1, 2] and list(race.why) == [SEPARATED, RUNNING, RUNNING, SEPARATED]
    assert list(np.flatnonzero(race.leaders())) == [0, 1] and race.members.sum() == 1


def test_clusters_are_units():
    """Ten copies of every example are ten times the rows, and no more evidence."""
    table, ones = graded(n=64, sd=4.0), np.ones(64)
    alone = TopKRace(TopK(2), 6, population=Population(100), bounds=FREE)
    alone.observe(table, ones)
    copied = TopKRace(TopK(2), 6, population=Population(100, largest=10), bounds=FREE)
    copied.observe(10 * table, 10 * ones)
    assert list(alone.why) == list(copied.why)
    assert 0 < len(alone.active) < 6


@pytest.mark.parametrize("bounds", [FREE, FLIPS], ids=["asymptotic", "betting"])
def test_the_true_set_is_found_as_often_as_promised(finish, bounds):
    """Lesions as alike as they can be, so that every early decision is a chance to err."""
    wrong, repetitions = 0, 60
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        table = -(rng.random((8, 200)) < 0.3).astype(float) if bounds.both else -rng.exponential(size=(8, 200))
        race = TopKRace(TopK(3, error=0.2), 8, population=whole(table), bounds=bounds)
        finish(race, table)
        size = np.abs(table.mean(axis=1))
        wrong += size[race.members].min() < np.sort(size)[-3] - 1e-12
    assert wrong / repetitions <= 0.2


def test_wrong_questions():
    with pytest.raises(EffectError, match="all of them"):
        TopKRace(TopK(6), 6, population=Population(10), bounds=FREE)
    for k, options in ((0, {}), (1, {"tolerance": -1.0}), (1, {"error": 1.0}), (1, {"direction": "decraese"})):
        with pytest.raises(EffectError):
            TopK(k, **options)
    with pytest.raises(EffectError, match="did you mean decrease"):
        TopK(1, "decraese")
    with pytest.raises(EffectError, match="below the second"):
        Bounds(1.0, 1.0)
