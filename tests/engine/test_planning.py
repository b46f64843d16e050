"""Which lesions share a forward, worked out by hand on a forward of ten places, 100 operations each."""

import itertools

import pytest
from torch import nn

from causalablate.component import Component, Site
from causalablate.engine.layout import Layout, PlaceLayout
from causalablate.engine.planning import plan
from causalablate.engine.tail import Tail
from causalablate.offs import Scale, Zero


def component(*layers, at="output", **site):
    name = ".".join(map(str, layers))
    return Component(f"c{name}{site}", "other", tuple(Site(f"layer{i}", at, **site) for i in layers))


C = [component(i) for i in range(10)]


def layout(*, unscaled=(), **changes):
    places = {
        (f"layer{i}", at): PlaceLayout(10 * i + j, 100 * (i + 1), i not in unscaled, 1000 - 100 * i)
        for i in range(10)
        for j, at in enumerate(("input", "output"))
    }
    return Layout(places=places, flops=1100, widest=1000, **changes)


def one(c, how=Zero()):  # noqa: B008 (a value)
    return ((c, how),)


def pair(a, b):
    return ((C[a], Zero()), (C[b], Zero()))


def walk(node, above=()):
    """Every (parts of the node, batch), and every lesion that a node is."""
    for batch in node.batches:
        yield node, batch
    for child in node.children:
        assert child.parts[: len(above)] == above and len(child.parts) > len(above)
        yield from walk(child, child.parts)


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


def eight(widest):
    return 8


def batches(lesions, size=8, known=None):
    return [batch.lesions for _, batch in walk(plan(lesions, known or layout(), lambda widest: size))]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_every_lesion_has_one_place_in_the_plan(size):
    lesions = [(), *(one(c) for c in C), *(pair(a, b) for a, b in itertools.combinations(range(10), 2))]
    lesions += [(*pair(1, 2), *one(C[8])), (*pair(1, 2), *one(C[9])), one(component(2, 7))]
    found = plan(lesions, layout(), lambda widest: size)
    inside = [i for _, batch in walk(found) for i in batch.lesions]
    own = [node.lesion for node in nodes(found) if node.lesion is not None]
    assert sorted(inside + own) == list(range(len(lesions)))
    for node, batch in walk(found):
        assert 0 < len(batch.lesions) <= size
        assert all(set(node.parts) <= set(lesions[i]) for i in batch.lesions)
    for node in nodes(found):
        assert node.lesion is None or set(lesions[node.lesion]) == set(node.parts)


def test_lesions_that_start_alike_share_a_forward():
    heads = [one(component(i, span=(h, h + 1))) for i in (5, 2) for h in range(4)]
    assert sorted(map(sorted, batches(heads))) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert sorted(map(sorted, batches(heads, size=3))) == [[0, 1, 2], [3], [4, 5, 6], [7]]
    assert [b[0] for b in batches(heads, size=1)] == [4, 5, 6, 7, 0, 1, 2, 3]


def test_a_lesion_waits_for_no_earlier_one_unless_that_costs_little():
    near = layout()
    near.places["layer6", "output"] = PlaceLayout(61, 600 + 1, True, 300)
    assert len(batches([one(C[5]), one(C[6])])) == 2
    assert len(batches([one(C[5]), one(C[6])], known=near)) == 1


@pytest.mark.parametrize(
    "known",
    [layout(unstackable="it draws"), layout(unscaled=(3,))],
    ids=["no rows may stand side by side", "the place does not grow with the batch"],
)
def test_what_may_not_stand_side_by_side_runs_alone(known):
    lesions = [one(component(3, span=(h, h + 1))) for h in range(3)]
    found = [batch for _, batch in walk(plan(lesions, known, eight))]
    assert len(found) == 3 and all(batch.plain for batch in found)


def test_one_place_that_does_not_grow_is_enough():
    lesions = [one(component(2, 3)), one(component(2, span=(0, 1)))]
    found = {batch.lesions: batch.plain for _, batch in walk(plan(lesions, layout(unscaled=(3,)), eight))}
    assert found == {(0,): True, (1,): False}


def test_a_site_that_is_never_reached_runs_alone():
    (batch,) = [batch for _, batch in walk(plan([one(component(99))], layout(), eight))]
    assert batch.plain


