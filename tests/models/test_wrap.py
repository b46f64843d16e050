"""Any module as a model: what is wrapped acts as plain torch says it must."""

import numpy as np
import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

import causalablate as ca
from causalablate.adaptive import adaptive_sweep
from causalablate.counterfactual import named_lesions
from causalablate.errors import ComponentNotFoundError, ExampleError, InertLesionError, LesionError, OutcomeError
from causalablate.laws import LAWS
from causalablate.models.parts import find_components
from causalablate.offs import Value
from causalablate.replay import Replay


class Classifier(nn.Module):
    """An MLP with a residual block."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(5, 8)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(3))
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        h = self.first(x)
        for block in self.blocks:
            h = h + block(h)
        return self.last(h)


class Recurrent(nn.Module):
    """One cell, called once per step; positions behind the length are padding."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 6)
        self.cell = nn.GRUCell(6, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, tokens, length):
        h = torch.zeros(len(tokens), 6)
        for t, x in enumerate(self.embed(tokens).unbind(1)):
            h = torch.where((t < length)[:, None], self.cell(x, h), h)
        return {"logits": self.head(h)}


class Attention(nn.Module):
    """Four heads in the last dimension of what `out` reads, the rest of nanoGPT left away."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 8)
        self.qkv, self.out, self.head = nn.Linear(8, 24), nn.Linear(8, 8), nn.Linear(8, 9)

    def forward(self, idx):
        x = self.embed(idx)
        q, k, v = (p.unflatten(-1, (4, 2)).transpose(1, 2) for p in self.qkv(x).chunk(3, -1))
        z = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.head(x + self.out(z.transpose(1, 2).flatten(2)))


@pytest.fixture(scope="module", autouse=True)
def same_weights():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="module")
def net():
    return Classifier().eval()


@pytest.fixture(scope="module")
def data(net):
    x = torch.randn(11, 5)
    return ca.tensors(x, net(x).argmax(-1), groups={"sign": (x[:, 0] > 0).tolist()})


def hooked(module, path, hook, *args, pre=False, **kwargs):
    """The module's output with a plain torch hook."""
    inner = module.get_submodule(path)
    handle = inner.register_forward_pre_hook(hook) if pre else inner.register_forward_hook(hook)
    try:
        with torch.no_grad():
            return module(*args, **kwargs)
    finally:
        handle.remove()


def under(model, lesion, *args, **kwargs):
    with torch.no_grad(), model.do(lesion):
        return model(*args, **kwargs)


def inputs_of(data):
    return torch.from_numpy(np.stack([e.inputs["0"] for e in data]))


# --- what is lesioned


def test_without_components_every_module_has_its_path(net):
    model = ca.wrap(net, answers=3)
    paths = [path for path, m in net.named_modules() if path and not isinstance(m, nn.ModuleList)]
    assert list(model.components) == paths


def test_a_pattern_names_one_component_per_module_in_model_order(net):
    model = ca.wrap(net, {"head": "last", "block.{i}.act": "blocks.{i}.1", "lin.*": "blocks.*.0"}, answers=3)
    assert list(model.components) == [
        *(a for i in range(3) for a in (f"lin.{i}", f"block.{i}.act")),
        "head",
    ]
    assert model.components["block.2.act"].sites[0].module == "blocks.2.1"


def test_an_address_without_wildcards_joins_all_that_match(net, data):
    model = ca.wrap(net, {"acts": "blocks.*.1", "ends": ["first", "last"]}, answers=3)
    x = inputs_of(data)
    found = under(model, ca.do("acts", off="zero"), x)
    assert torch.equal(found, net.last(net.first(x)))
    assert {site.module for site in model.components["ends"].sites} == {"first", "last"}


