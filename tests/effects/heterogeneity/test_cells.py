import numpy as np

from causalablate.effects.heterogeneity.cells import cells_of, units_in


def labels(text):
    return np.array([None if c == "-" else c for c in text], dtype=object)


def test_levels_then_what_two_of_them_have_in_common(effects_of):
    paired = effects_of(np.zeros(6), groups={"g": labels("xxxyyy"), "h": labels("pqpqpq")})
    found = cells_of(paired, depth=2, min_size=1)
    assert found.names == ("g=x", "g=y", "h=p", "h=q", "g=x & h=p", "g=x & h=q", "g=y & h=p", "g=y & h=q")
    assert found.depth == (1, 1, 1, 1, 2, 2, 2, 2)
    assert found.inside[0].tolist() == [True] * 3 + [False] * 3
    assert found.inside[4].tolist() == [True, False, True, False, False, False]
    assert cells_of(paired, depth=1, min_size=1).names == found.names[:4]


def test_pairs_that_are_empty_or_one_of_their_levels_are_no_groups(effects_of):
    paired = effects_of(np.zeros(6), groups={"g": labels("xxxyyy"), "h": labels("pppqqr")})
    assert cells_of(paired, depth=2, min_size=1).names == ("g=x", "g=y", "h=p", "h=q", "h=r")


def test_small_levels_are_groups_but_make_no_pairs(effects_of):
    paired = effects_of(np.zeros(6), groups={"g": labels("xxxxyy"), "h": labels("ppqqpq")})
    assert [n for n in cells_of(paired, depth=2, min_size=3).names if "&" in n] == ["g=x & h=p", "g=x & h=q"]


def test_no_label_is_in_no_level(effects_of):
    paired = effects_of(np.zeros(4), groups={"g": labels("x-x-")})
    assert cells_of(paired, depth=2, min_size=1).inside.tolist() == [[True, False, True, False]]


def test_units_are_counted_once_under_several_seeds(effects_of):
    paired = effects_of(np.zeros(4), unit=[0, 1, 0, 1], cluster=[0, 1, 0, 1], seed=[0, 0, 1, 1])
    assert units_in(paired, np.array([True, False, True, True])) == 2
