"""The judgement of a ranking, by hand and by coverage."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

from causalablate.effects.agreement import agreement, most_marked


def ranked(exact, confirmed, approximate=None):
    return pd.DataFrame(
        {
            "lesion": [f"l{i}" for i in range(len(exact))],
            "rank": range(1, len(exact) + 1),
            "approximate_effect": exact if approximate is None else approximate,
            "exact_effect": exact,
            "confirmed": confirmed,
        }
    )


def test_by_hand():
    frame = ranked(
        [-5.0, 4.0, -1.0, math.nan, -4.5, math.nan, 0.5, 2.0],
        ["top", "top", "top", "", "sample", "", "sample", "sample"],
        [-5.0, -4.0, -1.0, 0.0, 4.5, 0.0, 0.5, 0.1],
    )
    found = agreement(frame)
    assert (found.n_top, found.n_others, found.n_sample) == (3, 5, 3)
    assert found.weakest.bar == 1.0 and found.weakest.drawn == ("l4", "l7")
    assert found.median.bar == 4.0 and found.median.drawn == ("l4",)
    assert found.same_sign == pytest.approx(4 / 6)
    # Ranks by screening 1 2 3 4 5 6, by |exact effect| 1 3 5 2 6 4.
    assert found.rank_correlation == pytest.approx(1 - 6 * (0 + 1 + 4 + 4 + 1 + 4) / (6 * 35))
    assert found.rank_correlation_sample == pytest.approx(0.5)
    assert found.weakest.at_most == 4 and found.median.at_most == 3


def test_what_is_not_defined_is_nan():
    found = agreement(ranked([1.0, 2.0], ["top", "top"]))
    assert math.isnan(found.rank_correlation) and math.isnan(found.rank_correlation_sample)
    assert found.weakest.drawn == () and found.weakest.at_most == 0
    assert math.isnan(agreement(ranked([1.0, 1.0, 1.0], ["top"] * 3)).rank_correlation)


def test_without_a_sample_all_others_may_have_been_missed():
    found = agreement(ranked([1.0, math.nan, math.nan], ["top", "", ""]))
    assert found.weakest.at_most == 2


@pytest.mark.parametrize(("population", "drawn"), [(49, 10), (20, 5), (260, 20), (6, 6)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_bound_covers_whatever_the_truth_is(population, drawn, level):
    bounds = np.array([most_marked(population, drawn, marked, level) for marked in range(drawn + 1)])
    assert (np.diff(bounds) >= 0).all() and bounds.max() <= population
    for truth in range(population + 1):
        chances = hypergeom.pmf(np.arange(drawn + 1), population, truth, drawn)
        assert chances[bounds >= truth].sum() >= level - 1e-9


def test_the_bounds_that_the_docs_name():
    assert most_marked(49, 10, 0, 0.95) == 11 and most_marked(49, 30, 0, 0.95) == 3


def test_a_full_sample_leaves_nothing_open():
    assert [most_marked(6, 6, marked, 0.95) for marked in range(7)] == list(range(7))
