import numpy as np
import pytest

from causalablate.effects.paired import renumber, totals


def test_totals_sum_by_code():
    values = np.array([[1.0, 2, 3, 4], [10, 20, 30, 40]])
    assert totals(values, np.array([1, 0, 1, 0])).tolist() == [[6, 4], [60, 40]]


def test_totals_of_single_rows_come_in_code_order():
    assert totals(np.array([[1.0, 2, 3]]), np.array([2, 0, 1])).tolist() == [[2, 3, 1]]


def test_totals_of_one_code():
    assert totals(np.array([[1.0, 2, 3]]), np.array([0, 0, 0])).tolist() == [[6]]


def test_renumber_leaves_no_gaps():
    assert renumber(np.array([7, 3, 7])).tolist() == [1, 0, 1]


def test_restrict_keeps_rows_and_renumbers(effects_of):
    paired = effects_of([[1, 2, 3, 4]], cluster=[0, 0, 1, 2], groups={"g": np.array(["a", "b", "a", None])})
    kept = paired.restrict(np.array([False, False, True, True]))
    assert kept.effect.tolist() == [[3, 4]]
    assert kept.cluster.tolist() == [0, 1]
    assert (kept.n_rows, kept.n_units, kept.n_clusters) == (2, 2, 2)
    assert kept.groups["g"].tolist() == ["a", None]


@pytest.mark.parametrize(
    ("cluster", "seed", "independent", "replicates"),
    [
        ([0, 1, 2, 3], [0, 0, 0, 0], True, 4),
        ([0, 0, 1, 1], [0, 0, 0, 0], False, 2),
        ([0, 1, 0, 1], [0, 0, 1, 1], False, 2),
    ],
)
def test_dependence_is_seen(effects_of, cluster, seed, independent, replicates):
    paired = effects_of([[1, 2, 3, 4]], cluster=cluster, seed=seed)
    assert paired.independent is independent
    assert paired.replicates == replicates
