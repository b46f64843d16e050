"""What holds of every graph: no edge against the computational order, no cycle, nobody dropped, no way missed."""

import importlib
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from transformers import GPT2Config, GPTNeoXConfig

import causalablate as ca
from causalablate.errors import GraphError
from causalablate.graph import ComponentGraph, Edge, computational_graph, transfer
from causalablate.graph.edges import component_graph
from causalablate.graph.nodes import high_level
from tests.families import text, tiny
from tests.graph.truth import circuits

SHIPPED = ["high level", ["lm.**.heads.*", "lm.**.mlp"], ["vision.**.heads.*", "vision.**.mlp", "query.*"]]
GPT = {"gpt2": GPT2Config(n_embd=32, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2, pad_token_id=0)}
BUILDS = {"llama": None, **GPT, "neox": GPTNeoXConfig(**text.SIZES)}
FAMILIES = ["vit", "llava", "qwen3_vl_moe", "mllama", "blip2_t5"]


def acting(found, beyond=0.0):
    """Who moved whom in any example, by more than a share of the target's largest change."""
    largest = np.abs(found.direct).max(axis=(0, 2))
    return {
        (i, j)
        for a, i in enumerate(found.sources)
        for b, j in enumerate(found.targets)
        if i != j and np.abs(found.direct[a, b]).max() > beyond * largest[b]
    }


def in_order(graph):
    rank = {node: i for i, node in enumerate(graph.order)}
    return all(rank[i] < rank[j] for i, j in graph.pairs) and nx.is_directed_acyclic_graph(graph.networkx())


@pytest.fixture(scope="module")
def shipped():
    return ca.load("shipped"), ca.digits(4)


