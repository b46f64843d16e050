"""Whatever acts on something without a way in between is traced as its parent: random networks, plain hooks."""

import importlib.util
from collections import Counter
from pathlib import Path

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalablate.component import Component, Site
from causalablate.engine.dependencies import Passage, dependencies
from causalablate.engine.frozen import frozen
from causalablate.engine.hooks import hooked

_spec = importlib.util.spec_from_file_location(
    "random_models_of_graphs", Path(__file__).parents[2] / "engine" / "random_models.py"
)
models = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(models)

MOST_CALLS = 30


WILD = tuple(models.KINDS)
ROUGH = {"Branch", "Loop", "Advises", "Leaves", "SignedZero", "NotANumber"}
"""Rounding decides what they do."""
CONTINUOUS = tuple(kind for kind in models.KINDS if kind not in ROUGH)
PROFILE = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def networks(draw, kinds, also):
    """Parts of all kinds, several inside several others, in any order, maybe twice over; every outermost one runs."""
    cost, parts = [], []
    for i in range(draw(st.integers(3, 7))):
        kind = draw(st.sampled_from(kinds))
        n_inner = models.KINDS[kind].n_inner
        inner = tuple(draw(st.integers(0, i - 1)) for _ in range(n_inner)) if i else ()
        price = 1 + (3 if kind == "Loop" else 1) * sum(cost[j] for j in inner)
        if len(inner) < n_inner or price > MOST_CALLS:
            kind, inner, price = "Dense", (), 1
        parts.append((kind, inner))
        cost.append(price)
    number = st.integers(0, 9)
    outermost = set(range(len(parts))) - {j for _, inner in parts for j in inner}
    steps = [(draw(st.sampled_from(("call", "by keyword"))), i, draw(number)) for i in sorted(outermost)]
    steps += draw(st.lists(st.tuples(st.sampled_from(also), number, number), max_size=4))
    return models.Graph(
        tuple(parts),
        tuple(draw(st.permutations(steps))),
        draw(st.booleans()),
        draw(st.sampled_from(models.OUTPUTS)),
        draw(st.integers(0, 3)),
    )


@st.composite
def nodes(draw, network, at):
    """Up to five components, some of them only a slice; of one module never both the output and the delta."""
    chosen, taken = [], set()
    for path, where in draw(st.permutations([place for place in models.sites(network) if place[1] in at]))[:5]:
        if (path, where == "input") not in taken:
            taken.add((path, where == "input"))
            span = draw(st.sampled_from((None, None, (1, 3))))
            chosen.append(Component(f"c{len(chosen)}", "other", (Site(path, where, span=span),)))
    return chosen


def run(network, inputs, components, said, off=None):
    """One forward in which every passage says what it said before, but for one that is off.

    Returns what each would have said, and the tensors that come out.
    """
    heard, passed = {}, Counter()

    def edit_of(component):
        site = component.sites[0]

        def edit(x, call, args):
            passage = Passage(component.address, passed[component.address])
            passed[component.address] += 1
            heard[passage] = site.part(x).clone()
            here = said.get(passage, heard[passage])
            if passage == off:
                here = here.nan_to_num() * -2.0 + 0.75
            if here.shape != heard[passage].shape or models.same(here, heard[passage]):
                return x
            return site.with_part(x, here.clone())

        return edit

    models.seed_everything()
    edits = {component.sites[0].place: edit_of(component) for component in components}
    with frozen(network, inference=False), hooked(network, edits, begin=lambda args, kwargs: None):
        models.seed_everything()
        output = [x.clone() for x in models.tensors(network(**models.copied(inputs)))]
    return heard, output


def untraced(network, inputs, components, same):
    """Pairs of a passage and a later one, or the output, that has no such parent although the one acts on the other."""
    models.seed_everything()
    found = dependencies(network, models.copied(inputs), components, models.tensors)
    said, output = run(network, inputs, components, {})
    assert list(said) == list(found.order)
    assert all(found.order.index(q) < i for i, p in enumerate(found.order) for q in found.parents[p])
    missed = []
    for i, passage in enumerate(said):
        heard, there = run(network, inputs, components, said, passage)
        acted_on = [p for p in found.order[i + 1 :] if p not in heard or not same(heard[p], said[p])]
        missed += [(passage, p) for p in acted_on if passage not in found.parents[p]]
        if not same(there, output) and passage not in found.read:
            missed.append((passage, "output"))
    return missed


@settings(PROFILE, max_examples=100)
@given(data=st.data())
def test_every_direct_effect_is_traced(data):
    """To the bit, whatever the parts do: edits in place, aliases, loops and branches on data, random numbers."""
    graph = data.draw(networks(WILD, models.STEPS))
    network = models.Network(graph).eval()
    components = data.draw(nodes(network, ("output", "input")))
    assert untraced(network, models.inputs_of(graph), components, models.same) == []


@settings(PROFILE, max_examples=60)
@given(data=st.data())
def test_every_direct_effect_of_and_on_residual_blocks_is_traced(data):
    """Up to rounding, since start + (end - start) is not the end to the bit."""
    graph = data.draw(networks(CONTINUOUS, [step for step in models.STEPS if step != "branch"]))
    network = models.Network(graph).eval()
    components = data.draw(nodes(network, ("delta", "input")))
    assert untraced(network, models.inputs_of(graph), components, alike) == []


def alike(x, y):
    """Whether two tensors, or lists of them, are equal up to rounding."""
    if isinstance(x, list):
        return all(alike(a, b) for a, b in zip(x, y, strict=True))
    return x.shape == y.shape and torch.allclose(x, y, rtol=1e-3, atol=1e-3, equal_nan=True)