def test_output_input_delta_and_span_act_as_torch_hooks_do(net, data):
    parts = {
        "out": "blocks.1",
        "in": ca.Part("blocks.1", at="input"),
        "delta": ca.Part("blocks.1", at="delta"),
        "slice": ca.Part("first", span=(2, 5)),
    }
    model, x = ca.wrap(net, parts, answers=3), inputs_of(data)

    def middle(_, args, output):
        output = output.clone()
        output[:, 2:5] = 0
        return output

    hooks = {
        "out": hooked(net, "blocks.1", lambda m, args, output: output * 0, x),
        "in": hooked(net, "blocks.1", lambda m, args: (args[0] * 0,), x, pre=True),
        "delta": hooked(net, "blocks.1", lambda m, args, output: args[0], x),
        "slice": hooked(net, "first", middle, x),
    }
    for address, expected in hooks.items():
        assert torch.allclose(under(model, ca.do(address, off="zero"), x), expected, atol=1e-6)
        assert not torch.equal(expected, net(x))


def test_heads_split_the_last_dimension():
    net, idx = Attention().eval(), torch.arange(10).reshape(2, 5) % 9
    model = ca.wrap(net, {"attn": ca.Part("out", at="input", heads=4)}, answers=9, read=lambda output: output[:, -1])
    assert list(model.components) == ["attn", *(f"attn.heads.{h}" for h in range(4))]
    assert model.components["attn.heads.3"].kind == "head"
    alone = ca.wrap(net, {"h{head}": ca.Part("out", at="input", heads=4)}, answers=9)
    assert list(alone.components) == ["h0", "h1", "h2", "h3"]
    assert alone.components["h3"].sites == model.components["attn.heads.3"].sites

    def without(_, args):
        z = args[0].clone()
        z[..., 2:4] = 0
        return (z,)

    expected = hooked(net, "out", without, idx, pre=True)
    assert torch.equal(under(model, ca.do("attn.heads.1", off="zero"), idx), expected)


def test_channels_split_dimension_1_of_a_convolution():
    net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 16, 4)).eval()
    model = ca.wrap(net, {"conv": ca.Part("0", channels=3)}, answers=4)
    x = torch.randn(5, 1, 6, 6)

    def without(_, args, output):
        output = output.clone()
        output[:, 2:4] = 0
        return output

    expected = hooked(net, "0", without, x)
    assert torch.equal(under(model, ca.do("conv.channels.1", off="zero"), x), expected)
    data = ca.tensors(x, [0, 1, 2, 3, 0])
    lesions = [ca.do(f"conv.channels.{c}", off=off) for c in range(3) for off in ("zero", "mean", "resample", "noise")]
    stacked = ca.counterfactuals(model, data, lesions, reference=data).frame
    alone = ca.counterfactuals(model, data, lesions, reference=data, stack=1).frame
    assert np.allclose(stacked["counterfactual"], alone["counterfactual"], atol=1e-5)
    logits = expected.log_softmax(-1)[range(5), [0, 1, 2, 3, 0]]
    rows = alone.query("lesion == 'conv.channels.1=zero' and outcome == 'answer_logprob'")
    assert np.allclose(rows["counterfactual"], logits)


class Sides(nn.Module):
    """Returns what the container asks for."""

    def __init__(self, pack):
        super().__init__()
        self.pack, self.fc = pack, nn.Linear(4, 3)

    def forward(self, flag, *, x):
        return self.pack(self.fc(x)) if flag else None


class Keyword(nn.Module):
    """Calls its part by keyword, with something that is no tensor first."""

    def __init__(self, pack, unpack):
        super().__init__()
        self.inner, self.unpack = Sides(pack), unpack

    def forward(self, x):
        return self.unpack(self.inner(flag=True, x=x))


@pytest.mark.parametrize(
    ("pack", "unpack"),
    [
        (lambda y: y, lambda y: y),
        (lambda y: (y, 1), lambda y: y[0]),
        (lambda y: [y, 1], lambda y: y[0]),
        (lambda y: {"first": y, "second": 1}, lambda y: y["first"]),
    ],
    ids=["tensor", "tuple", "list", "dict"],
)
def test_parts_called_by_keyword_and_outputs_in_containers(pack, unpack):
    net, x = Keyword(pack, unpack).eval(), torch.randn(4, 4)
    model = ca.wrap(net, {"in": ca.Part("inner", at="input"), "out": "inner"}, answers=3)
    assert torch.equal(under(model, ca.do("in", off="zero"), x=x), net.inner.fc(x * 0))
    assert torch.equal(under(model, ca.do("out", off="zero"), x), torch.zeros(4, 3))
    frame = ca.counterfactuals(model, ca.tensors(x, [0, 1, 2, 0]), ["in", "out"], off="zero").frame
    assert frame["fired"].all()


