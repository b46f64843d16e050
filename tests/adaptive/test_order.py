import numpy as np
import pytest

from causalablate.adaptive.order import order_of
from causalablate.errors import EffectError
from causalablate.examples import Example, ExampleSet

IMAGE = np.zeros((1, 1, 3), np.uint8)


def examples(clusters):
    return ExampleSet("s", tuple(Example(str(i), (IMAGE,), "?", "!", cluster=c) for i, c in enumerate(clusters)))


def test_a_shuffled_set_is_visited_from_its_start_by_examples():
    order = order_of(examples([""] * 10).shuffled(3), 4, seed=0, target="examples")
    assert order.batches == (slice(0, 4), slice(4, 8), slice(8, 10))
    assert order.unit == "example" and list(order.sizes) == [1] * 10
    assert [order.complete(rows) for rows in (0, 4, 10)] == [0, 4, 10]


def test_clusters_count_once_they_are_whole():
    order = order_of(examples("aabbbbcd").shuffled(1), 3, seed=0, target="population")
    assert order.unit == "cluster" and sorted(order.sizes) == [1, 1, 2, 4]
    ends = np.cumsum(order.sizes)
    for rows in range(9):
        assert order.complete(rows) == sum(end <= rows for end in ends)
    population = order.population("population")
    assert population.size is None and population.largest == 4
    assert order.population("examples").size == 4


def test_another_set_is_visited_by_batches_in_random_order():
    order = order_of(examples([""] * 30), 4, seed=1, target="examples")
    assert order.unit == "batch" and sorted(order.sizes) == [2, 4, 4, 4, 4, 4, 4, 4]
    assert sorted(order.batches, key=lambda rows: rows.start)[-1] == slice(28, 30)
    assert [rows.stop - rows.start for rows in order.batches] == list(order.sizes)
    assert order.batches != order_of(examples([""] * 30), 4, seed=2, target="examples").batches


def test_a_cluster_in_two_batches_makes_them_dependent():
    for clusters, apart in (("aabbccdd", True), ("abbaccdd", True), ("aabbcada", False)):
        if apart:
            assert order_of(examples(clusters), 4, seed=0, target="population").unit == "batch"
        else:
            with pytest.raises(EffectError, match=r'"a" lie in several batches.*shuffled'):
                order_of(examples(clusters), 4, seed=0, target="population")
        assert order_of(examples(clusters), 4, seed=0, target="examples").unit == "batch"
