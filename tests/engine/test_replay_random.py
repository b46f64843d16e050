"""Memoised replay against plain execution, bit for bit, on random networks under random lesions."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.recording import Recording, record
from causalablate.engine.replay import ModuleTree, replay
from causalablate.engine.stack import Stack, Surroundings
from causalablate.errors import InertLesionError
from causalablate.offs import Noise, Scale, Value, Zero

_spec = importlib.util.spec_from_file_location("random_models", Path(__file__).parent / "random_models.py")
models = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(models)

MOST_CALLS = 40
"""Calls of parts in one go through a part: loops, branches and shared parts multiply."""


class Spread:
    """What the reference set says of every site."""

    def std(self, component, site, call):
        return torch.tensor(models.SPREAD)


AROUND = Surroundings(ComponentMap([]), lambda inputs: {}, Spread(), seed=0)


# How the test enters the engine


@dataclass
class Session:
    """One model and one recorded run of it."""

    tree: ModuleTree
    recording: Recording

    @property
    def output(self) -> Any:
        return self.recording.output

    @property
    def memoised(self) -> set:
        """Modules that may be left out."""
        return {module for module, _ in self.recording.calls}


def recorded(model, inputs, lesions, *, everything):
    """Run the model once; keep all modules, or only those that are worth keeping for these lesions."""
    tree = ModuleTree(model)
    if everything:
        wanted = set(model.modules()) - {model}
    else:
        wanted = set().union(*(tree.beside(tree.blocked(Stack([lesion], AROUND).places)) for lesion in lesions))
    models.seed_everything()
    return Session(tree, record(model, inputs, models.KEYS, AROUND, wanted))


def recorded_under(session, part):
    """The same run under one part of a lesion, from what the session knows."""
    wanted = set(session.tree.root.modules()) - {session.tree.root}
    blocked = session.tree.blocked(Stack([[part]], AROUND).places)
    models.seed_everything()
    run = record(
        session.tree.root,
        session.recording.inputs,
        models.KEYS,
        AROUND,
        wanted,
        parts=(part,),
        base=session.recording,
        blocked=blocked,
    )
    return Session(session.tree, run)


def replayed(session, lesion):
    """Run the model once more, under a lesion: its output."""
    models.seed_everything()
    return replay(session.tree, session.recording, [lesion], AROUND)[0]


# Random networks and lesions


@st.composite
def graphs(draw):
    cost, parts = [], []
    for i in range(draw(st.integers(2, 7))):
        kind = draw(st.sampled_from(sorted(models.KINDS)))
        n_inner = models.KINDS[kind].n_inner
        inner = tuple(draw(st.integers(0, i - 1)) for _ in range(n_inner)) if i else ()
        price = 1 + (3 if kind == "Loop" else 1) * sum(cost[j] for j in inner)
        if len(inner) < n_inner or price > MOST_CALLS:
            kind, inner, price = "Dense", (), 1
        parts.append((kind, inner))
        cost.append(price)
    step = st.tuples(st.sampled_from(("call", "by keyword", *models.STEPS)), st.integers(0, 6), st.integers(0, 6))
    return models.Graph(
        tuple(parts),
        tuple(draw(st.lists(step, min_size=2, max_size=7))),
        draw(st.booleans()),
        draw(st.sampled_from(models.OUTPUTS)),
        draw(st.integers(0, 3)),
    )


OFFS = (Zero(), Scale(-2.0), Scale(0.0), Value.of(0.75), Noise(1.0))


@st.composite
def lesions(draw, network):
    """One to three parts at any sites, a site perhaps twice."""
    places, parts = models.sites(network), []
    for i in range(draw(st.integers(1, 3))):
        path, at = places[draw(st.integers(0, len(places) - 1))]
        span = draw(st.sampled_from((None, None, (1, 3))))
        component = Component(f"c{i}", "other", (Site(path, at, span),))
        parts.append((component, draw(st.sampled_from(OFFS))))
    return parts


def expected(network, inputs, lesion):
    """What plain execution gives, or None where a part of the lesion is never reached."""
    output, acted = models.executed(network, inputs, lesion)
    return output if len(acted) == len(lesion) else None


@settings(derandomize=True, deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_replay_is_plain_execution_bit_for_bit(data):
    graph = data.draw(graphs())
    network, inputs = models.Network(graph).eval(), models.inputs_of(graph)
    asked = [data.draw(lesions(network)) for _ in range(data.draw(st.integers(1, 3)))]
    plain = [expected(network, inputs, lesion) for lesion in asked]
    factual, _ = models.executed(network, inputs, [])
    state = {name: value.clone() for name, value in network.state_dict().items()}

    given_inputs = models.copied(inputs)
    session = recorded(network, given_inputs, asked, everything=data.draw(st.booleans()))
    assert models.same(session.output, factual)
    assert not any(
        getattr(module, "random", False) or getattr(module, "stateful", False) for module in session.memoised
    )

    for lesion, output in [*zip(asked, plain, strict=True), *zip(asked, plain, strict=True)]:
        if output is None:
            with pytest.raises(InertLesionError):
                replayed(session, lesion)
        else:
            assert models.same(replayed(session, lesion), output)
    for lesion, output in zip(asked, plain, strict=True):
        if output is not None and len(lesion) > 1 and expected(network, inputs, lesion[:1]) is not None:
            assert models.same(replayed(recorded_under(session, lesion[0]), lesion), output)
    assert models.same(replayed(session, []), factual)
    assert models.same(session.output, factual)

    assert models.same(given_inputs, inputs)
    assert models.same(state, {name: value for name, value in network.state_dict().items()})
    assert not any(m._forward_hooks or m._forward_pre_hooks or "forward" in vars(m) for m in network.modules())
