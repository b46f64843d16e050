"""What a replay leaves out, and that nobody can tell: real architectures, foreign hooks, branches, several lesions."""

from collections import Counter

import pytest
import torch
from torch import nn
from transformers import (
    Dinov2Config,
    Dinov2Model,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
)

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine.layout import probe
from causalablate.engine.lesioned import lesioned
from causalablate.engine.recording import record
from causalablate.engine.replay import ModuleTree, replay
from causalablate.engine.stack import Stack, Surroundings
from causalablate.engine.tail import Tail
from causalablate.errors import InertLesionError
from causalablate.offs import Replace, Scale, Zero

AROUND = Surroundings(ComponentMap([]), lambda inputs: {}, None, 0)
TOLERANCE = 1e-5
WIDTH = 4


def part(path, how=None, **site):
    return Component(f"{path}{site}", "other", (Site(path, **site),)), how or Scale(-2.0)


RUNS = Counter()
"""How often each module really ran; not its own attribute, or it would have a state and never be left out."""


class Counted(nn.Linear):
    def __init__(self):
        super().__init__(WIDTH, WIDTH)

    def forward(self, x):
        RUNS[self] += 1
        return super().forward(x)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = Counted(), Counted()

    def forward(self, x):
        return x + self.b(torch.tanh(self.a(x)))


class Net(nn.Module):
    """Three blocks and a side branch that reads the input only."""

    def __init__(self):
        super().__init__()
        self.blocks, self.side, self.out, self.spare = (
            nn.ModuleList(Block() for _ in range(3)),
            Block(),
            Counted(),
            Counted(),
        )

    def forward(self, x):
        y = x
        for block in self.blocks:
            y = block(y)
        return self.out(y + self.side(x))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def x():
    return torch.randn(2, 3, WIDTH, generator=torch.Generator().manual_seed(0))


def keys(inputs):
    return [str(i) for i in range(len(next(iter(inputs.values()))))]


def wanted(tree, lesions):
    return set().union(*(tree.beside(tree.blocked(Stack([lesion], AROUND).places)) for lesion in lesions))


def recorded(net, inputs, lesions, layout=None):
    tree = ModuleTree(net)
    return tree, record(net, inputs, keys(inputs), AROUND, wanted(tree, lesions), layout=layout)


def replayed(net, inputs, *lesions, layout=None):
    tree, recording = recorded(net, inputs, lesions, layout)
    return replay(tree, recording, lesions, AROUND, layout=layout)[:2]


def plainly(net, inputs, lesion):
    """(output, change norm, fired) of the whole forward under a lesion."""
    with torch.no_grad(), lesioned(net, lesion, AROUND) as action:
        output = net(**inputs)
    return output, action.change_norm, action.fired


def runs(net):
    return {name for name, m in net.named_modules() if RUNS[m]}


# What is left out


@pytest.mark.parametrize(
    ("path", "run"),
    [
        ("blocks.0.a", {"blocks.0.b", "blocks.1.a", "blocks.1.b", "blocks.2.a", "blocks.2.b", "out"}),
        ("blocks.1", {"blocks.2.a", "blocks.2.b", "out"}),
        ("blocks.2.b", {"out"}),
        ("side.a", {"side.b", "out"}),
        ("out", set()),
    ],
)
def test_only_what_the_lesion_changes_is_run(net, x, path, run):
    lesion = [part(path)]
    tree, recording = recorded(net, {"x": x}, [lesion])
    RUNS.clear()
    output, norms, _ = replay(tree, recording, [lesion], AROUND)
    assert runs(net) == run
    expected, norm, _ = plainly(net, {"x": x}, lesion)
    assert torch.equal(output, expected) and torch.equal(norms[0], norm)


def test_a_lesion_that_changes_nothing_lets_nothing_run(net, x):
    lesion = [part("blocks.0", Scale(1.0))]
    tree, recording = recorded(net, {"x": x}, [lesion])
    RUNS.clear()
    output, norms, _ = replay(tree, recording, [lesion], AROUND)
    assert runs(net) == set() and norms.tolist() == [[0.0, 0.0]]
    assert torch.equal(output, plainly(net, {"x": x}, [])[0])


