import math

import numpy as np
import pytest

from causalablate.effects.sequential import Bounds, Discoveries, DiscoveryRace, Population
from causalablate.effects.sequential.discoveries import EXHAUSTED, FOUND, FUTILE, RUNNING
from causalablate.errors import EffectError

FREE, FLIPS = Bounds(), Bounds(-1.0, 1.0, between=1.0)


def whole(table):
    return Population(table.shape[1])


MEANS = np.array([-2.0, 1.0, -0.3, 0.0, 0.0])[:, None]


def effects(seed=0, n=600, sd=0.5):
    spread = np.array([1.0, 1.0, 1.0, 1.0, 0.05])[:, None] * sd
    return MEANS + spread * np.random.default_rng(seed).normal(size=(5, n))


def test_what_matters_is_found_and_what_does_not_is_given_up(finish):
    table = effects()
    race = DiscoveryRace(Discoveries(0.05, 0.1), 5, population=whole(table), bounds=FREE)
    used = finish(race, table)
    assert list(race.members) == [True, True, True, False, False]
    assert list(race.why) == [FOUND, FOUND, FOUND, FUTILE, FUTILE]
    assert used.max() < 600 and used[4] < used[3]


@pytest.mark.parametrize(("direction", "expected"), [("decrease", [0, 2]), ("increase", [1])])
def test_directions(finish, direction, expected):
    table = effects()
    race = DiscoveryRace(Discoveries(0.05, 0.1, direction), 5, population=whole(table), bounds=FREE)
    finish(race, table)
    assert list(np.flatnonzero(race.members)) == expected


@pytest.mark.parametrize(
    ("bounds", "direction", "exact"),
    [
        (FREE, "both", False),
        (FLIPS, "both", True),
        (Bounds(high=1.0), "decrease", True),
        (Bounds(high=1.0), "increase", False),
        (Bounds(low=0.0), "increase", True),
        (Bounds(low=0.0), "both", False),
    ],
)
def test_a_claim_is_exact_where_what_could_refute_it_is_bounded(bounds, direction, exact):
    assert DiscoveryRace(Discoveries(0.05, 0.1, direction), 5, population=Population(10), bounds=bounds).exact is exact


def test_losses_are_found_by_betting_against_the_largest_gain(finish):
    rng = np.random.default_rng(0)
    table = np.stack([0.5 - rng.exponential(2, 500), 0.5 - rng.exponential(0.5, 500)])
    race = DiscoveryRace(Discoveries(0.05, 0.2, "decrease"), 2, population=whole(table), bounds=Bounds(high=0.5))
    used = finish(race, table)
    assert list(race.members) == [True, False] and used[0] < 200


def test_found_together_stay_found():
    """Two lesions whose e-values suffice only together leave together."""
    table = effects()
    race = DiscoveryRace(Discoveries(0.05, 0.1), 5, population=whole(table), bounds=FREE)
    members = race.members.copy()
    for start in range(0, 600, 8):
        if not race.active.size:
            break
        race.observe(table[race.active, start : start + 8], np.ones(8))
        assert (race.members >= members).all()
        members = race.members.copy()


def test_on_all_examples_means_are_known(finish):
    table = effects(n=70, sd=20.0)
    race = DiscoveryRace(Discoveries(0.05, 3.0), 5, population=whole(table), bounds=FREE)
    finish(race, table)
    known = race.why == EXHAUSTED
    beyond = np.abs(table.mean(axis=1)) > 3.0
    assert known.any() and (race.members[known] == beyond[known]).all()
    assert set(race.log_e[known]) <= {math.inf, -math.inf}


def test_a_population_has_no_end(finish):
    table = np.random.default_rng(0).normal(size=(3, 100)) + 0.1
    race = DiscoveryRace(Discoveries(0.05, 0.1), 3, population=Population(None), bounds=FREE)
    finish(race, table)
    assert list(race.why) == [RUNNING] * 3 and not race.leaders().any()


def test_nobody_is_given_up_for_never_having_flipped_in_few_examples(finish):
    table = np.zeros((3, 400))
    race = DiscoveryRace(Discoveries(0.05, 0.02), 3, population=Population(1000), bounds=FLIPS)
    used = finish(race, table)
    assert used.min() > 1 / 0.02


@pytest.mark.parametrize("bounds", [FREE, FLIPS], ids=["asymptotic", "betting"])
def test_false_discoveries_are_as_rare_as_promised(finish, bounds):
    """Fifteen lesions exactly on the edge of the smallest effect of interest, five beyond."""
    sizes = np.repeat([0.3, 0.1], [5, 15])
    shares = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        if bounds.both:
            ranks = rng.random((20, 200)).argsort(axis=1).argsort(axis=1)
            table = -(ranks < np.rint(sizes * 200)[:, None]).astype(float)
        else:
            table = -rng.exponential(size=(20, 200)) * rng.normal(size=(1, 200)) ** 2
            table += -table.mean(axis=1, keepdims=True) - sizes[:, None]
        race = DiscoveryRace(Discoveries(0.2, 0.1 + 1e-9), 20, population=whole(table), bounds=bounds)
        finish(race, table)
        assert race.members[:5].mean() > 0.5
        shares.append(race.members[5:].sum() / max(1, race.members.sum()))
    assert np.mean(shares) <= 0.2


def test_wrong_questions():
    for options in ({"fdr": 0.0}, {"fdr": 1.0}, {"smallest": 0.0}, {"smallest": math.inf}, {"direction": "up"}):
        with pytest.raises(EffectError):
            Discoveries(**options)
    with pytest.raises(EffectError, match="not given"):
        DiscoveryRace(Discoveries(), 2, population=Population(5), bounds=FREE)
