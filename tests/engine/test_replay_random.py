"""Memoised replay against plain execution, bit for bit, on random networks under random lesions."""

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.layout import probe
from causalablate.engine.recording import Recording, record
from causalablate.engine.replay import ModuleTree
from causalablate.engine.replay import replay as replay_lesions
from causalablate.engine.stack import Stack, Surroundings
from causalablate.engine.sweep import Sweep
from causalablate.engine.values import map_tensors
from causalablate.errors import InertLesionError, LesionError
from causalablate.offs import Noise, Replace, Scale, Value, Zero

_spec = importlib.util.spec_from_file_location("random_models", Path(__file__).parent / "random_models.py")
models = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(models)

MOST_CALLS = 40
"""Calls of parts in one go through a part: loops, branches and shared parts multiply."""


class Spread:
    """What the reference set says of every site."""

    def std(self, component, site, call):
        return torch.tensor(models.SPREAD)


def around(stand_in):
    """What lesions refer to."""
    return Surroundings(ComponentMap([stand_in]), lambda inputs: {}, Spread(), seed=0)


# How the test enters the engine


@dataclass
class Session:
    """One model and one recorded run of it."""

    tree: ModuleTree
    around: Surroundings
    recording: Recording

    @property
    def output(self) -> Any:
        return self.recording.output

    @property
    def memoised(self) -> set:
        """Modules that may be left out."""
        return {module for module, _ in self.recording.calls}


def recorded(model, inputs, lesions, stand_in, *, everything):
    """Run the model once; keep all modules, or only those that are worth keeping for these lesions."""
    tree, context = ModuleTree(model), around(stand_in)
    wanted = set(model.modules()) - {model}
    if not everything:
        wanted = set().union(*(tree.beside(tree.blocked(Stack([lesion], context).places)) for lesion in lesions))
    models.seed_everything()
    return Session(tree, context, record(model, inputs, models.KEYS, context, wanted))


def recorded_under(session, lesion):
    """The same run under a part of some lesion, from what the session knows."""
    root, known = session.tree.root, session.recording
    models.seed_everything()
    run = record(
        root,
        known.inputs,
        models.KEYS,
        session.around,
        set(root.modules()) - {root},
        parts=tuple(lesion),
        base=known,
        blocked=session.tree.blocked(Stack([lesion], session.around).places),
    )
    return Session(session.tree, session.around, run)


def replayed(session, lesion):
    """Run the model once more, under a lesion: its output."""
    models.seed_everything()
    return replay_lesions(session.tree, session.recording, [lesion], session.around)[0]


def side_by_side(model, inputs, lesions, stand_in):
    """What each lesion makes of the model's output when up to three share a forward; None where they may not."""
    context = around(stand_in)
    places = list({place: None for lesion in lesions for place in Stack([lesion], context).places})
    one = map_tensors(inputs, lambda x: x[:1].clone())
    layout = probe(model, one, places, models.tensors)
    if layout.unstackable:
        return None

    def read(output, n):
        return [[x.chunk(n)[i].clone() for x in models.tensors(output)] for i in range(n)]

    sweep = Sweep(model, lesions, context, read, layout=layout, size=lambda widest: 3)
    found = {i: world.read for i, (world,) in sweep.worlds([sweep.record(inputs, models.KEYS)])}
    return [found[i] for i in range(len(lesions))]


# Random networks and lesions


@st.composite
def graphs(draw, kinds=tuple(models.KINDS), also=models.STEPS):
    """Every part runs, unless data decide otherwise; at most one kind of part is never to be left out."""
    wild = [kind for kind in kinds if models.KINDS[kind].random or models.KINDS[kind].stateful]
    tame = [kind for kind in kinds if kind not in wild]
    kinds = [*tame, draw(st.sampled_from(wild))] if wild and draw(st.booleans()) else tame
    cost, parts = [], []
    for i in range(draw(st.integers(4, 10))):
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
    steps += draw(st.lists(st.tuples(st.sampled_from(also), number, number), max_size=6))
    return models.Graph(
        tuple(parts),
        tuple(draw(st.permutations(steps))),
        draw(st.booleans()),
        draw(st.sampled_from(models.OUTPUTS)),
        draw(st.integers(0, 3)),
    )