def test_a_lesion_that_another_undoes_stops_there(net, x):
    """The second block's result is set to a constant, so what comes before no longer matters; nor does it run again."""
    both = [part("blocks.0.a"), part("blocks.1", Zero())]
    tree, recording = recorded(net, {"x": x}, [both, [part("blocks.1", Zero())]])
    under = record(net, {"x": x}, keys({"x": x}), AROUND, wanted(tree, [both]), parts=both[1:], base=recording)
    RUNS.clear()
    output, _, _ = replay(tree, under, [both], AROUND)
    assert not runs(net) & {"blocks.2.a", "blocks.2.b", "out", "side.a", "side.b"}
    assert torch.equal(output, plainly(net, {"x": x}, both)[0])


def test_a_site_that_is_not_reached_is_an_error(net, x):
    for lesion in ([part("spare")], [part("out"), part("spare")]):
        with pytest.raises(InertLesionError, match="never acted"):
            replayed(net, {"x": x}, lesion)


class TwoPasses(Net):
    def forward(self, x):
        return super().forward(torch.tanh(super().forward(x)))


class Branches(Net):
    """Which block runs, and how often, depends on the data."""

    def forward(self, x):
        y = self.blocks[0](x)
        chosen = self.blocks[1] if y.sum() > 0 else self.blocks[2]
        for _ in range(1 + int(y.abs().sum() * 10) % 3):
            y = chosen(y)
        return self.out(y + self.side(x)) + chosen(x)


@pytest.mark.parametrize("kind", [Net, TwoPasses, Branches])
@pytest.mark.parametrize("path", ["blocks.0", "blocks.0.b", "side", "out"])
@pytest.mark.parametrize("how", [Zero(), Scale(-3.0), Scale(0.5)], ids=str)
def test_passes_and_branches(kind, path, how, x):
    torch.manual_seed(1)
    net = kind().eval()
    lesion = [part(path, how)]
    output, norms = replayed(net, {"x": x}, lesion)
    expected, norm, fired = plainly(net, {"x": x}, lesion)
    assert torch.equal(output, expected) and torch.equal(norms[0], norm) and fired.all()


def test_the_second_pass_starts_where_the_lesion_begins_to_matter(x):
    torch.manual_seed(1)
    net = TwoPasses().eval()
    lesion = [part("side")]
    tree, recording = recorded(net, {"x": x}, [lesion])
    RUNS.clear()
    replay(tree, recording, [lesion], AROUND)
    assert [RUNS[net.blocks[0].a], RUNS[net.side.a], RUNS[net.out]] == [1, 1, 2]


# Foreign hooks


def test_hooks_inside_of_what_could_be_left_out_still_fire(net, x):
    seen = []
    net.blocks[0].a.register_forward_hook(lambda module, args, output: seen.append(output))
    lesion = [part("out")]
    tree, recording = recorded(net, {"x": x}, [lesion])
    late = net.blocks[1].b.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    seen.clear()
    RUNS.clear()
    output, _, _ = replay(tree, recording, [lesion], AROUND)
    assert "side.a" not in runs(net)
    assert len(seen) == 2 and torch.equal(seen[0], net.blocks[0].a(x))
    late.remove()
    assert torch.equal(output, plainly(net, {"x": x}, lesion)[0])


def test_hooks_on_every_module_see_every_call(net, x):
    lesion, seen = [part("out")], []
    tree, recording = recorded(net, {"x": x}, [lesion])
    handle = nn.modules.module.register_module_forward_pre_hook(lambda module, args: seen.append(module))
    try:
        replay(tree, recording, [lesion], AROUND)
        replayed_calls, seen[:] = list(seen), []
        plainly(net, {"x": x}, lesion)
    finally:
        handle.remove()
    assert replayed_calls == seen and len(seen) == 14


def test_a_foreign_hook_may_edit(net, x):
    net.blocks[0].a.register_forward_hook(lambda module, args, output: output * 2)
    lesion = [part("blocks.2")]
    output, _ = replayed(net, {"x": x}, lesion)
    assert torch.equal(output, plainly(net, {"x": x}, lesion)[0])


def test_states_that_transformers_collects_see_the_lesion():
    """Its hooks appear in the first forward that asks for states: a cold model must give what a warm one gives."""
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, image_size=12, patch_size=6)
    model = Dinov2Model(config).eval()
    model.set_attn_implementation("eager")
    inputs = {"pixel_values": torch.randn(2, 3, 12, 12), "output_hidden_states": True, "output_attentions": True}
    lesion = [part("encoder.layer.1.mlp", Zero())]
    output, _ = replayed(model, inputs, lesion)
    expected, _, _ = plainly(model, inputs, lesion)
    for name in ("hidden_states", "attentions"):
        assert len(output[name]) == len(expected[name]) and all(map(torch.equal, output[name], expected[name]))