def test_an_output_without_a_tensor_says_so():
    net = Keyword(lambda y: {"n": 1, "y": y}, lambda y: y["y"]).eval()
    model = ca.wrap(net, {"out": "inner"}, answers=3)
    with pytest.raises(LesionError, match="returns a dict that begins with no tensor"):
        under(model, ca.do("out", off="zero"), torch.randn(4, 4))


def test_a_module_called_several_times_is_lesioned_at_every_call_or_at_each():
    net = Recurrent().eval()
    model = ca.wrap(net, {"cell": "cell"}, answers=4)
    tokens, length = torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([3, 2])
    calls = model.activations("cell", tokens=tokens, length=length)
    assert len(calls) == 3
    assert torch.allclose(calls[1], net.cell(net.embed(tokens[:, 1]), calls[0]), atol=1e-6)
    zero = under(model, ca.do("cell", off="zero"), tokens, length)["logits"]
    assert torch.equal(zero, net.head(torch.zeros(2, 6)))
    second = Value.of(calls[0], torch.zeros(2, 6), calls[2])
    expected = net.head(torch.where(length[:, None] > 2, calls[2], 0.0))
    assert torch.equal(under(model, ca.do({"cell": second}), tokens, length)["logits"], expected)


# --- examples in, outcomes out


def test_counterfactuals_are_those_of_a_plain_loop(net, data):
    model = ca.wrap(net, {"block.{i}": "blocks.{i}"}, answers=3)
    frame = ca.counterfactuals(model, data, "block.*", off="zero", stack=1).frame
    x, answers = inputs_of(data), torch.tensor([int(e.answer) for e in data])
    for i in range(3):
        logits = hooked(net, f"blocks.{i}", lambda m, args, output: output * 0, x)
        rows = frame.query(f"lesion == 'block.{i}=zero' and outcome == 'answer_logprob'")
        assert np.allclose(rows["counterfactual"], logits.log_softmax(-1)[range(11), answers], atol=1e-6)
        assert rows["fired"].all() and (rows["change_norm"] > 0).all()
    assert set(frame["group.sign"]) == {"True", "False"}


def test_measuring_leaves_a_training_module_as_it_was(data):
    net = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    model = ca.wrap(net, answers=3)
    first = ca.counterfactuals(model, data, "**", off="mean", reference=data).frame
    again = ca.counterfactuals(model, data, "**", off="mean", reference=data).frame
    assert first.equals(again)
    assert net.training and net[2].training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_inputs_by_name_by_position_and_from_images_are_the_same(data):
    net = Recurrent().eval()
    tokens, length = torch.randint(7, (6, 4)), torch.tensor([4, 1, 2, 3, 4, 4])
    answers = torch.tensor([0, 1, 2, 3, 0, 1])
    by_position = ca.tensors((tokens, length), answers)
    by_name = ca.tensors({"length": length, "tokens": tokens}, answers)
    model = ca.wrap(net, {"cell": "cell"}, answers=4)
    given = ca.wrap(
        net,
        {"cell": "cell"},
        answers=4,
        encode=lambda examples: (tokens[[int(e.id) for e in examples]], length[[int(e.id) for e in examples]]),
    )
    asked = ca.ExampleSet("asked", tuple(ca.Example(id=e.id, question="?", answer=e.answer) for e in by_name))
    frames = [
        ca.counterfactuals(m, d, ca.do("cell", off="zero")).frame
        for m, d in ((model, by_position), (model, by_name), (given, asked))
    ]
    assert frames[0].equals(frames[1]) and frames[0].equals(frames[2])
    assert by_position.hash != by_name.hash


