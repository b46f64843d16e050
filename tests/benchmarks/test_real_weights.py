"""A trained ViT under lesions, against torch's own attention and plain hooks. Skipped where the weights are absent."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

import causalablate as ca
from benchmarks.real_weights import DATA, HEADS, WEIGHTS, as_mnist, effects, heads_table, load, parts_table, scans
from causalablate.errors import InertLesionError

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not (DATA / WEIGHTS).is_file(), reason=f"no trained weights in {DATA}")


@pytest.fixture(scope="module")
def model():
    return load(DATA)


@pytest.fixture(scope="module")
def reference():
    return scans("validation")


@pytest.fixture(scope="module")
def examples():
    return scans("train")[:300]


def images(examples):
    return torch.stack([torch.from_numpy(example.inputs["0"]) for example in examples])


def accuracy(module, examples):
    with torch.no_grad():
        said = module(images(examples)).argmax(1)
    return (said == torch.tensor([int(example.answer) for example in examples])).double().mean().item()


def test_attention_is_that_of_torch(model):
    torch.manual_seed(0)
    x = torch.randn(3, 17, 49)
    for layer in model.module.layers:
        ours = layer.multihead_attention
        theirs = nn.MultiheadAttention(49, HEADS, batch_first=True)
        theirs.load_state_dict(ours.multihead_attention.state_dict())
        expected, _ = theirs(ours.query(x), ours.key(x), ours.value(x))
        torch.testing.assert_close(ours(x), expected)


def test_torchs_attention_itself_would_hide_its_heads(model):
    """It reads the weights of its output projection and never calls it: a hook there would measure nothing."""
    layer = nn.MultiheadAttention(49, HEADS, batch_first=True)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.last = layer, nn.Linear(49, 10)

        def forward(self, x):
            return self.last(self.attention(x, x, x)[0][:, 0])

    wrapped = ca.wrap(Net(), {"attention": ca.Part("attention.out_proj", at="input", heads=HEADS)}, answers=10)
    x = ca.tensors(torch.randn(2, 17, 49), [0, 1])
    with pytest.raises(InertLesionError, match=r"attention\.out_proj"):
        ca.counterfactuals(wrapped, x, "attention.heads.0", off="zero")


def test_images_are_formed_like_mnist():
    ink = torch.stack([as_mnist(image) for image in _raw(40)])[:, 0] * 0.3081 + 0.1307
    assert ink.shape == (40, 28, 28) and ink.min() > -1e-6 and ink.max() < 1 + 1e-6
    boxes = [(i > 1e-6).nonzero() for i in ink]
    assert all((box.amax(0) - box.amin(0) + 1).max() <= 20 for box in boxes)
    places = torch.stack(torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij"))
    centres = (ink[:, None] * places).sum((2, 3)) / ink.sum((1, 2))[:, None]
    assert (centres - 13.5).abs().max() < 0.6


def _raw(n):
    from sklearn.datasets import load_digits

    return load_digits().images[:n]


def test_it_reads_digits_it_has_never_seen(model, examples):
    assert accuracy(model.module, examples) > 0.75


@pytest.mark.parametrize("off", ["zero", "mean"])
def test_every_kind_of_part_by_effect(model, examples, reference, off):
    """Accuracy under a lesion is that of the module with a plain hook, which takes its means by itself."""
    table = ca.counterfactuals(
        model,
        examples,
        ["vision.layers.0", "vision.layers.4.mlp", "vision.layers.1.attention.heads.5"],
        off=off,
        outcomes=["correct"],
        reference=reference,
    )
    found = table.frame.groupby("lesion", sort=False)["counterfactual"].mean()
    layers, mean_of = model.module.layers, {}

    def keep(name, x):
        mean_of[name] = x.mean(0)

    heads = layers[1].multihead_attention.multihead_attention.out_proj
    handles = [
        layers[0].register_forward_hook(lambda _, args, output: keep("layer", output - args[0])),
        layers[4].FFL.register_forward_hook(lambda _, args, output: keep("mlp", output)),
        heads.register_forward_pre_hook(lambda _, args: keep("head", args[0])),
    ]
    with torch.no_grad():
        model.module(images(reference))
    for handle in handles:
        handle.remove()
    mean_of = {name: x * (off == "mean") for name, x in mean_of.items()}

    def without_head(_, args):
        x = args[0].clone()
        x[..., 35:42] = mean_of["head"][..., 35:42]
        return (x,)

    by_hand = {}
    for name, register, hook in (
        ("vision.layers.0", layers[0].register_forward_hook, lambda _, args, output: args[0] + mean_of["layer"]),
        ("vision.layers.4.mlp", layers[4].FFL.register_forward_hook, lambda *given: 0 * given[2] + mean_of["mlp"]),
        ("vision.layers.1.attention.heads.5", heads.register_forward_pre_hook, without_head),
    ):
        handle = register(hook)
        by_hand[f"{name}={off}"] = accuracy(model.module, examples)
        handle.remove()
    # One scan may tip over by rounding.
    assert all(abs(found[name] - value) <= 1.01 / len(examples) for name, value in by_hand.items())
    assert len(set(by_hand.values())) == 3


def test_the_page_shows_what_the_script_prints(model, reference):
    found = effects(model, scans("train")[:40], reference)
    assert len(found) == 2 * 2 * 50
    page = (ROOT / "docs" / "real_weights.md").read_text()
    for table in (parts_table(found), heads_table(found, "zero"), heads_table(found, "mean")):
        lines = table.splitlines()
        assert lines[0] in page
        assert all(re.match(r"\| [^|]+ \|", line)[0] in page for line in lines[2:])