# Several lesions in one forward


def stacked(net, inputs, lesions, read=lambda output: [output]):
    places = [site.place for lesion in lesions for component, _ in lesion for site in component.sites]
    one = {name: x[:1] if isinstance(x, torch.Tensor) else x for name, x in inputs.items()}
    layout = probe(net, one, list(dict.fromkeys(places)), read)
    assert layout.unstackable is None
    output, norms = replayed(net, inputs, *lesions, layout=layout)
    return read(output)[0].chunk(len(lesions)), norms


def test_every_row_block_has_its_own_lesion(net, x):
    lesions = [
        [part("blocks.1.b")],
        [],
        [part("blocks.1.b", span=(0, 2))],
        [part("blocks.1.b", at="input"), part("out", Zero())],
        [part("blocks.1", at="delta"), part("side.b", span=(1, 3))],
        [part("blocks.1.b", Scale(0.5)), part("blocks.1.b", Zero(), span=(0, 1))],
    ]
    outputs, norms = stacked(net, {"x": x}, lesions)
    for lesion, output, norm in zip(lesions, outputs, norms, strict=True):
        expected, expected_norm, _ = plainly(net, {"x": x}, lesion)
        assert torch.allclose(output, expected, atol=TOLERANCE)
        assert torch.allclose(norm, expected_norm if lesion else torch.zeros(2), atol=TOLERANCE)


def test_a_stand_in_is_that_of_the_same_lesion(net, x):
    components = ComponentMap([part("blocks.0.a")[0], part("blocks.1.a")[0]])
    first, second = components.values()
    around = Surroundings(components, lambda inputs: {}, None, 0)
    lesions = [[(first, Scale(-1.0)), (second, Replace(first.address))], [(second, Replace(first.address))]]
    layout = probe(net, {"x": x[:1]}, [("blocks.0.a", "output"), ("blocks.1.a", "output")], lambda output: [output])
    tree = ModuleTree(net)
    recording = record(net, {"x": x}, ["a", "b"], around, set(net.modules()) - {net})
    outputs = replay(tree, recording, lesions, around, layout=layout)[0].chunk(2)
    for lesion, output in zip(lesions, outputs, strict=True):
        alone, _, _ = replay(tree, recording, [lesion], around)
        with torch.no_grad(), lesioned(net, lesion, around):
            expected = net(x=x)
        assert torch.equal(alone, expected) and torch.allclose(output, expected, atol=TOLERANCE)


def test_what_no_lesion_of_the_stack_changes_is_left_out(net, x):
    lesions = [[part("blocks.1.b")], [part("blocks.2.a")]]
    layout = probe(net, {"x": x[:1]}, [("blocks.1.b", "output"), ("blocks.2.a", "output")], lambda output: [output])
    tree, recording = recorded(net, {"x": x}, lesions)
    RUNS.clear()
    replay(tree, recording, lesions, AROUND, layout=layout)
    assert runs(net) == {"blocks.2.a", "blocks.2.b", "out"}


# Few positions


