import pytest
import torch
from torch import nn

import causalablate as ca
from causalablate.component import Component, Site
from causalablate.engine.dependencies import Dependencies, Passage, dependencies, together


class Fork(nn.Module):
    """a and b read x; c reads both, d reads b alone; the stream adds what blocks say; unused is never called."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d, self.unused, self.out = (nn.Linear(4, 4) for _ in range(6))

    def forward(self, x):
        a, b = self.a(x), self.b(x)
        both = torch.empty_like(x)
        both[:, :2], both[:, 2:] = a[:, :2], b[:, 2:]
        return self.out(self.c(both) + self.d(b))


class Twice(nn.Module):
    """Looks once, decides by what it saw, and looks again."""

    def __init__(self):
        super().__init__()
        self.look, self.side, self.out = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        first = self.look(x)
        if first.sum().item() > 1e9:
            x = x + 1
        return self.out(self.look(x)) + self.side(x)


class Block(nn.Module):
    """A residual block."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, x):
        return x + self.inner(x)


def follow(net, parts):
    model = ca.wrap(net, parts, answers=4)
    components = [model.components[address] for address in parts]
    (batch,) = model.batches(ca.tensors(torch.ones(1, 4), [0]), 1)
    found = dependencies(model.module, batch.inputs, components, lambda output: [output])
    return {f"{p.component}{p.n}": {f"{q.component}{q.n}" for q in qs} for p, qs in found.parents.items()}, found


def test_only_the_nearest_are_parents():
    found, whole = follow(Fork(), {name: name for name in ("a", "b", "c", "d", "unused")})
    assert found == {"a0": set(), "b0": set(), "c0": {"a0", "b0"}, "d0": {"b0"}}
    assert whole.read == {Passage("c", 0), Passage("d", 0)}
    assert [p.component for p in whole.order] == ["a", "b", "c", "d"]


def test_every_time_is_a_passage_and_a_decision_reaches_all_that_follows():
    found, whole = follow(Twice(), {"look": "look", "side": "side"})
    assert found == {"look0": set(), "look1": {"look0"}, "side0": {"look0"}}
    assert whole.read == {Passage("look", 0), Passage("look", 1), Passage("side", 0)}


def test_the_stream_passes_residual_blocks_by():
    net = nn.Sequential(Block(), Block(), Block())
    parts = {f"layers.{i}": ca.Part(str(i), at="delta") for i in range(3)}
    found, whole = follow(net, parts)
    assert found == {"layers.00": set(), "layers.10": {"layers.00"}, "layers.20": {"layers.00", "layers.10"}}
    assert len(whole.read) == 3


def test_the_stream_itself_lets_nothing_pass():
    found, _ = follow(nn.Sequential(Block(), Block(), Block()), {str(i): str(i) for i in range(3)})
    assert found == {"00": set(), "10": {"00"}, "20": {"10"}}


def test_parts_that_leave_gaps_let_the_rest_pass():
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4))
    half = {"first": "0", "half": ca.Part("1", span=(0, 2)), "last": "2"}
    assert follow(net, half)[0]["last0"] == {"first0", "half0"}
    both = half | {"rest": ca.Part("1", span=(2, 4))}
    assert follow(net, both)[0]["last0"] == {"half0", "rest0"}


@pytest.mark.parametrize("kind", ["head", "layer"])
def test_the_shipped_model_is_left_alone(kind):
    model, examples = ca.load("shipped"), ca.digits(2)
    (batch,) = model.batches(examples, 2)
    with torch.no_grad():
        before = model(**batch.inputs)
        components = [c for c in model.components.values() if c.kind == kind]
        dependencies(model.module, batch.inputs, components, lambda output: list(model.read(output).logits.values()))
        after = model(**batch.inputs)
    pairs = zip(model.read(before).logits.values(), model.read(after).logits.values(), strict=True)
    assert all(torch.equal(x, y) for x, y in pairs)


class Alias(nn.Module):
    """a returns what it is given; then b is written into the one or the other, and c reads the one or the other."""

    def __init__(self, written, read):
        super().__init__()
        self.a, self.b, self.c = nn.Identity(), nn.Linear(4, 4), nn.Linear(4, 4)
        self.written, self.read = written, read

    def forward(self, x):
        b, given = self.b(x), x + 0.0
        tensors = {"given": given, "returned": self.a(given)}
        tensors[self.written].add_(b)
        return self.c(tensors[self.read])


@pytest.mark.parametrize(
    ("written", "read", "parents"),
    [
        ("returned", "returned", {"a0", "b0"}),
        ("given", "given", {"b0"}),
        ("given", "returned", {"a0", "b0"}),  # b reaches c as long as a returns the very tensor
        ("returned", "given", {"a0", "b0"}),  # and no longer when a is off
    ],
)
def test_writing_into_what_a_component_hands_through(written, read, parents):
    found, _ = follow(Alias(written, read), {name: name for name in "abc"})
    assert found == {"b0": set(), "a0": set(), "c0": parents}


class Picks(nn.Module):
    """The gate decides which of two tensors, both there already, c hands on."""

    def __init__(self):
        super().__init__()
        self.gate, self.c, self.d = nn.Linear(4, 4), nn.Identity(), nn.Linear(4, 4)

    def forward(self, x):
        gate, more, less = self.gate(x), x + 1, x - 1
        return self.d(self.c(more if gate.sum() > 0 else less))


def test_which_tensor_a_component_is_given_can_be_decided():
    found, whole = follow(Picks(), {name: name for name in ("gate", "c", "d")})
    assert found == {"gate0": set(), "c0": {"gate0"}, "d0": {"gate0", "c0"}}
    assert whole.read == {Passage("gate", 0), Passage("d", 0)}


def test_slices_of_different_axes_do_not_fill_an_activation():
    class Grid(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.whole, self.last = nn.Identity(), nn.Identity(), nn.Identity()

        def forward(self, x):
            return self.last(self.whole(self.first(x.reshape(-1, 2, 2)))).flatten(1)

    sites = {
        "first": Site("first"),
        "a row": Site("whole", span=(0, 1), axis=1),
        "a column": Site("whole", span=(1, 2)),
        "last": Site("last"),
    }
    components = [Component(address, "module", (site,)) for address, site in sites.items()]
    found = dependencies(Grid(), {"x": torch.ones(1, 4)}, components, lambda output: [output])
    assert Passage("first", 0) in found.parents[Passage("last", 0)]


def made(order, edges=(), read=""):
    passages = {name: Passage(name, 0) for name in order}
    parents = {p: frozenset(passages[i] for i, j in edges if j == name) for name, p in passages.items()}
    return Dependencies(tuple(parents), parents, frozenset(passages[name] for name in read))


def test_two_forwards_together():
    one, other = made("abd", [("a", "b"), ("b", "d")], "d"), made("acd", [("a", "c"), ("c", "d")], "cd")
    both = together(one, other)
    assert [p.component for p in both.order] == ["a", "c", "b", "d"]
    assert both.parents == {
        Passage("a", 0): frozenset(),
        Passage("b", 0): {Passage("a", 0)},
        Passage("c", 0): {Passage("a", 0)},
        Passage("d", 0): {Passage("b", 0), Passage("c", 0)},
    }
    assert both.read == {Passage("c", 0), Passage("d", 0)}
    assert together(one, made("")).order == one.order == together(made(""), one).order
    assert together(one, made("ba")) is None and together(made("ab"), made("bca")) is None
