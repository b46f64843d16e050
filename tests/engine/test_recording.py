"""What may be left out of a replay, and what never: modules that draw, remember, or edit."""

import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.lesioned import lesioned
from causalablate.engine.recording import Kept, record
from causalablate.engine.repeated import Repeated
from causalablate.engine.replay import ModuleTree, replay
from causalablate.engine.stack import Stack, Surroundings
from causalablate.offs import Scale, Zero

KEYS = ["a", "b"]
AROUND = Surroundings(ComponentMap([]), lambda inputs: {}, None, 0)
WIDTH = 4


def part(path, how=None):
    return Component(path, "other", (Site(path),)), how or Scale(2.0)


class Linear(nn.Linear):
    def __init__(self):
        super().__init__(WIDTH, WIDTH)


class Does(nn.Module):
    """Calls a function of itself, its arguments and its children."""

    def __init__(self, does, **children):
        super().__init__()
        self.does = does
        for name, child in children.items():
            setattr(self, name, child)

    def forward(self, *args, **kwargs):
        return self.does(self, *args, **kwargs)


def network(does, **children):
    """`does(self, x)` with a linear `last`, which is lesioned."""
    torch.manual_seed(0)
    return Does(does, **children, last=Linear()).eval()


@pytest.fixture
def x():
    return torch.randn(2, 3, WIDTH, generator=torch.Generator().manual_seed(0))


def seed():
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)


def recorded(net, x, **kwargs):
    seed()
    return record(net, {"x": x}, KEYS, AROUND, set(net.modules()) - {net}, **kwargs)


def plainly(net, x, *parts):
    seed()
    with torch.no_grad(), lesioned(net, parts, AROUND):
        return net(x=x.clone())


def kept(net, recording):
    names = {module: name for name, module in net.named_modules()}
    return [f"{names[module]}:{call}" for module, call in recording.calls]


def assert_exact(net, x, *parts):
    """Replay twice, and see that it is the plain forward bit for bit; give back what was kept."""
    parts, recording = parts or [part("last")], recorded(net, x)
    assert torch.equal(recording.output, plainly(net, x))
    for lesion in (parts, [], parts):
        seed()
        assert torch.equal(replay(ModuleTree(net), recording, [lesion], AROUND)[0], plainly(net, x, *lesion))
    return kept(net, recording)


# What is kept


def test_every_call_has_its_own_record(x):
    net = network(lambda self, x: self.last(self.a(self.a(x)) + self.a(x)), a=Linear())
    assert assert_exact(net, x) == ["a:0", "a:1", "a:2", "last:0"]


def test_only_wanted_modules_are_kept(x):
    net = network(lambda self, x: self.last(self.a(x)), a=nn.Sequential(Linear(), Linear()))
    assert kept(net, record(net, {"x": x}, KEYS, AROUND, {net.a})) == ["a:0"]


@dataclass
class Package:
    x: torch.Tensor
    options: dict


class Cache:
    """Something with a life of its own."""

    def __init__(self):
        self.seen = []


@pytest.mark.parametrize(
    ("wrap", "is_kept"),
    [
        (lambda x: [x, (x * 2, None)], True),
        (lambda x: {"x": x, "factor": -0.0}, True),
        (lambda x: Package(x, {"deep": [x]}), True),
        (lambda x: (x, Cache()), False),
        (lambda x: (x, iter([x])), False),
        (lambda x: (x, torch.nested.nested_tensor([x[0], x[1]], layout=torch.jagged)), False),
        (lambda x: (x, x.to_sparse()), True),
    ],
)
@pytest.mark.parametrize("at", ["given", "returned"])
def test_arguments_and_results_in_any_structure(x, wrap, is_kept, at):
    def first(value):
        while not isinstance(value, torch.Tensor):
            value = (
                value.x if isinstance(value, Package) else next(iter(value.values() if type(value) is dict else value))
            )
        return value

    if at == "given":
        net = network(lambda self, x: self.last(self.a(wrap(x))), a=Does(lambda self, value: first(value) + 1))
    else:
        net = network(lambda self, x: self.last(first(self.a(x))), a=Does(lambda self, x: wrap(x + 1)))
    assert ("a:0" in assert_exact(net, x)) is is_kept