def test_few_positions_do_not_mix_with_many():
    known = layout(positionwise={nn.Identity()})
    last, everywhere = component(4, tokens=True, group="last"), component(4, tokens=True, group="all")
    found = [batch for _, batch in walk(plan([one(last), one(everywhere), one(C[4])], known, eight))]
    assert {batch.lesions: batch.restricted for batch in found} == {(0,): True, (1, 2): False}
    found = [batch for _, batch in walk(plan([one(last)], layout(), eight))]
    assert not found[0].restricted, "nothing goes position by position, so nothing can be restricted"


def test_lesions_behind_the_end_of_what_is_read_do_not_mix_with_others():
    known = layout(tails=(Tail(("layer9",), ((-1,),)),))
    known.places["layer9", "output"] = PlaceLayout(99, 900, True, 100)
    head, whole = component(9, at="input"), component(9)
    known.places["layer9", "input"] = PlaceLayout(98, 900, True, 100)
    assert len(batches([one(head), one(whole)], known=known)) == 2
    assert len(batches([one(head), one(component(9, at="input", span=(0, 1)))], known=known)) == 1


# Common parts


def test_many_pairs_start_from_the_run_of_their_common_part():
    lesions = [pair(5, b) for b in (6, 7, 8, 9)]
    found = plan(lesions, layout(), eight)
    (child,) = found.children
    assert found.batches == [] and child.parts == one(C[5])
    # Of 1100 operations each pair repeats what comes after its own start: they start 100 apart, so each goes alone.
    assert [batch.lesions for batch in child.batches] == [(0,), (1,), (2,), (3,)]


def test_a_common_part_that_few_share_is_not_run_for_them():
    """Saved: what lies between the two starts; paid: the run from the first start on."""
    assert plan([pair(5, 6)], layout(), eight).children == []
    assert plan([pair(5, 8), pair(5, 7)], layout(), eight).children == []  # 300 + 200 saved, 500 paid
    assert plan([pair(5, 8), pair(5, 8)[:1] + one(C[9])], layout(), eight).children != []  # 300 + 400 saved


def test_a_common_part_that_is_a_lesion_itself_is_run_once():
    lesions = [pair(5, 9), one(C[5]), pair(5, 8)]
    found = plan(lesions, layout(), eight)
    (child,) = found.children
    assert child.lesion == 1 and sorted(i for _, batch in walk(found) for i in batch.lesions) == [0, 2]


def test_the_empty_lesion_is_the_factual_run():
    found = plan([(), one(C[2])], layout(), eight)
    assert found.lesion == 0 and [batch.lesions for batch in found.batches] == [(1,)]


def test_pairs_are_ordered_by_the_forward_not_by_address():
    late = Component("a late one", "other", (Site("layer9"),))
    lesions = [((late, Zero()), (C[i], Zero())) for i in (3, 4)] + [((late, Zero()), (C[3], Scale(2.0)))]
    assert plan(lesions, layout(), eight).children == [], "late comes last, so it is nobody's beginning"


def test_triples_share_pairs():
    lesions = [(*pair(1, 2), *one(C[b])) for b in (7, 8, 9)]
    found = plan(lesions, layout(), eight)
    assert [child.parts for child in found.children] == [pair(1, 2)]
    assert sorted(i for batch in found.children[0].batches for i in batch.lesions) == [0, 1, 2]


def test_lesions_after_which_all_is_narrow_share_a_forward_with_more_others():
    heads = [one(component(layer, span=(i, i + 1))) for layer in (2, 8) for i in range(6)]
    found = plan(heads, layout(), lambda widest: 1600 // widest)
    assert sorted(batch.lesions for _, batch in walk(found)) == [(0, 1), (2, 3), (4, 5), (6, 7, 8, 9, 10, 11)]
    asked = []
    plan([(), one(component(99)), one(C[4])], layout(), lambda widest: asked.append(widest) or 8)
    assert sorted(set(asked)) == [600, 1000], "what never acts, or acts nowhere known, may change all"


def test_equal_input_gives_an_equal_plan():
    lesions = [*(one(c) for c in C), *(pair(a, b) for a, b in itertools.combinations(range(10), 2))]
    assert plan(lesions, layout(), eight) == plan(list(lesions), layout(), eight)