def test_a_batch_of_unequal_lengths_is_padded_by_encode_and_padding_never_matters():
    net = Recurrent().eval()
    lists = [torch.randint(1, 7, (n,)) for n in (4, 2, 3, 1)]
    data = ca.tensors(lists, [0, 1, 2, 3])

    def padded(examples):
        given = [torch.from_numpy(e.inputs["0"]) for e in examples]
        return nn.utils.rnn.pad_sequence(given, batch_first=True), torch.tensor([len(x) for x in given])

    def groups(inputs):
        positions = torch.arange(inputs["tokens"].shape[1])
        return {"all": positions < inputs["length"][:, None], "first": (positions == 0).expand(inputs["tokens"].shape)}

    parts = {"embed": ca.Part("embed", tokens=True), "start": ca.Part("embed", tokens=True, group="first")}
    model = ca.wrap(net, parts, answers=4, encode=padded, token_groups=groups)
    lesions = [ca.do(address, off="zero") for address in parts]
    together = ca.counterfactuals(model, data, lesions).frame
    alone = ca.counterfactuals(model, data, lesions, batch_size=1).frame
    assert np.allclose(together["counterfactual"], alone["counterfactual"], atol=1e-6)
    assert np.allclose(together["change_norm"], alone["change_norm"], atol=1e-6)
    by_position = under(model, ca.do("start", off="zero"), *model.encode(data).values())["logits"]
    by_name = under(model, ca.do("start", off="zero"), **model.encode(data))["logits"]
    assert torch.equal(by_position, by_name)
    embedded = net.embed(lists[0]).norm().item()
    assert together.query("lesion == 'embed=zero' and example == '0'")["change_norm"].iloc[0] == pytest.approx(embedded)
    start = together.query("lesion == 'start=zero'").drop_duplicates("example")["change_norm"]
    assert np.allclose(start, [net.embed(x[0]).norm().item() for x in lists])


def test_examples_of_unequal_shape_run_one_at_a_time():
    net = Recurrent().eval()
    lists = [torch.randint(7, (n,)) for n in (4, 2, 3)]
    data = ca.tensors((lists, torch.tensor([4, 2, 3])), [0, 1, 2])
    model = ca.wrap(net, {"cell": "cell", "embed": "embed"}, answers=4)
    frame = ca.counterfactuals(model, data, ["cell", "embed"], off="zero", outcomes=["answer_logprob"]).frame
    rows = frame.query("lesion == 'embed=zero'").set_index("example")
    for column, scale in (("factual", 1), ("counterfactual", 0)):
        for i, tokens in enumerate(lists):
            h = torch.zeros(1, 6)
            for x in (scale * net.embed(tokens[None])).unbind(1):
                h = net.cell(x, h)
            expected = net.head(h).log_softmax(-1)[0, i].item()
            assert rows[column][str(i)] == pytest.approx(expected, abs=1e-5)


def test_numbers_are_given_in_the_format_of_the_weights(data):
    model = ca.wrap(Classifier().to(torch.bfloat16), answers=3)
    assert model.encode(data)["x"].dtype == torch.bfloat16
    assert model.precision == "bfloat16"


def test_answers_have_names(net, data):
    names = ["ant", "bee", "cow"]
    named = ca.tensors(inputs_of(data), [names[int(e.answer)] for e in data])
    model = ca.wrap(net, answers=names)
    frame = ca.counterfactuals(model, named, ca.do("last", off="zero"), outcomes=["correct", "predicted_answer"]).frame
    assert (frame.query("outcome == 'correct'")["factual"] == 1).all()
    assert Replay(model, named).trace(None, [0])[0].answer == named[0].answer


def test_effects_screening_and_adaptive_sweeps_take_a_wrapped_model(net, data):
    model = ca.wrap(net, {"block.{i}": "blocks.{i}"}, answers=3)
    table = ca.counterfactuals(model, data, "block.*", off="mean", reference=data)
    effects = ca.population_effects(table)
    assert len(effects.query("group == 'all'")) == 3 * 2
    screened = ca.screen(model, data, "block.*", off="zero", confirm=2).frame
    assert set(screened["lesion"]) == {f"block.{i}=zero" for i in range(3)}
    zeroed = ca.counterfactuals(model, data, "block.*", off="zero", outcomes=["answer_logprob"]).frame
    largest = zeroed.groupby("lesion")["effect"].mean().abs().idxmax()
    sweep = adaptive_sweep(Replay(model, data), named_lesions("block.*", model, "zero"), ca.TopK(1))
    assert list(sweep.answer) == [largest]