def test_a_sparse_argument_made_anew_each_time_is_not_known(x):
    net = network(
        lambda self, x: self.last(self.a(torch.eye(3).to_sparse(), x)), a=Does(lambda self, a, x: a.to_dense() @ x)
    )
    assert_exact(net, x)


def test_an_argument_minus_zero_is_not_zero(x):
    """Under the lesion the factor is 0.0, in the factual run -0.0."""
    net = network(
        lambda self, x: self.a(x, float(self.last(x).sum() * 0.0)),
        a=Does(lambda self, x, f: x.copysign(torch.tensor(f))),
    )
    outcomes = {plainly(net, x, part("last", Scale(s))).sum().item() for s in (1.0, -1.0)}
    assert len(outcomes) == 2
    for s in (1.0, -1.0):
        assert_exact(net, x, part("last", Scale(s)))


# What is never kept


class Adds(nn.Module):
    """Adds one to a number somewhere in itself each time, and returns its argument times the number."""

    def __init__(self, where):
        super().__init__()
        self.where, self.n, self.list, self.dict, self.deep = where, 1, [1], {"n": 1}, [{"n": [1]}]
        self.object, self.parameter = Cache(), nn.Parameter(torch.ones(()))
        self.object.n = 1
        self.register_buffer("buffer", torch.ones(()))
        self.array = np.ones(1)

    @torch.no_grad()
    def reset(self):
        """Back to one, in the same place."""
        match self.where:
            case "attribute":
                self.n = 1
            case "grows":
                del self.list[1:]
            case "in a list":
                self.list[0] = 1
            case "in a dict":
                self.dict["n"] = 1
            case "deep inside":
                self.deep[0]["n"][0] = 1
            case "in an object":
                self.object.n = 1
            case "array":
                self.array[:] = 1
            case "buffer":
                self.buffer.fill_(1)
            case "parameter":
                self.parameter.fill_(1)
            case "new buffer":
                self.buffer = torch.ones(())

    @torch.no_grad()
    def forward(self, x):
        match self.where:
            case "attribute":
                self.n += 1
                return x * self.n
            case "grows":
                self.list.append(1)
                return x * len(self.list)
            case "in a list":
                self.list[0] += 1
                return x * self.list[0]
            case "in a dict":
                self.dict["n"] += 1
                return x * self.dict["n"]
            case "deep inside":
                self.deep[0]["n"][0] += 1
                return x * self.deep[0]["n"][0]
            case "in an object":
                self.object.n += 1
                return x * self.object.n
            case "array":
                self.array += 1
                return x * self.array.item()
            case "buffer":
                self.buffer += 1
                return x * self.buffer
            case "parameter":
                self.parameter += 1
                return x * self.parameter
            case "new buffer":
                self.buffer = self.buffer + 1
                return x * self.buffer


@pytest.mark.parametrize(
    "where",
    [
        "attribute",
        "grows",
        "in a list",
        "in a dict",
        "deep inside",
        "in an object",
        "array",
        "buffer",
        "parameter",
        "new buffer",
    ],
)
def test_a_module_that_remembers_is_run_each_time(x, where):
    """Two calls in one forward differ; were the first left out, the second would be wrong."""

    def does(self, x):
        self.a.reset()
        return self.a(self.last(self.a(x)))

    net = network(does, a=Adds(where))
    assert assert_exact(net, x) == ["last:0"]


class Draws(nn.Module):
    def __init__(self, source):
        super().__init__()
        self.source, self.generator = source, torch.Generator()
        self.numpy, self.python = np.random.default_rng(0), random.Random(0)

    def reset(self):
        match self.source:
            case "own torch":
                self.generator.manual_seed(3)
            case "own numpy":
                self.numpy.bit_generator.state = np.random.default_rng(0).bit_generator.state
            case "own python":
                self.python.seed(0)

    def forward(self, x):
        match self.source:
            case "torch":
                return x + torch.rand_like(x)
            case "dropout":
                return torch.dropout(x, 0.5, True)
            case "python":
                return x * random.random()
            case "numpy":
                return x * float(np.random.rand())
            case "own torch":
                return x + torch.rand(x.shape, generator=self.generator)
            case "own numpy":
                return x * float(self.numpy.random())
            case "own python":
                return x * self.python.random()


