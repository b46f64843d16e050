"""Lesion transformers whose circuits are known: RASP programs compiled to weights by Tracr (Lindner et al., 2023).

    python benchmarks/tracr.py [DIRECTORY] [--json]

DIRECTORY holds pairs PROGRAM.npz (weights) and PROGRAM.json (circuit, cases, and what the RASP interpreter says under
interventions). Nothing is fitted and nothing is random: every number is right or wrong.
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import causalablate as ca
from causalablate.offs import Value

DATA = Path(os.environ.get("CAUSALABLATE_DATA", Path(__file__).parents[2] / "shared" / "data")) / "tracr_compiled"


class Attention(nn.Module):
    """Heads that see all positions; their outputs stand side by side in the input of `out`."""

    def __init__(self, d_model: int, n_heads: int, d_head: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.q, self.k, self.v = (nn.Linear(d_model, n_heads * d_head) for _ in range(3))
        self.out = nn.Linear(n_heads * d_head, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Attend, shape (rows, length, d_model)."""
        q, k, v = (p(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for p in (self.q, self.k, self.v))
        z = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v
        return self.out(z.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then an MLP, each added to the residual stream."""

    def __init__(self, d_model: int, n_heads: int, d_head: int, d_mlp: int) -> None:
        super().__init__()
        self.attn = Attention(d_model, n_heads, d_head)
        self.mlp = nn.Sequential(nn.Linear(d_model, d_mlp), nn.ReLU(), nn.Linear(d_mlp, d_model))

    def forward(self, x: Tensor) -> Tensor:
        """One layer, shape (rows, length, d_model)."""
        x = x + self.attn(x)
        return x + self.mlp(x)


class Compiled(nn.Module):
    """A compiled program: token ids, beginning with BOS, to one column per output direction."""

    def __init__(self, weights: dict[str, np.ndarray], config: dict[str, Any]) -> None:
        super().__init__()
        sizes = (config["d_model"], config["n_heads"], config["d_head"], config["d_mlp"])
        self.embed = nn.Embedding(config["d_vocab"], config["d_model"])
        self.position = nn.Embedding(config["n_ctx"], config["d_model"])
        self.blocks = nn.ModuleList(Block(*sizes) for _ in range(config["n_layers"]))
        self.unembed = nn.Linear(config["d_model"], weights["W_U"].shape[1], bias=False)
        renamed = _renamed(weights, config["n_layers"], config["n_heads"] * config["d_head"])
        self.load_state_dict({name: torch.from_numpy(x) for name, x in renamed.items()})

    def forward(self, ids: Tensor, position: Tensor | None = None) -> Tensor:
        """Outputs, shape (rows, length, directions); with one position per row, (rows, directions)."""
        x = self.embed(ids) + self.position(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        out = self.unembed(x)
        return out if position is None else out[torch.arange(len(out)), position]


def _renamed(weights: dict[str, np.ndarray], n_layers: int, width: int) -> dict[str, np.ndarray]:
    """The file's tensors under the names and in the shapes of torch's modules."""
    found = {name: weights[key] for name, key in (("embed.weight", "W_E"), ("position.weight", "W_pos"))}
    found["unembed.weight"] = weights["W_U"].T
    for block in (f"blocks.{i}" for i in range(n_layers)):
        for name in "QKV":
            # (heads, d_model, d_head): heads side by side in the output of one Linear
            found[f"{block}.attn.{name.lower()}.weight"] = (
                weights[f"{block}.attn.W_{name}"].transpose(0, 2, 1).reshape(width, -1)
            )
            found[f"{block}.attn.{name.lower()}.bias"] = weights[f"{block}.attn.b_{name}"].reshape(-1)
        found[f"{block}.attn.out.weight"] = weights[f"{block}.attn.W_O"].reshape(width, -1).T
        found[f"{block}.attn.out.bias"] = weights[f"{block}.attn.b_O"]
        for place, name in ((0, "in"), (2, "out")):
            found[f"{block}.mlp.{place}.weight"] = weights[f"{block}.mlp.W_{name}"].T
            found[f"{block}.mlp.{place}.bias"] = weights[f"{block}.mlp.b_{name}"]
    return found


@dataclass(frozen=True)
class Program:
    """A compiled program, wrapped: every head, every MLP, and every variable that a module writes.

    Attributes:
        facts: What the JSON says.
        model: Its components are `layers.L.attn.heads.H`, `layers.L.mlp`, and `nodes.NAME`: the directions of the
            residual stream that hold one variable, where the last module that computes it adds them.
    """

    facts: dict[str, Any]
    model: ca.Model

    @property
    def categorical(self) -> bool:
        """It answers with one of several values, not with a number."""
        return bool(self.facts["output"]["categorical"])

    def run(self, ids: Sequence[int]) -> list[Any]:
        """What it answers at every position but that of BOS."""
        with torch.no_grad():
            out = self.model(ids=torch.tensor([ids]))[0, 1:]
        if not self.categorical:
            return out[:, 0].tolist()
        return [self.facts["output"]["decode"][i] for i in out.argmax(-1).tolist()]

    def agrees(self, found: Sequence[Any], expected: Sequence[Any]) -> bool:
        """Whether answers are the expected ones wherever something is expected; numbers within 1e-5."""
        pairs = [(f, e) for f, e in zip(found, expected, strict=True) if e is not None]
        return all(f == e if self.categorical else abs(f - e) < 1e-5 for f, e in pairs)

    def node(self, entry: dict[str, Any], ids: Sequence[int]) -> Tensor:
        """What the module adds to the directions of a variable, shape (length, directions)."""
        return self.model.activations(_node(entry["node"]), ids=torch.tensor([ids]))[0][0]

    def under(self, entry: dict[str, Any], value: Tensor) -> bool:
        """Whether it answers as expected on the base input when a variable has other values."""
        with self.model.do(ca.do({_node(entry["node"]): Value.of(value)})):
            return self.agrees(self.run(entry["base_ids"]), entry["expected_output"])

    def cases_right(self) -> list[bool]:
        """Per case: the model says what the interpreter says."""
        return [self.agrees(self.run(case["ids"]), case["rasp_output"]) for case in self.facts["cases"]]

    def interchanges_right(self) -> list[bool]:
        """Per interchange intervention (Geiger et al., 2021): a variable takes the values of another input."""
        return [self.under(entry, self.node(entry, entry["source_ids"])) for entry in self.facts["interchanges"]]

    def forced_right(self) -> list[bool]:
        """Per forced value: a variable is set, at every position but that of BOS."""
        found = []
        for entry in self.facts["forced"]:
            value = self.node(entry, entry["base_ids"])
            columns = {direction: i for i, direction in enumerate(entry["node_dirs"])}
            value[1:] = 0.0
            for t, forced in enumerate(entry["forced_values"], start=1):
                if entry["forced_dirs"] is None:
                    value[t] = forced
                else:
                    value[t, columns[entry["forced_dirs"][t - 1]]] = 1.0
            found.append(self.under(entry, value))
        return found

    def examples(self) -> list[ca.ExampleSet]:
        """Every position of every case at which something is expected, one set per length."""
        sets: dict[int, list[tuple[str, list[int], int, str]]] = {}
        for c, case in enumerate(self.facts["cases"]):
            for t, answer in enumerate(case["rasp_output"], start=1):
                if answer is not None:
                    row = (f"{c}:{t}", case["ids"], t, str(answer) if self.categorical else "value")
                    sets.setdefault(len(case["ids"]), []).append(row)
        found = []
        for rows in sets.values():
            names, ids, positions, answers = zip(*rows, strict=True)
            inputs = {"ids": np.array(ids), "position": np.array(positions)}
            found.append(ca.tensors(inputs, answers, ids=names, clusters=[name.split(":")[0] for name in names]))
        return found

    def effects(self, off: str = "zero") -> dict[str, float]:
        """Per head and MLP, as the JSON names them: the largest change that its lesion makes in an outcome.

        The outcome is the answer's logit less the best other, or the number itself. One lesion per forward: zero is
        zero to the bit.
        """
        addresses = [a for a in self.model.components if a.startswith("layers.") and not a.endswith(".attn")]
        largest = dict.fromkeys(addresses, 0.0)
        for examples in self.examples():
            table = ca.counterfactuals(
                self.model, examples, {a: ca.do(a, off=off) for a in addresses}, outcomes=["logit_difference"],
                reference=examples, stack=1,
            )  # fmt: skip
            for address, effect in table.frame.groupby("lesion")["effect"].agg(lambda e: e.abs().max()).items():
                largest[str(address)] = max(largest[str(address)], float(effect))
        return {_tracr_name(a): effect for a, effect in largest.items()}


def _node(name: str) -> str:
    return f"nodes.{name}"


def _tracr_name(address: str) -> str:
    """`L0.H1` for `layers.0.attn.heads.1`, `L0.MLP` for `layers.0.mlp`."""
    _, layer, kind, *head = address.split(".")
    return f"L{layer}.MLP" if kind == "mlp" else f"L{layer}.H{head[-1]}"


def _beside_zero(out: Tensor) -> Tensor:
    """A number as logits: its logit difference is the number itself."""
    return torch.cat((torch.zeros_like(out), out), dim=-1)


def read_program(path: Path) -> Program:
    """Read PROGRAM.json and the weights beside it."""
    facts = json.loads(path.read_text())
    with np.load(path.with_suffix(".npz")) as weights:
        module = Compiled(dict(weights), facts["config"]).eval()
    parts: dict[str, Any] = {
        "layers.{i}.attn": ca.Part("blocks.{i}.attn.out", at="input", heads=facts["config"]["n_heads"]),
        "layers.{i}.mlp": "blocks.{i}.mlp",
    }
    for node in facts["rasp_nodes"]:
        if node["computed_by"]:
            layer, kind = node["computed_by"][-1].split(".")
            rows = [facts["residual_labels"].index(direction) for direction in node["output_dirs"]]
            assert rows == list(range(rows[0], rows[-1] + 1))
            place = f"blocks.{layer[1:]}.{'mlp' if kind == 'MLP' else 'attn'}"
            parts[_node(node["id"])] = ca.Part(place, span=(rows[0], rows[-1] + 1))
    if facts["output"]["categorical"]:
        return Program(facts, ca.wrap(module, parts, answers=facts["output"]["decode"]))
    return Program(facts, ca.wrap(module, parts, answers=("zero", "value"), read=_beside_zero))


def measure(folder: Path) -> list[dict[str, Any]]:
    """One row per program."""
    rows = []
    for path in sorted(folder.glob("*.json")):
        program = read_program(path)
        effects, unused = program.effects(), set(program.facts["unused_components"])
        rows.append(
            {
                "program": program.facts["name"],
                "cases": _share(program.cases_right()),
                "unused": ", ".join(sorted(unused)) or "none",
                "largest effect, unused": max((effects[name] for name in unused), default=None),
                "smallest effect, used": min(e for name, e in effects.items() if name not in unused),
                "interchanges": _share(program.interchanges_right()),
                "forced values": _share(program.forced_right()),
            }
        )
    return rows


def _share(right: Sequence[bool]) -> str:
    return f"{sum(right)} of {len(right)}" if right else "none listed"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, as Markdown or as JSON."""
    parser = argparse.ArgumentParser(description="Lesions of compiled transformers whose circuits are known.")
    parser.add_argument("directory", type=Path, nargs="?", default=DATA, help="directory of PROGRAM.npz and .json")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)  # models this small are slower on several
    rows = measure(chosen.directory)
    if not rows:
        parser.error(f"{chosen.directory} holds no PROGRAM.json")
    if chosen.json:
        print(json.dumps(rows, indent=2))
        return
    print("| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
    for row in rows:
        cells = ("–" if v is None else f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values())
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