class Length(nn.Module):
    """Notes how many positions it runs on."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        LENGTHS.append(x.shape[1])
        return self.inner(x)


LENGTHS = []


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.mlp = (
            Length(nn.Linear(WIDTH, WIDTH)),
            Length(nn.Sequential(nn.Linear(WIDTH, 9), nn.GELU(), nn.Linear(9, WIDTH))),
        )
        self.end = Length(nn.Linear(WIDTH, WIDTH))

    def forward(self, x):
        y = x + self.up(x)
        y = y + y.cumsum(1).tanh()
        return self.end(y + self.mlp(y))


@pytest.mark.parametrize(
    ("group", "lengths"),
    [("last", [1, 1]), ("early", [4, 4]), ("middle", [2, 2])],
    ids=["the last one changes", "all later ones change", "half of them change"],
)
def test_a_lesion_of_few_positions_is_computed_where_it_matters(group, lengths):
    torch.manual_seed(0)
    net, x = Decoder().eval(), torch.randn(2, 4, WIDTH)
    position = torch.arange(4).expand(2, 4)
    groups = {"all": position >= 0, "last": position == 3, "early": position == 0, "middle": position == 2}
    around = Surroundings(ComponentMap([]), lambda inputs: groups, None, 0)
    layout = probe(net, {"x": x[:1]}, [("up", "output")], lambda output: [output[:, -1]])
    assert {net.up, net.mlp, net.end} <= layout.positionwise
    lesions = [[part("up", how, tokens=True, group=group)] for how in (Zero(), Scale(2.0))]
    recording = record(net, {"x": x}, ["a", "b"], around, set(net.modules()) - {net})
    LENGTHS.clear()
    output, norms, _ = replay(ModuleTree(net), recording, lesions, around, layout=layout, restricted=True)
    assert lengths == LENGTHS
    for lesion, rows, norm in zip(lesions, output.chunk(2), norms, strict=True):
        with torch.no_grad(), lesioned(net, lesion, around) as action:
            assert torch.allclose(rows, net(x=x), atol=TOLERANCE)
        assert torch.allclose(norm, action.change_norm)


def test_the_end_is_computed_where_it_is_read():
    torch.manual_seed(0)
    net, x = Decoder().eval(), torch.randn(2, 5, WIDTH)
    tail = Tail(("mlp", "end"), ((-1,),))
    layout = probe(net, {"x": x[:1]}, [("up", "output"), ("mlp", "output")], lambda output: [output[:, -1]], [tail])
    assert layout.tails == (tail,)
    for path, lengths in (("up", [1, 1]), ("mlp", [5])):
        lesion = [part(path)]
        tree, recording = recorded(net, {"x": x}, [lesion])
        LENGTHS.clear()
        output, norms, _ = replay(tree, recording, [lesion], AROUND, layout=layout)
        assert lengths == LENGTHS
        expected, norm, _ = plainly(net, {"x": x}, lesion)
        assert torch.allclose(output[:, -1], expected[:, -1], atol=TOLERANCE) and torch.allclose(norms[0], norm)
        assert output[:, :-1].isnan().all() == (path == "up")


# Real architectures

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 13}


def llama():
    """Grouped-query attention: two heads share keys and values."""
    return LlamaForCausalLM(LlamaConfig(**SIZES, num_key_value_heads=2, intermediate_size=24))


def neox():
    """Queries, keys and values from one projection, head by head."""
    return GPTNeoXForCausalLM(GPTNeoXConfig(**SIZES, intermediate_size=24, max_position_embeddings=16))


def gpt2():
    """Queries, keys and values from one projection that is a convolution."""
    return GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=2, n_head=4, vocab_size=13, n_positions=16))


ARCHITECTURES = {
    llama: ("model.layers.{}.self_attn.o_proj", "model.layers.{}.mlp"),
    neox: ("gpt_neox.layers.{}.attention.dense", "gpt_neox.layers.{}.mlp"),
    gpt2: ("transformer.h.{}.attn.c_proj", "transformer.h.{}.mlp"),
}
IDS = {"input_ids": torch.tensor([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]), "use_cache": False}


def by_torch_hooks(model, edits):
    """The logits with hooks of torch alone: (module, span or None) -> whose input slice, or output, is zero."""
    handles = []
    for path, span in edits:

        def before(module, args, span=span):
            new = args[0].clone()
            new[..., slice(*span)] = 0.0
            return (new, *args[1:])

        module = model.get_submodule(path)
        if span is None:
            handles.append(module.register_forward_hook(lambda module, args, output: torch.zeros_like(output)))
        else:
            handles.append(module.register_forward_pre_hook(before))
    with torch.no_grad():
        logits = model(**IDS).logits
    for handle in handles:
        handle.remove()
    return logits


@pytest.mark.parametrize("build", ARCHITECTURES, ids=lambda build: build.__name__)
def test_heads_and_mlps_of_real_architectures(build):
    torch.manual_seed(0)
    model = build().eval()
    head, mlp = ARCHITECTURES[build]
    edits = [[(head.format(layer), (4 * h, 4 * h + 4))] for layer in range(2) for h in (0, 3)]
    edits += [[(mlp.format(1), None)], [(mlp.format(0), None), (head.format(1), (4, 8))]]
    lesions = [
        [part(path, Zero()) if span is None else part(path, Zero(), at="input", span=span) for path, span in edit]
        for edit in edits
    ]
    expected = [by_torch_hooks(model, edit) for edit in edits]
    for lesion, logits in zip(lesions, expected, strict=True):
        output, _ = replayed(model, IDS, lesion)
        assert torch.equal(output.logits, logits)
    outputs, _ = stacked(model, IDS, lesions, read=lambda output: [output.logits])
    assert all(torch.allclose(a, b, atol=TOLERANCE) for a, b in zip(outputs, expected, strict=True))
    assert (expected[0] - expected[1]).abs().max() > 100 * TOLERANCE