@pytest.mark.parametrize("source", ["torch", "dropout", "python", "numpy", "own torch", "own numpy", "own python"])
def test_a_module_that_draws_is_run_each_time(x, source):
    def does(self, x):
        self.a.reset()
        return self.a(self.last(self.a(x)))

    net = network(does, a=Draws(source))
    assert assert_exact(net, x) == ["last:0"]


def test_a_container_of_one_that_draws_is_run_and_its_other_parts_are_not(x):
    inner = nn.Sequential(Linear(), Draws("torch"), Linear())
    net = network(lambda self, x: self.last(self.a(x)), a=inner)
    assert set(assert_exact(net, x)) == {"a.0:0", "a.2:0", "last:0"}


# Edits in place


def test_a_module_that_edits_its_argument_is_run_each_time(x):
    def does(self, x):
        y = x * 1
        return self.last(self.a(y)) + y

    net = network(does, a=Does(lambda self, y: y.add_(1.0) * 2))
    assert assert_exact(net, x) == ["last:0"]


def edits_result(self, x):
    y = self.a(x)
    y.mul_(3.0)
    return self.last(y)


def edits_part_of_a_result(self, x):
    y = self.a(x)
    y[:, 0].zero_()
    return self.last(y)


def edits_result_after_another_read_it(self, x):
    y = self.a(x)
    z = self.b(y)
    y.neg_()
    return self.last(y + z)


def edits_argument_between(self, x):
    y = x * 1
    a = self.a(y)
    y.add_(1.0)
    return self.last(a + self.b(y))


def edits_one_of_two_results_that_are_one(self, x):
    one, other = self.two(x)
    one.add_(1.0)
    return self.last(other)


def edits_a_view_among_results(self, x):
    whole, row = self.view(x)
    row.add_(1.0)
    return self.last(whole)


def edits_what_a_module_handed_through(self, x):
    y = x * 1
    z = self.same(y)
    z.add_(1.0)
    return self.last(y)


def edits_what_a_module_took_a_view_of(self, x):
    y = x * 1
    z = self.row(y)
    y.add_(1.0)
    return self.last(y) + z


def edits_in_inference_mode(self, x):
    with torch.inference_mode():
        y = self.a(x)
    z = self.b(y)
    with torch.inference_mode():
        y.add_(1.0)
    return self.last(y + z)


def edits_only_under_a_lesion(self, x):
    y, z = self.a(x), self.b(x)
    if self.last(x).sum() > 0:
        y.add_(1.0)
        self.same(z).mul_(2.0)
    return self.b(y) + z


EDITS = [
    edits_result,
    edits_part_of_a_result,
    edits_result_after_another_read_it,
    edits_argument_between,
    edits_one_of_two_results_that_are_one,
    edits_a_view_among_results,
    edits_what_a_module_handed_through,
    edits_what_a_module_took_a_view_of,
    edits_in_inference_mode,
    edits_only_under_a_lesion,
]


def editing(does):
    return network(
        does,
        a=Linear(),
        b=Linear(),
        two=Does(lambda self, x: (y := x * 2, y)),
        view=Does(lambda self, x: (y := x * 2, y[:, :1])),
        same=nn.Identity(),
        row=Does(lambda self, x: x[:, :1]),
    )


@pytest.mark.parametrize("does", EDITS)
def test_edits_in_place_by_others(x, does):
    net = editing(does)
    for how in (Scale(-2.0), Zero()):
        assert_exact(net, x, part("last", how))


def test_what_others_edit_is_kept_as_copies(x):
    assert "a:0" in assert_exact(editing(edits_result), x) and "b:0" in assert_exact(
        editing(edits_result_after_another_read_it), x
    )


