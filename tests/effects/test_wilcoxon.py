"""Agreement with scipy is in test_agreement_with_libraries.py."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata

from causalablate.effects.wilcoxon import wilcoxon_p


def by_enumeration(effect):
    ranks = rankdata(np.abs(effect)) * (effect != 0)
    observed = abs(ranks @ np.sign(effect))
    return np.mean([abs(ranks @ np.array(s)) >= observed - 1e-9 for s in product((-1, 1), repeat=effect.size)])


def test_by_enumeration_with_zeros_and_ties():
    for effect in ([1.0, 2, -1, 0, 3], [0.0, 0, 0, 2, 2, 2], [5.0], [-1.0, 1, 2, 2, 0, 7]):
        assert wilcoxon_p(np.array([effect]))[0] == pytest.approx(by_enumeration(np.array(effect)))


def test_nothing_changed_is_p_one():
    assert (wilcoxon_p(np.zeros((2, 30))) == 1).all()


def test_few_changes_among_many_zeros_are_counted():
    effect = np.zeros((1, 500))
    effect[0, :4] = [1, 2, 3, 4]
    assert wilcoxon_p(effect)[0] == 2 / 2**4


def test_a_lesion_does_not_depend_on_its_company():
    rng = np.random.default_rng(0)
    effect = np.stack([rng.normal(0.3, 1, 40), np.round(rng.normal(0.3, 1, 40)), np.zeros(40), np.eye(1, 40)[0]])
    together = wilcoxon_p(effect)
    for row, p in zip(effect, together, strict=True):
        assert wilcoxon_p(row[None])[0] == p


def test_level():
    p = wilcoxon_p(np.random.default_rng(1).laplace(size=(4000, 60)))
    assert 0.04 <= np.mean(p < 0.05) <= 0.06
