"""All subsets of many components off, through the ordinary engine, against closed forms: of docs/interactions.md.

    OMP_NUM_THREADS=1 python -m benchmarks.full_factorial [--nodes 14] [--examples 2] [--seed 0] [--json]

A planted linear model: each node is a module that says its own noise and the weighted sum of its parents. With nodes at
zero, the outcome is the sum over the paths that avoid them; so the Moebius coefficient of a set is the noise and the
weights along the one path that has just these nodes, and every index follows from that. The same seed prints the same
numbers but for the seconds; the command fails where the engine and the closed form differ by more than 1e-4.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from math import comb

import numpy as np
import pandas as pd

import causalablate as ca
from causalablate.interactions import Design, full, interaction_table
from tests.graph.planted import Planted, plant, random_dag

SHARES = {
    "moebius": lambda s, t: float(s == t),
    "SV": lambda s, t: 1 / t,
    "SII": lambda s, t: 1 / (t - s + 1),
    "BII": lambda s, t: 0.5 ** (t - s),
    "STI": lambda s, t: 1 / comb(t, 2) if s == 2 else float(s == t),
    "FSI": lambda s, t: (6 if s == 2 else -2 * (t - 2)) / (t * (t + 1)),
}
"""Share of a set of t nodes in the index of s of them: of singles and pairs, with pairs as the largest order.

Of FSI: the a and b for which k a + C(k, 2) b comes closest to 0 for k = 1 ... t - 1, weighed by 1 / (k (t - k)), the
Shapley kernel summed over the sets of k, and is 1 for k = t. With b from the latter, a = -sum C(k, 2) / C(t, 2) (t - 1)
/ sum k (t - k), and the sums are C(t, 3) and C(t + 1, 3).
"""

TOLERANCE = 1e-4


def paths(weight: np.ndarray) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every path to the last node, by its nodes, with the product of its weights; the last node alone is one."""

    def before(path: tuple[int, ...], product: float) -> Iterator[tuple[tuple[int, ...], float]]:
        yield path, product
        for i in np.flatnonzero(weight[:, path[0]]):
            yield from before((int(i), *path), product * float(weight[i, path[0]]))

    return before((len(weight) - 1,), 1.0)


def closed_form(planted: Planted, index: str, members: tuple[int, ...]) -> np.ndarray:
    """An index of one node or of a pair, per example."""
    noise = np.stack([np.asarray(next(iter(e.inputs.values()))) for e in planted.examples]).astype(float)
    found = np.zeros(len(noise))
    for path, product in paths(planted.weight):
        if set(members) <= set(path):
            found += SHARES[index](len(members), len(path)) * product * noise[:, path[0]]
    return found


def measured(planted: Planted) -> tuple[Design, ca.Counterfactuals]:
    """All subsets of the nodes off, and what they give."""
    names = [f"x{i}" for i in range(len(planted.weight))]
    design = full({name: ca.do(name, off="zero") for name in names})
    run = ca.counterfactuals(planted.model, planted.examples, design.lesions, outcomes=["logit_difference"])
    return design, run


def compared(planted: Planted, design: Design, run: ca.Counterfactuals) -> pd.DataFrame:
    """Per index: how many values, the largest of them, and the largest difference from the closed form."""
    rows = []
    for index in SHARES:
        order = 1 if index == "SV" else (1, 2)
        table = interaction_table(run, design, index=index, order=order)
        worst = 0.0
        for name, each in table.groupby("interaction", sort=False):
            members = tuple(int(part[1:]) for part in str(name).split(" x "))
            worst = max(worst, float(np.abs(each["value"].to_numpy() - closed_form(planted, index, members)).max()))
        rows.append((index, len(table), float(table["value"].abs().max()), worst))
    return pd.DataFrame(rows, columns=["index", "values", "largest", "largest difference"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, as text or as JSON."""
    parser = argparse.ArgumentParser(description="A full factorial design against closed forms.")
    parser.add_argument("--nodes", type=int, default=14, help="components (14)")
    parser.add_argument("--examples", type=int, default=2, help="examples (2)")
    parser.add_argument("--seed", type=int, default=0, help="seeds the model and its noise (0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    chosen = parser.parse_args(arguments)
    if not 3 <= chosen.nodes <= 14 or chosen.examples < 1:
        parser.error("a full design has from 3 to 14 nodes, and at least one example")
    planted = plant(random_dag(chosen.nodes, seed=chosen.seed), chosen.examples, chosen.seed)
    began = time.process_time()
    design, run = measured(planted)
    middle = time.process_time()
    table = compared(planted, design, run)
    seconds = {"runs": middle - began, "indices": time.process_time() - middle}
    facts = {"runs": len(design), "paths": sum(1 for _ in paths(planted.weight)), "examples": chosen.examples}
    if chosen.json:
        print(json.dumps({**facts, "seconds": seconds, "indices": table.to_dict("records")}, indent=2))
    else:
        print(", ".join(f"{value} {name}" for name, value in facts.items()))
        print(f"CPU seconds: {seconds['runs']:.1f} for the runs, {seconds['indices']:.1f} for the indices\n")
        print(table.to_string(index=False))
    if (worst := table["largest difference"].max()) > TOLERANCE:
        raise SystemExit(f"the engine and the closed form differ by {worst:.2g}, more than {TOLERANCE}")


if __name__ == "__main__":
    main()
