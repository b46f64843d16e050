"""Lesion a trained ViT: every head, attention, MLP and layer of a small classifier of handwritten digits.

    OMP_NUM_THREADS=1 python benchmarks/real_weights.py [DIRECTORY] [--n 1293] [--json]

DIRECTORY holds vit_mnist_model.pth (github.com/sonjuhy/VLMStudy, MIT, trained on MNIST). The images are scikit-learn's
scanned digits, which it has never seen, brought into the form of MNIST. Same weights, same numbers, but for rounding.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

import causalablate as ca
from causalablate.examples.scans import SPLITS

DATA = Path(os.environ.get("CAUSALABLATE_DATA", Path(__file__).parents[2] / "shared" / "data")) / "vit_mnist_mit"
WEIGHTS = "vit_mnist_model.pth"
SIDE, HEADS = 28, 7
MEAN, STD = 0.1307, 0.3081
OFFS = ("zero", "mean")
LEVEL = 0.05


class Heads(nn.Module):
    """Multi-head self-attention with the weights of `nn.MultiheadAttention`, which never calls its `out_proj`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend, each shape (rows, length, width)."""
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        projected = map(F.linear, (query, key, value), weights, biases)
        q, k, v = (x.unflatten(-1, (HEADS, -1)).transpose(1, 2) for x in projected)
        z = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(z.transpose(1, 2).flatten(2))


class Attention(nn.Module):
    """Queries, keys and values pass through a linear map each before attention projects them again."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.multihead_attention = Heads(width)

    def forward(self, x: Tensor) -> Tensor:
        """Attend, shape (rows, length, width)."""
        return self.multihead_attention(self.query(x), self.key(x), self.value(x))


class Block(nn.Module):
    """Attention, then an MLP; both read through the same layer norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.multihead_attention = Attention(width)
        self.FFL = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """One layer, shape (rows, length, width)."""
        x = x + self.multihead_attention(self.norm(x))
        return x + self.FFL(self.norm(x))


class Embedding(nn.Module):
    """Patches of 7 by 7 pixels behind a class token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.position_div_imgs = nn.Parameter(torch.empty(1, 17, width))
        self.div_img = nn.Conv2d(1, width, 7, 7)

    def forward(self, image: Tensor) -> Tensor:
        """(rows, 1, 28, 28) to (rows, 17, width)."""
        patches = self.div_img(image).flatten(2).transpose(1, 2)
        return torch.cat((self.cls_token.expand(len(image), -1, -1), patches), dim=1) + self.position_div_imgs


class DigitViT(nn.Module):
    """The classifier, with the module names of its checkpoint."""

    def __init__(self, width: int = 49, n_layers: int = 5) -> None:
        super().__init__()
        self.embedding = Embedding(width)
        self.layers = nn.ModuleList(Block(width) for _ in range(n_layers))
        self.classifer = nn.Linear(width, 10)  # as the checkpoint spells it

    def forward(self, image: Tensor) -> Tensor:
        """(rows, 1, 28, 28) to logits (rows, 10), read at the class token."""
        x = self.embedding(image)
        for layer in self.layers:
            x = layer(x)
        return self.classifer(x[:, 0])


def load(directory: Path) -> ca.Model:
    """The trained model with its parts named."""
    module = DigitViT().eval()
    module.load_state_dict(torch.load(directory / WEIGHTS, weights_only=True))
    heads = "layers.{i}.multihead_attention.multihead_attention.out_proj"
    parts = {
        "vision.layers.{i}": ca.Part("layers.{i}", at="delta", kind="layer", tower="vision"),
        "vision.layers.{i}.attention": ca.Part(heads, at="input", heads=HEADS, kind="attention", tower="vision"),
        "vision.layers.{i}.mlp": ca.Part("layers.{i}.FFL", kind="mlp", tower="vision"),
    }
    return ca.wrap(module, parts, answers=10)


