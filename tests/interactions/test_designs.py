import numpy as np
import pytest

import causalablate as ca
from causalablate.errors import EffectError, LesionError
from causalablate.interactions import drawn, factorial, fractional, full, neighbours, repair_lesions, screened
from causalablate.interactions.designs import MOST_FACTORS

ABCD = {name: ca.do(name, off="zero") for name in "abcd"}


def sets(design):
    return {frozenset(np.array(design.factors)[row]) for row in design.off}


def test_all_subsets_up_to_an_order():
    design = factorial(ABCD)
    assert design.factors == tuple("abcd") and len(design) == 1 + 4 + 6
    assert sets(design) == {frozenset(s) for s in ("", *"abcd", "ab", "ac", "ad", "bc", "bd", "cd")}
    assert not design.off[0].any()
    assert len(factorial(ABCD, order=3)) == 15 and len(full(ABCD)) == 16 == len(sets(full(ABCD)))


def test_runs_are_the_composed_lesions_by_their_own_name():
    design = factorial([ca.do("b", off="mean"), ca.do("a", off="zero")])
    assert design.factors == ("b=mean", "a=zero")
    assert list(design.lesions) == ["b=mean", "a=zero", "a=zero & b=mean"] or set(design.lesions) == {
        "b=mean",
        "a=zero",
        "a=zero & b=mean",
    }
    assert all(name == lesion.name for name, lesion in design.lesions.items())
    assert design.lesions["a=zero & b=mean"] == ca.do("a", off="zero") & ca.do("b", off="mean")


def test_in_the_context_of_another_lesion():
    design = factorial({"a": ABCD["a"], "b": ABCD["b"]}, base=ABCD["c"])
    assert set(design.lesions) == {"c=zero", "a=zero & c=zero", "b=zero & c=zero", "a=zero & b=zero & c=zero"}


def test_screened_designs_keep_all_singles():
    design = screened(ABCD, ["d", "b", "a", "c"], top=2)
    assert sets(design) == {frozenset(s) for s in ("", *"abcd", "bd")}
    by_score = screened(ABCD, {"a": 0.1, "b": -3.0, "c": 0.0, "d": 2.0}, top=2)
    assert np.array_equal(by_score.off, design.off)
    assert frozenset("abd") in sets(screened(ABCD, ["d", "b", "a"], top=3, order=3))


def test_a_fraction_holds_the_factual_run_and_half_of_all():
    design = fractional(ABCD, {"d": ["a", "b", "c"]})
    assert len(design) == 8 and not design.off[0].any()
    level = 1 - 2 * design.off.astype(int)
    assert (level.prod(axis=1) == 1).all() and (level.sum(axis=0) == 0).all()
    folded = fractional({k: ABCD[k] for k in "abc"}, {"c": ["a", "b"]}, foldover=True)
    assert len(folded) == 8


def test_drawn_sets_come_with_their_complement():
    design = drawn(ABCD, draws=10, seed=3)
    assert np.array_equal(design.draws[::2], ~design.draws[1::2])
    assert {frozenset(), frozenset("abcd")} <= sets(design)
    assert np.array_equal(design.draws, drawn(ABCD, draws=10, seed=3).draws)
    assert not np.array_equal(design.draws, drawn(ABCD, draws=10, seed=4).draws)
    sizes = drawn({f"p{i}": ca.do(f"p{i}", off="zero") for i in range(9)}, draws=20_000).draws.sum(axis=1)
    chance = 1 / (np.arange(1, 9) * np.arange(8, 0, -1))
    np.testing.assert_allclose(np.bincount(sizes)[1:] / len(sizes), chance / chance.sum(), atol=0.01)


def test_neighbours_hold_all_that_is_near_a_draw():
    lesions = {f"p{i}": ca.do(f"p{i}", off="zero") for i in range(7)}
    design = neighbours(lesions, draws=4, order=2, seed=1)
    near = (design.draws[:, None] != ~design.off[None]).sum(axis=2).min(axis=0)
    small = (~design.off).sum(axis=1) < 2
    assert ((near <= 2) | small | ~design.off.any(axis=1) | design.off.all(axis=1)).all()
    for draw in design.draws:
        for i in range(7):
            for j in range(i):
                other = draw.copy()
                other[[i, j]] = ~other[[i, j]]
                assert (~design.off == other).all(axis=1).any()


def test_repair_lesions_hold_the_later_ones():
    total, direct = repair_lesions(ca.do("a", off="zero"), ["b", "c.*"])
    assert total.name == "a=zero" and direct.name == "a=zero & b=patch & c.*=patch"
    with pytest.raises(LesionError, match="nothing is later"):
        repair_lesions(ca.do("a", off="zero"), [])
    with pytest.raises(LesionError, match="twice"):
        repair_lesions(ca.do("a", off="zero"), ["a"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: factorial([ABCD["a"]]), "at least two"),
        (lambda: factorial([ABCD["a"], ABCD["a"]]), "each once"),
        (lambda: factorial(ABCD["a"]), "one lesion"),
        (lambda: factorial([ABCD["a"], ca.do({})]), "empty lesion"),
        (lambda: factorial([ABCD["a"], ca.do("a", "b", off="mean")]), "share no component"),
        (lambda: factorial([ABCD["a"], ABCD["b"]], base=ABCD["a"]), "belongs to base"),
        (lambda: factorial(ABCD, order=5), "order is 5"),
        (lambda: full({f"p{i}": ca.do(f"p{i}", off="zero") for i in range(MOST_FACTORS + 1)}), "2.15 runs"),
        (lambda: screened(ABCD, ["e"], top=2), 'no factor "e"'),
        (lambda: screened(ABCD, ["a", "b"], top=3), "top is 3"),
        (lambda: fractional(ABCD, {"e": ["a", "b"]}), 'no factor "e"'),
        (lambda: fractional(ABCD, {"d": ["a", "c"], "c": ["a", "b"]}), "generator itself"),
        (lambda: fractional(ABCD, {"d": ["a"]}), "two or more other"),
        (lambda: fractional({k: ABCD[k] for k in "ab"}, {"b": ["a", "b"]}), "two or more other|generator itself"),
        (lambda: drawn(ABCD, draws=5), "even"),
        (lambda: drawn({k: ABCD[k] for k in "ab"}), "use full"),
        (lambda: neighbours(ABCD, draws=2), "at least 4"),
    ],
)
def test_what_makes_no_design(make, words):
    with pytest.raises((LesionError, EffectError), match=words):
        make()