def test_the_hash_tells_structures_apart_that_share_weights():
    one, other = nn.Sequential(nn.Linear(3, 3), nn.ReLU()), nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    other.load_state_dict(one.state_dict())
    assert ca.wrap(one, answers=3).hash != ca.wrap(other, answers=3).hash
    assert ca.wrap(one, answers=3).hash == ca.wrap(one, {"act": "1"}, answers=3).hash


def everywhere(inputs):
    """Nothing is padded."""
    (tokens,) = (x for x in inputs.values() if x.dtype == torch.long)
    return {"all": torch.ones_like(tokens, dtype=torch.bool)}


def decoder():
    config = GPT2Config(n_layer=2, n_head=4, n_embd=16, vocab_size=9, n_positions=8, bos_token_id=0, eos_token_id=0)
    parts = {
        "lm.layers.{i}": ca.Part("transformer.h.{i}", at="delta", kind="layer", tower="lm", tokens=True),
        "lm.layers.{i}.mlp": ca.Part("transformer.h.{i}.mlp", kind="mlp", tower="lm", tokens=True),
        "lm.layers.{i}.heads.{head}": ca.Part("transformer.h.{i}.attn.c_proj", at="input", heads=4, tokens=True),
    }
    tokens = {"input_ids": torch.randint(9, (9, 6))}
    model = ca.wrap(
        GPT2LMHeadModel(config), parts, answers=9, read=lambda out: out.logits[:, -1], token_groups=everywhere
    )
    return model, ca.tensors(tokens, list(range(9)))


def convolutional():
    net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(96, 4))
    model = ca.wrap(net, {"conv": ca.Part("0", channels=3), "norm": "1", "fc": "4"}, answers=4)
    return model, ca.tensors(torch.randn(9, 1, 6, 6), [0, 1, 2] * 3)


def recurrent():
    model = ca.wrap(Recurrent(), {"cell": "cell", "embed": "embed"}, answers=4)
    return model, ca.tensors((torch.randint(7, (9, 4)), torch.tensor([1, 2, 4] * 3)), [0, 1, 2] * 3)


def perceptron():
    return ca.wrap(Classifier(), {"block.{i}": "blocks.{i}", "n": ca.Part("first", heads=4)}, answers=3), ca.tensors(
        torch.randn(9, 5), [0, 1, 2] * 3
    )


@pytest.fixture(scope="module", params=[perceptron, convolutional, recurrent, decoder], ids=lambda make: make.__name__)
def wrapped(request):
    return request.param()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_the_laws_hold_on_wrapped_modules(wrapped, law):
    model, data = wrapped
    assert law.check(model, data, data)


def test_hook_names_reach_a_wrapped_language_model():
    model, data = decoder()
    inputs = model.encode(data)

    def without(_, args):
        z = args[0].clone()
        z[..., 8:12] = 0
        return (z,)

    expected = hooked(model.module.eval(), "transformer.h.1.attn.c_proj", without, pre=True, **inputs)
    found = under(model, ca.do("blocks.1.attn.hook_z.2", off="zero"), **inputs)
    assert torch.equal(found.logits, expected.logits)


# --- what cannot be


def test_all_bad_paths_are_named_at_once_with_the_nearest(net):
    with pytest.raises(ComponentNotFoundError) as error:
        ca.wrap(net, {"a": "frist", "b": "blocks.7.0", "c": "blocks.{i}.act", "d": "last"}, answers=3)
    text = str(error.value)
    assert "frist" in text and "first" in text and "blocks.7.0" in text and "blocks.2.0" in text
    assert "blocks.{i}.act" in text and '"last"' not in text and "named_modules()" in text


def test_a_container_and_a_second_path_of_a_shared_module_are_refused(net):
    with pytest.raises(ComponentNotFoundError, match="only holds others"):
        ca.wrap(net, {"blocks": "blocks"}, answers=3)
    shared = nn.Linear(3, 3)
    with pytest.raises(ComponentNotFoundError, match='it is the module "0" under another path'):
        ca.wrap(nn.Sequential(shared, nn.ReLU(), shared), {"end": "2"}, answers=3)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (lambda: ca.Part("first", heads=3), "8 values do not divide into 3 heads"),
        (lambda: ca.Part("blocks.0", heads=2), "Sequential does not tell how wide its output is"),
        (lambda: ca.Part("first", heads=2, width=16), "width is 16, but its output is 8 wide"),
        (lambda: ca.Part("first", heads=2, span=(0, 1)), "exclude each other"),
        (lambda: ca.Part("first", span=(3, 3)), "0 <= start < stop"),
        (lambda: ca.Part("first", at="attention_mask"), "must be output, input or delta"),
        (lambda: ca.Part("first", group="x"), "needs tokens=True"),
        (lambda: ca.Part("first", tokens=True), "token_groups="),
    ],
)
def test_parts_that_do_not_fit_are_refused(net, part, says):
    with pytest.raises(LesionError, match=says):
        ca.wrap(net, {"part": part()}, answers=3)