def as_mnist(scan: np.ndarray) -> Tensor:
    """One 8 by 8 scan in the form of MNIST: ink in a box of 20 by 20, its centre of mass in the middle of 28 by 28.

    Source: LeCun et al. (1998), Gradient-Based Learning Applied to Document Recognition, section III-A.
    """
    ink = torch.from_numpy(scan / 16.0).float()
    rows, columns = ink.any(1).nonzero()[:, 0], ink.any(0).nonzero()[:, 0]
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size = [max(1, round(20 * side / max(ink.shape))) for side in ink.shape]
    ink = F.interpolate(ink[None, None], size, mode="bicubic", align_corners=False)[0, 0].clamp(0, 1)
    image = torch.zeros(SIDE, SIDE)
    corner = [
        min(max(round((SIDE - 1) / 2 - float((ink.sum(1 - d) * torch.arange(n)).sum() / ink.sum())), 0), SIDE - n)
        for d, n in enumerate(size)
    ]
    image[corner[0] : corner[0] + size[0], corner[1] : corner[1] + size[1]] = ink
    return (image[None] - MEAN) / STD


def scans(*splits: str) -> ca.ExampleSet:
    """Scanned digits as examples: the class, and the image as the model takes it."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    index = np.concatenate([order[SPLITS[split]] for split in splits])
    images = torch.stack([as_mnist(data.images[i]) for i in index])
    return ca.tensors(images, data.target[index], ids=index, name=f"scans/{'+'.join(splits)}")


def effects(model: ca.Model, examples: ca.ExampleSet, reference: ca.ExampleSet) -> pd.DataFrame:
    """Effect of every component on accuracy and on the log-probability of the true digit, off in two ways."""
    lesions = [ca.do(address, off=off) for off in OFFS for address in model.components]
    table = ca.counterfactuals(
        model, examples, lesions, outcomes=["correct", "answer_logprob"], reference=reference, batch_size=256
    )
    found = ca.population_effects(table)
    named = found["lesion"].str.rsplit("=", n=1, expand=True)
    return found.assign(component=named[0], off=named[1])


def parts_table(found: pd.DataFrame) -> str:
    """Layers, attentions and MLPs, as Markdown: change of accuracy in points and of the log-probability in nats."""
    lines = ["| off | zero: accuracy | log-probability | mean: accuracy | log-probability |", "|---|---|---|---|---|"]
    for name in dict.fromkeys(found["component"]):
        if ".heads." not in name:
            cells = [_cell(found, name, off, outcome) for off in OFFS for outcome in ("correct", "answer_logprob")]
            lines.append(f"| `{name.removeprefix('vision.')}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def heads_table(found: pd.DataFrame, off: str) -> str:
    """Every head, as Markdown: change of accuracy in points."""
    lines = [f"| {off} | {' | '.join(f'head {h}' for h in range(HEADS))} |", "|---" * (HEADS + 1) + "|"]
    for i in range(sum(name.count(".") == 2 for name in set(found["component"]))):
        names = [f"vision.layers.{i}.attention.heads.{h}" for h in range(HEADS)]
        lines.append(f"| layer {i} | {' | '.join(_cell(found, n, off, 'correct', brief=True) for n in names)} |")
    return "\n".join(lines)


def _cell(found: pd.DataFrame, component: str, off: str, outcome: str, *, brief: bool = False) -> str:
    """An effect, bold where it is there at 5 % after Holm's correction over all lesions; its interval unless brief."""
    (row,) = found.query("component == @component and off == @off and outcome == @outcome").to_dict("records")
    scale, digits = (100, 1) if outcome == "correct" else (1, 2)
    value, low, high = (f"{scale * row[name]:+.{digits}f}" for name in ("ate", "ci_low", "ci_high"))
    value = f"**{value}**" if row["p_holm"] < LEVEL else value
    return value if brief else f"{value} ({low}, {high})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables of docs/real_weights.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", nargs="?", type=Path, default=DATA)
    parser.add_argument("--n", type=int, default=1293, help="number of scans that outcomes are measured on")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    found = effects(load(asked.directory), scans("train")[: asked.n], scans("validation", "test"))
    if asked.json:
        print(json.dumps(found.to_dict("records"), default=float))
        return
    correct = found.query("outcome == 'correct'")
    print(f"Accuracy without a lesion: {correct['factual_mean'].iloc[0]:.4f} on {correct['n_units'].iloc[0]} scans")
    print(f"Labels of {len(correct)} effects on accuracy: {correct['label'].value_counts().to_dict()}\n")
    print("\n\n".join([parts_table(found), *(heads_table(found, off) for off in OFFS)]))


if __name__ == "__main__":
    main()