STAND_IN = "stand-in"
OFFS = (Zero(), Scale(-2.0), Scale(0.0), Value.of(0.75), Noise(1.0), Replace(STAND_IN))


@st.composite
def sites(draw, network):
    path, at = draw(st.sampled_from(models.sites(network)))
    return Site(path, at)


@st.composite
def lesions(draw, network):
    """One to three parts at any sites; several parts often share a module, or its very activation."""
    parts, paths = [], []
    for i in range(draw(st.integers(1, 3))):
        site = draw(sites(network))
        if paths and draw(st.booleans()):
            site = draw(st.sampled_from([Site(*place) for place in models.sites(network) if place[0] in paths]))
        paths.append(site.module)
        how = draw(st.sampled_from(OFFS))
        span = None if how.kind == "replace" else draw(st.sampled_from((None, (1, 3))))
        parts.append((Component(f"c{i}", "other", (replace(site, span=span),)), how))
    return parts


def plainly(network, inputs, lesion, stand_in):
    """What plain execution gives, or the error that is due."""
    try:
        output, acted = models.executed(network, inputs, lesion, stand_in)
    except models.NoStandInError:
        return LesionError
    return output if len(acted) == len(lesion) else InertLesionError


def agrees(session, lesion, expected):
    """Whether a replay gives what plain execution gives; an error where that is due."""
    if expected in (LesionError, InertLesionError):
        with pytest.raises(expected):
            replayed(session, lesion)
        return True
    return models.same(replayed(session, lesion), expected)


PROFILE = settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@PROFILE
@given(data=st.data())
def test_replay_is_plain_execution_bit_for_bit(data):
    graph = data.draw(graphs())
    network, inputs = models.Network(graph).eval(), models.inputs_of(graph)
    stand_in = Component(STAND_IN, "other", (data.draw(sites(network)),))
    asked = data.draw(st.lists(lesions(network), min_size=1, max_size=4))
    plain = [plainly(network, inputs, lesion, stand_in) for lesion in asked]
    factual, _ = models.executed(network, inputs, [], stand_in)
    state = models.copied(dict(network.state_dict()))

    given_inputs = models.copied(inputs)
    session = recorded(network, given_inputs, asked, stand_in, everything=data.draw(st.booleans()))
    assert models.same(session.output, factual)
    assert not any(
        getattr(module, "random", False) or getattr(module, "stateful", False) for module in session.memoised
    )

    for lesion, output in 2 * list(zip(asked, plain, strict=True)):
        assert agrees(session, lesion, output)
    for lesion, output in zip(asked, plain, strict=True):
        alone = lesion[:1]
        if len(lesion) > 1 and not isinstance(plainly(network, inputs, alone, stand_in), type):
            assert agrees(recorded_under(session, alone), lesion, output)
    assert models.same(replayed(session, []), factual)
    assert models.same(session.output, factual)

    assert models.same(given_inputs, inputs)
    assert models.same(dict(network.state_dict()), state)
    assert not any(m._forward_hooks or m._forward_pre_hooks or "forward" in vars(m) for m in network.modules())