def test_an_address_may_only_repeat_what_its_pattern_holds(net):
    with pytest.raises(LesionError, match=r'"x.\{j\}" has \{j\}'):
        ca.wrap(net, {"x.{j}": "blocks.{i}"}, answers=3)
    with pytest.raises(LesionError, match=r'"x.\{head\}" has \{head\}'):
        ca.wrap(net, {"x.{head}": ca.Part("blocks.{i}", channels=2, width=8)}, answers=3)


def test_a_width_beyond_the_activation_is_an_error_and_not_a_lesion_of_nothing(net, data):
    model = ca.wrap(net, {"b": ca.Part("blocks.0", heads=4, width=16)}, answers=3)
    with pytest.raises(LesionError, match=r"8\.\.12 of its output was asked for, but it is 8 wide"):
        ca.counterfactuals(model, data, ca.do("b.heads.2", off="zero"))


def test_a_module_that_the_forward_does_not_reach_is_inert(data):
    net = Classifier().eval()
    net.spare = nn.Linear(8, 8)
    with pytest.raises(InertLesionError, match="spare"):
        ca.counterfactuals(ca.wrap(net, answers=3), data, ca.do("spare", off="zero"))


def test_projections_that_multihead_attention_never_calls_are_inert():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attn, self.head = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.attn(x, x, x)[0][:, 0])

    net, x = Net().eval(), torch.randn(3, 2, 4)
    model = ca.wrap(net, {"attn": "attn", "out": ca.Part("attn.out_proj", at="input", heads=2)}, answers=2)
    with pytest.raises(InertLesionError, match=r"attn\.out_proj"):
        ca.counterfactuals(model, ca.tensors(x, [0, 1, 0]), ca.do("out.heads.0", off="zero"))
    assert torch.equal(under(model, ca.do("attn", off="zero"), x), net.head(torch.zeros(3, 4)))


def test_outputs_that_are_no_logits_say_how_to_read_them(data):
    with pytest.raises(OutcomeError, match=r"shape \(11, 3\); for 4 answers.*read="):
        ca.counterfactuals(ca.wrap(Classifier(), answers=4), data, ca.do("last", off="zero"), stack=1)
    lost = ca.wrap(Classifier(), answers=3, read=lambda output: {"other": output})
    with pytest.raises(OutcomeError, match="no logits were found"):
        ca.counterfactuals(lost, data, ca.do("last", off="zero"), stack=1)
    with pytest.raises(OutcomeError, match="at least two"):
        ca.wrap(Classifier(), answers=1)


def test_examples_that_do_not_fit_are_refused(net, data):
    model = ca.wrap(net, answers=3)
    with pytest.raises(ExampleError, match='answer "7" is none of those'):
        ca.counterfactuals(model, ca.tensors(torch.zeros(1, 5), [7]), ca.do("last", off="zero"))
    with pytest.raises(ExampleError, match="holds no inputs"):
        ca.counterfactuals(model, ca.digits(2), ca.do("last", off="zero"))
    with pytest.raises(ExampleError, match=r"has the shapes \(5,\), \(4,\) in one batch; .*encode="):
        model.encode(ca.tensors([torch.zeros(5), torch.zeros(4)], [0, 1]))
    with pytest.raises(ExampleError, match=r"1 arguments with names \(x\)"):
        ca.counterfactuals(model, ca.tensors((torch.zeros(1, 5),) * 2, [0]), ca.do("last", off="zero"))


def test_find_components_needs_a_part(net):
    with pytest.raises(LesionError, match="components is empty"):
        find_components(net, {})