@pytest.fixture(scope="module", params=[*BUILDS, *FAMILIES])
def pretrained(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    if request.param in BUILDS:
        text.build(path, BUILDS[request.param])
    else:
        importlib.import_module(f"tests.families.{request.param}").build(path)
    model = ca.load(str(path))
    tiny.spread(model.module)
    return request.param, model, tiny.examples(3, n_images=0 if request.param in BUILDS else 1)


@pytest.mark.parametrize("nodes", SHIPPED, ids=["high level", "lm", "vision"])
def test_no_edge_of_the_shipped_model_contradicts_the_order(shipped, nodes):
    model, examples = shipped
    nodes = None if nodes == "high level" else nodes
    passed = []

    def note(name):
        return lambda *args: passed.append(name)

    graph = computational_graph(model, examples, nodes)
    asked = {node.partition("#")[0] for node in graph.order if node not in (*graph.notes, "outcome")}
    sites = [(address, site) for address in asked for site in model.components[address].sites]
    handles = [
        (model.module.get_submodule(s.module).register_forward_pre_hook if s.at == "input" else _after(model, s))(
            note(a)
        )
        for a, s in sites
    ]
    (batch,) = model.batches(examples[:1], 1)
    with torch.no_grad():
        model(**batch.inputs)
    for handle in handles:
        handle.remove()
    # Components of one module pass together, in any order.
    named = [node.partition("#")[0] for node in graph.order if node not in (*graph.notes, "outcome")]
    assert sorted(named) == sorted(passed) and in_order(graph)
    place = {address: {s.module for s in model.components[address].sites} for address in asked}
    assert [place[a] for a in named] == [place[a] for a in passed]


def _after(model, site):
    return model.module.get_submodule(site.module).register_forward_hook


def test_no_graph_can_have_a_cycle():
    with pytest.raises(GraphError, match="against the order"):
        ComponentGraph("ab", (Edge("a", "b"), Edge("b", "a")))
    with pytest.raises(GraphError, match="against the order"):
        ComponentGraph("a", (Edge("a", "a"),))


def test_no_way_is_missed_in_models_of_transformers(pretrained):
    name, model, examples = pretrained
    for nodes in (None, ["**.heads.*", "**.mlp"]):
        found = transfer(model, examples, nodes, off="zero", outcomes=["answer_logprob"], stack=1, totals=False)
        assert in_order(found.graph) and not found.graph.notes
        # Where a block adds something to a stream that the lesion left alone, start + (end - start) rounds.
        assert acting(found, 1e-5 if nodes is None else 0) <= found.graph.pairs
        if name in BUILDS or name == "vit":  # where all is one stream, every way that data can take is taken
            assert acting(found) == found.graph.pairs
        assert component_graph(found).pairs <= found.graph.pairs


def test_heads_beside_an_mlp_do_not_act_on_it(tmp_path):
    text.build(tmp_path, BUILDS["neox"])
    model = ca.load(str(tmp_path))
    graph = computational_graph(model, tiny.examples(1, n_images=0), ["**.heads.*", "**.mlp"])
    assert ("lm.layers.0.heads.1", "lm.layers.0.mlp") not in graph.pairs  # GPT-NeoX computes them side by side
    assert ("lm.layers.0.heads.1", "lm.layers.1.mlp") in graph.pairs


@pytest.mark.parametrize("family", ["mllama", "blip2", "instructblip_t5", "qwen3_vl"])
def test_default_nodes_never_overlap(tmp_path, family):
    importlib.import_module(f"tests.families.{family}").build(tmp_path)
    model = ca.load(str(tmp_path))
    nodes = high_level(model)
    graph = computational_graph(model, tiny.examples(1))
    assert sorted(nodes) == sorted(set(graph.order) - {"outcome"})
    assert {c.address for c in model.components.values() if c.kind == "layer"} <= set(nodes)


def test_positions_are_nodes(shipped):
    model, examples = shipped
    nodes = ["lm.layers.0#2@image", "lm.layers.0#2@answer", "lm.layers.1#2@image[0]", "lm.layers.1#2@image[1]"]
    graph = computational_graph(model, examples, [*nodes, "lm.layers.2#2"])
    assert graph.order == (*nodes, "lm.layers.2#2", "outcome")
    assert ("lm.layers.0#2@image", "lm.layers.1#2@image[1]") in graph.pairs
    assert not {(nodes[0], nodes[1]), (nodes[2], nodes[3])} & graph.pairs  # one time, other positions
    found = transfer(model, examples, [*nodes, "lm.layers.2#2"], off="zero", totals=False)
    assert acting(found, 1e-4) <= graph.pairs | {(n, "answer_logprob") for n, o in graph.pairs if o == "outcome"}


def test_times_are_told_apart_in_front_of_positions(shipped):
    model, examples = shipped
    graph = computational_graph(model, examples, ["lm.layers.0@answer", "lm.layers.1"])
    assert graph.order[:2] == ("lm.layers.0#1@answer", "lm.layers.1#1")
    assert all(model.components[node].address == node for node in graph.order[:-1])
    found = transfer(model, examples, ["lm.layers.0@answer", "lm.layers.1"], off="zero", totals=False)
    assert found.sources == graph.order[:-1]


def test_the_stream_is_a_node_between_what_adds_to_it(shipped):
    model, examples = shipped
    found = transfer(model, examples, ["lm.layers.*.resid#2", "lm.layers.*.mlp#2"], off="zero", totals=False, stack=1)
    assert found.graph.parents("lm.layers.1.resid#2") == ("lm.layers.0.resid#2", "lm.layers.1.mlp#2")
    assert found.graph.parents("lm.layers.1.mlp#2") == ("lm.layers.0.resid#2",)  # nothing passes the stream by
    assert acting(found) == found.graph.pairs


@pytest.mark.parametrize(
    ("nodes", "apart"),
    [
        (["lm.layers.0@answer", "lm.layers.0@-1"], False),  # the answer is the last position
        (["lm.layers.0@image", "lm.layers.0@image[0]"], False),
        (["lm.layers.0@image[0]", "lm.layers.0@image[1]"], True),
        (["lm.layers.0#1@image", "lm.layers.0#2@image[0]"], True),
        (["lm.layers.0.heads.0@image", "lm.layers.0.heads.0@image[0]"], False),
        (["lm.layers.0.heads.0@answer", "lm.layers.0.heads.1@answer"], True),
        (["lm.layers.0.edges.image.answer", "lm.layers.0.edges.question.answer"], True),
    ],
)
def test_positions_that_overlap_are_refused(shipped, nodes, apart):
    model, examples = shipped
    if apart:
        assert computational_graph(model, examples, nodes).pairs
    else:
        with pytest.raises(GraphError, match="overlap"):
            computational_graph(model, examples, nodes)


@dataclass
class Both:
    first: torch.Tensor
    second: torch.Tensor


class Odd(nn.Module):
    """Arguments by keyword, a module called without a tensor, results in a dataclass and in a tuple."""

    def __init__(self):
        super().__init__()
        self.constant, self.tuple, self.pack, self.last = Constant(), Tuple(), Pack(), nn.Linear(3, 2)

    def forward(self, *, scale, x):
        mean, rest = self.tuple(x=x)
        packed = self.pack(mean * self.constant(), rest, scale=scale)
        return self.last(packed.first + packed.second)


class Constant(nn.Module):
    def forward(self):
        return torch.tensor([[1.0, 2.0, 3.0]])


class Tuple(nn.Module):
    def forward(self, x):
        return x.mean(1), x.amax(1)


class Pack(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Identity()

    def forward(self, x, y, scale):
        return Both(self.inner(scale * x), y)


def test_examples_that_run_one_at_a_time_and_odd_ways_of_calling():
    rng = np.random.default_rng(0)
    examples = [
        {"x": rng.normal(size=(length, 3)).astype(np.float32), "scale": np.float32([1.5])} for length in (2, 5, 3)
    ]
    given = ca.ExampleSet("lengths", tuple(ca.Example(f"e{i}", inputs=x, answer="0") for i, x in enumerate(examples)))
    parts = {"mean": "tuple", "constant": "constant", "inner": "pack.inner", "last": "last"}
    model = ca.wrap(Odd(), parts, answers=2)
    found = transfer(model, given, off="zero", outcomes=["answer_logprob"], stack=1)
    # What else the tuple holds passes the component by: its activation is the first.
    assert acting(found) == found.graph.pairs
    assert found.graph.pairs == {
        ("mean", "inner"), ("constant", "inner"), ("inner", "last"), ("last", "answer_logprob")
    }  # fmt: skip


def test_nobody_is_dropped():
    model, examples = circuits.wrapped(circuits.Silent(), circuits.vectors(4, circuits.WIDTH))
    for graph in (
        computational_graph(model, examples),
        component_graph(transfer(model, examples, off="zero", outcomes=["correct"])),
    ):
        assert set(graph.order[:-1]) == set(model.components) and "uncalled" in graph.notes
    only = computational_graph(model, examples, ["uncalled"])
    assert only.order == ("uncalled", "outcome") and not only.edges and only.notes


def test_d_separated_nodes_are_independent_when_noise_drives_them(planted):
    """Partial correlations of what nodes say, against d-separation in the graph that was followed, given parents."""
    rng = np.random.default_rng(3)
    p, n = 7, 3000
    weight = np.triu(rng.uniform(0.6, 1.0, (p, p)) * (rng.random((p, p)) < 0.45), 1)
    model, examples = planted(weight, n=n, seed=4)
    graph = computational_graph(model, examples, "x*")
    assert graph.pairs - {(f"x{p - 1}", "outcome")} == {(f"x{i}", f"x{j}") for i, j in np.argwhere(weight)}
    (batch,) = model.batches(examples, n)
    said = np.stack([model.activations(f"x{j}", **batch.inputs)[0][:, 0].numpy() for j in range(p)], 1)
    tested = {True: [], False: []}
    for j in range(p):
        for given in (graph.parents(f"x{j}"), ()):
            for i in range(j):
                if f"x{i}" in given:
                    continue
                apart = graph.d_separated(f"x{i}", f"x{j}", given)
                tested[apart].append(partial_p(said, i, j, [int(g[1:]) for g in given]))
    assert len(tested[True]) >= 8 and len(tested[False]) >= 8
    assert min(tested[True]) > 0.01 / len(tested[True]) and max(tested[False]) < 1e-3


def partial_p(said, i, j, given):
    """p of no partial correlation, by Fisher's z."""
    rest = np.column_stack((np.ones(len(said)), said[:, given]))
    one, other = (said[:, k] - rest @ np.linalg.lstsq(rest, said[:, k], rcond=None)[0] for k in (i, j))
    z = np.arctanh(np.corrcoef(one, other)[0, 1]) * np.sqrt(len(said) - len(given) - 3)
    return 2 * stats.norm.sf(abs(z))