@pytest.mark.parametrize(
    "does", [lambda self, x: self.last(self.a(x.add_(1.0))), lambda self, x: self.last(self.a(x[:, :1].mul_(2.0)) + x)]
)
def test_a_model_that_edits_its_inputs(x, does):
    before = x.clone()
    assert_exact(network(does, a=Linear()), x)
    assert torch.equal(x, before)


def test_a_model_that_edits_its_inputs_only_under_a_lesion(x):
    def does(self, x):
        y = self.last(x)
        return self.a(x.add_(1.0) if y.sum() > 0 else x) + y

    net = network(does, a=Linear())
    for scale in (-2.0, 2.0, -2.0):
        assert_exact(net, x, part("last", Scale(scale)))


def test_inputs_of_inference_mode_and_opaque_inputs(x):
    net = network(lambda self, x, cache: self.last(self.a(x)), a=Linear())
    with torch.inference_mode():
        given = x.clone()
    cache = Cache()
    recording = record(net, {"x": given, "cache": cache}, KEYS, AROUND, {net.a, net.last})
    assert recording.inputs["cache"] is cache and kept(net, recording) == ["a:0", "last:0"]
    output, _, _ = replay(ModuleTree(net), recording, [[part("last")]], AROUND)
    with torch.no_grad(), lesioned(net, [part("last")], AROUND):
        assert torch.equal(output, net(x=x, cache=cache))


# A recording under a lesion, from another one


def test_what_is_known_is_not_run_again(x):
    runs = []
    net = network(
        lambda self, x: self.last(self.b(self.a(x))),
        a=Does(lambda self, x: (runs.append("a"), self.inner(x))[1], inner=Linear()),
        b=Does(lambda self, x: (runs.append("b"), self.inner(x))[1], inner=Linear()),
    )
    base = recorded(net, x)
    lesion, both = [part("b.inner")], [part("b.inner"), part("last")]
    blocked = ModuleTree(net).blocked(Stack([lesion], AROUND).places)
    runs.clear()
    under = recorded(net, x, parts=lesion, base=base, blocked=blocked)
    assert runs == ["b"] and under.calls[net.a, 0] is base.calls[net.a, 0]
    assert torch.equal(under.output, plainly(net, x, *lesion))
    runs.clear()
    output, norms, _ = replay(ModuleTree(net), under, [both], AROUND)
    assert runs == [] and torch.equal(output, plainly(net, x, *both))
    with lesioned(net, both, AROUND) as action:
        net(x=x)
    assert torch.allclose(norms[0], action.change_norm) and torch.equal(
        under.norm, replay(ModuleTree(net), base, [lesion], AROUND)[1][0]
    )


def test_lesions_are_added_one_after_the_other(x):
    """What the first recording left out, the next one counts; calls keep their numbers."""
    shared = Linear()
    net = network(
        lambda self, x: self.last(self.c(self.b(self.a(x)))),
        a=nn.Sequential(shared, nn.Sequential(Linear(), shared)),
        b=Linear(),
        c=nn.Sequential(shared, Linear()),
    )
    known, parts = recorded(net, x), []
    for path in ("a.1.0", "b", "last"):
        parts = [*parts, part(path)]
        blocked = ModuleTree(net).blocked(Stack([parts[-1:]], AROUND).places)
        known = recorded(net, x, parts=parts, base=known, blocked=blocked)
        assert torch.equal(known.output, plainly(net, x, *parts))
        with lesioned(net, parts, AROUND) as action:
            net(x=x)
        assert torch.equal(known.norm, action.change_norm)
        if path == "b":
            assert (shared, 2) in known.calls and (shared, 0) not in known.calls


def test_acts_of_two_sites_that_alternate_keep_their_order(x):
    """Left out together, they count as they would have acted: p, q, p, q."""
    net = network(
        lambda self, x: self.last(self.a(x)),
        a=Does(lambda self, x: self.q(self.p(self.q(self.p(x)))), p=Linear(), q=Linear()),
    )
    two = Component("two", "other", (Site("a.p"), Site("a.q"))), Scale(2.0)
    blocked = ModuleTree(net).blocked(Stack([[two]], AROUND).places)
    under = recorded(net, x, parts=[two], base=recorded(net, x), blocked=blocked)
    both = [two, part("last")]
    output, norms, _ = replay(ModuleTree(net), under, [both], AROUND)
    assert torch.equal(output, plainly(net, x, *both))
    with lesioned(net, both, AROUND) as action:
        net(x=x)
    assert torch.equal(norms[0], action.change_norm)


