"""The circuit of the shipped model over all of its high-level components: the tables of docs/circuits.md.

    OMP_NUM_THREADS=1 python -m benchmarks.circuits [--examples 64] [--keep 0.9] [--off mean] [--seed 0]

The same seed prints the same numbers, but for the seconds and for float rounding of the model's outcomes.
"""

import argparse
import time
from collections.abc import Sequence

import pandas as pd

import causalablate as ca
from causalablate.graph.circuits import Circuit, find_circuit


def circuit(examples: int, keep: float, off: str, seed: int, *, quiet: bool = False) -> Circuit:
    """Greedy removal over the default nodes of the shipped model.

    Args:
        examples: How many test examples: half to search on, half to report.
        keep: Closeness to the model that the circuit has to keep.
        off: How components are off.
        seed: Of the halves and of draws.
        quiet: Show no progress.
    """
    model, reference = ca.load("shipped"), ca.digits(256, split="validation")
    return find_circuit(model, ca.digits(examples), off=off, keep=keep, reference=reference, seed=seed, quiet=quiet)


def curve_table(found: Circuit) -> str:
    """The curve in Markdown, large sets first: what each smaller set has lost by its size."""
    lines = ["| size | faithfulness | closeness | where it was searched | left without it |", "|---|---|---|---|---|"]
    for _, row in found.curve.iloc[::-1].iterrows():
        kept = _with_limits(row["faithfulness"], row["ci_low"], row["ci_high"])
        left = _with_limits(row["left"], row["left_low"], row["left_high"])
        lines.append(f"| {int(row['size'])} | {kept} | {row['closeness']:.3f} | {row['searched']:.3f} | {left} |")
    return "\n".join(lines)


def member_table(members: pd.DataFrame) -> str:
    """What each member is good for, in Markdown."""
    lines = [
        "| member | lost without it | most where this is off too | then lost | the whole model loses |",
        "|---" * 5 + "|",
    ]
    for _, row in members.iterrows():
        lost = _with_limits(row["contribution"], row["ci_low"], row["ci_high"])
        then = _with_limits(row["given_contribution"], row["given_low"], row["given_high"])
        lines.append(f"| {row['node']} | {lost} | {row['given']} | {then} | {row['in_model']:.3f} |")
    return "\n".join(lines)


def _with_limits(value: float, low: float, high: float) -> str:
    return f"{value:.3f}" + ("" if low != low else f" ({low:.3f} to {high:.3f})")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="The circuit of the shipped model.")
    parser.add_argument("--examples", type=int, default=64, help="test examples, half of them to search on (64)")
    parser.add_argument("--keep", type=float, default=0.9, help="closeness that the circuit keeps (0.9)")
    parser.add_argument("--off", default="mean", help="how components are off (mean)")
    parser.add_argument("--seed", type=int, default=0, help="seeds halves and draws (0)")
    chosen = parser.parse_args(arguments)
    began = time.process_time()
    found = circuit(chosen.examples, chosen.keep, chosen.off, chosen.seed)
    seconds = time.process_time() - began
    every = len(found.circuit) + len(found.others)
    print(f"{every} components, {chosen.examples} examples, off by {chosen.off}: {found.n_sets} sets searched")
    print(f"{seconds:.0f} CPU seconds; {len(found.circuit)} members keep a closeness of {chosen.keep}\n")
    print(curve_table(found), member_table(found.members), sep="\n\n")


if __name__ == "__main__":
    main()