@pytest.mark.parametrize("kind", models.KINDS)
def test_every_kind_of_part_under_a_lesion_at_every_site(kind):
    """It runs before and after a part whose result is edited in place; then its own result is, and both are read."""
    inner = (0, 1)[: models.KINDS[kind].n_inner]
    graph = models.Graph(
        (("Dense", ()), ("Norm", ()), (kind, inner)),
        (
            ("call", 2, 0),  # the part, given y
            ("call", 0, 0),
            ("relu_", 0, 0),
            ("by keyword", 2, 0),
            ("add_", 0, 4),  # y is added to what the part returned
            ("call", 1, 6),  # x, by a part of its own
            ("add", 0, 3),
            ("add", 0, 3),
        ),
        output="tuple",
    )
    network, inputs = models.Network(graph).eval(), models.inputs_of(graph)
    stand_in = Component(STAND_IN, "other", (Site("parts.0"),))
    session = recorded(network, inputs, [], stand_in, everything=True)
    factual, _ = models.executed(network, inputs, [], stand_in)
    assert models.same(session.output, factual)
    for place in models.sites(network):
        for how in OFFS:
            lesion = [(Component("c", "other", (Site(*place),)), how)]
            assert agrees(session, lesion, plainly(network, inputs, lesion, stand_in)), (place, str(how))


@settings(PROFILE, max_examples=50)
@given(data=st.data())
def test_what_is_known_is_not_computed_again(data):
    """Also where parts are shared, and where results are edited in place by whoever receives them."""
    tame = ("Norm", "EditsOwn", "EditsResult", "Chain", "Residual", "Both", "Packs", "Unpacks", "UnpacksModelOutput")
    graph = data.draw(graphs(kinds=("Dense", *tame)))
    network, inputs = models.Network(graph).eval(), models.inputs_of(graph)
    stand_in = Component(STAND_IN, "other", (Site("parts.0"),))
    session = recorded(network, inputs, [], stand_in, everything=True)
    models.Part.n_runs = 0
    for _ in range(3):
        replayed(session, [])
    assert models.Part.n_runs == 0


CONTINUOUS = tuple(
    kind
    for kind in models.KINDS
    if kind not in ("Branch", "Loop", "Advises", "Leaves", "SignedZero", "NotANumber")  # rounding decides what they do
)
TOLERANCE = 1e-4


@settings(PROFILE, max_examples=100)
@given(data=st.data())
def test_lesions_side_by_side_are_plain_execution_up_to_rounding(data):
    """A network whose rows see each other, or that draws random numbers, is found out and left alone."""
    graph = data.draw(graphs(CONTINUOUS, [step for step in models.STEPS if step != "branch"]))
    network, inputs = models.Network(graph).eval(), models.inputs_of(graph)
    stand_in = Component(STAND_IN, "other", (data.draw(sites(network)),))
    asked = data.draw(st.lists(lesions(network), min_size=2, max_size=5))
    assert agree_side_by_side(network, inputs, asked, stand_in)


def agree_side_by_side(network, inputs, asked, stand_in):
    """Whether lesions that share forwards give what plain execution gives, or may not share any."""
    plain = [(lesion, plainly(network, inputs, lesion, stand_in)) for lesion in asked]
    acting = [(lesion, output) for lesion, output in plain if not isinstance(output, type)]
    found = side_by_side(network, models.copied(inputs), [lesion for lesion, _ in acting], stand_in)
    return found is None or all(
        torch.allclose(x, y, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        for (_, output), tensors in zip(acting, found, strict=True)
        for x, y in zip(models.tensors(output), tensors, strict=True)
    )


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_every_kind_of_part_side_by_side(kind):
    """It runs on rows that are all the same, where its result is then edited in place, and on others."""
    inner = (0, 1)[: models.KINDS[kind].n_inner]
    graph = models.Graph(
        (("Dense", ()), ("Query", ()), (kind, inner)),
        (
            ("call", 1, 0),
            ("call", 2, 0),
            ("relu_", 0, 0),
            ("call", 0, 4),  # x, by an ordinary part
            ("by keyword", 2, 0),
            ("add", 0, 2),
        ),
        output="tuple",
    )
    network, inputs = models.Network(graph).eval(), models.inputs_of(graph)
    stand_in = Component(STAND_IN, "other", (Site("parts.0"),))
    places = enumerate(models.sites(network))
    asked = [[(Component(f"c{i}", "other", (Site(*place),)), how)] for i, place in places for how in OFFS[:4]]
    assert agree_side_by_side(network, inputs, asked, stand_in)