def test_a_base_that_was_written_into_is_not_trusted(x):
    net = network(lambda self, x: self.last(self.a(x)), a=Linear())
    base = recorded(net, x)
    base.calls[net.a, 0].returned[0].tensor.zero_()
    assert not base.intact
    under = recorded(net, x, parts=[part("last")], base=base)
    assert under.intact and torch.equal(under.output, plainly(net, x, part("last")))


# One kept tensor


def test_kept_tensors_are_compared_bit_by_bit():
    base = torch.tensor([[1.0, float("nan")], [0.0, 2.0]])
    one = Kept(base)
    assert one.equals(base, 1, False) and one.equals(base.clone(), 1, False)
    for i, j, value in ((1, 0, -0.0), (0, 0, 1.0 + 2**-23), (1, 1, float("nan"))):
        other = base.clone()
        other[i, j] = value
        assert not one.equals(other, 1, False) and not one.equals(torch.cat([base, other]), 2, True)
    assert not one.equals(base.double(), 1, False) and not one.equals(base[:1], 1, False)


def test_kept_tensors_know_copies_of_themselves():
    base = torch.randn(2, 3)
    one = Kept(base)
    assert one.equals(base.repeat(3, 1), 3, True) and one.equals(Repeated(base.clone(), 3), 3, True)
    assert not one.equals(base.repeat(2, 1), 3, True) and not one.equals(Repeated(base, 2), 3, True)
    assert not one.equals(base.repeat_interleave(3, 0), 3, True)
    assert (
        one.equals(base.clone(), 3, False)
        and not one.equals(base, 3, True)
        and not one.equals(Repeated(base, 3), 3, False)
    )
    assert not one.equals(base.repeat(3, 1), 3, None)
    written = Repeated(base, 3)
    written[:, 0].add_(1.0)
    assert not one.equals(written, 3, True)
    base.add_(1.0)
    assert not one.intact and not one.equals(base, 1, False)


# The model is left as it was


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("during", ["record", "replay"])
def test_the_model_comes_back_whatever_happens(x, error, during):
    net = network(lambda self, x: self.last(self.a(x)), a=nn.Sequential(Linear(), Linear()))
    net.train()
    net.a[1].eval()
    own = net.a[0].forward
    net.a[0].forward = lambda x: own(x)
    override, modes = net.a[0].forward, [m.training for m in net.modules()]
    recording = recorded(net, x)
    state = torch.get_rng_state()

    def fails(self, x):
        self.a(x)
        raise error

    net.does = fails
    with pytest.raises(error):
        if during == "record":
            record(net, {"x": x}, KEYS, AROUND, set(net.modules()) - {net})
        else:
            replay(ModuleTree(net), recording, [[part("last")]], AROUND)
    assert net.a[0].forward is override
    assert [name for name, m in net.named_modules() if "forward" in vars(m)] == ["a.0"]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert [m.training for m in net.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state) and not torch.is_inference_mode_enabled()


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ([0, 4, 6, 10, 12], True),  # of two copies
        ([0, 4, 6, 8, 12], False),  # the second cut otherwise
        ([0, 4, 6], False),  # of one
        ([0, 4, 6, 10, 12, 16, 18], False),  # of three
        ([1, 5, 7, 11, 13], False),  # not from the start
    ],
)
def test_starts_of_segments_count_on_from_copy_to_copy(given, same):
    """As packed attention is told where examples begin: such an argument grows, but not row by row."""
    kept = Kept(torch.tensor([0, 4, 6], dtype=torch.int32))
    assert kept.equals(torch.tensor(given, dtype=torch.int32), 2, None) is same
    assert not kept.equals(torch.tensor(given, dtype=torch.int64), 2, None)
    assert not Kept(torch.tensor([0.0, 4.0, 6.0])).equals(torch.tensor(given).float(), 2, None)
