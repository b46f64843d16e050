"""Predict pairs of lesions of the shipped model: the tables of docs/abstraction.md.

    OMP_NUM_THREADS=1 python benchmarks/abstraction.py [--examples 128] [--pairs N] [--off mean] [--seed 0] [--json]

The same seed prints the same numbers, but for float rounding of the model's outcomes.
"""

import argparse
import json
from collections.abc import Sequence

import pandas as pd

import causalablate as ca
from causalablate.graph.abstraction import abstraction, measure_pairs


def tables(examples: int, pairs: int | None, off: str, seed: int, *, quiet: bool = False) -> dict[str, pd.DataFrame]:
    """Scores of all methods on the shipped model, by what was held out.

    Args:
        examples: How many test examples.
        pairs: How many pairs to draw; all if None.
        off: How components are off.
        seed: Of the draw, of halves and folds.
        quiet: Show no progress.
    """
    model, reference = ca.load("shipped"), ca.digits(256, split="validation")
    worlds = measure_pairs(
        model, ca.digits(examples), off=off, n_pairs=pairs, reference=reference, seed=seed, quiet=quiet
    )
    found = abstraction(worlds, seed=seed)
    strict = abstraction(worlds, hold_out="lesions", observed=False, seed=seed)
    return {
        "held-out pairs": found.scores,
        "pairs of held-out lesions": strict.scores[strict.scores["method"] == "graph, fitted"],
        "held-out single lesions": found.lesions,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, as Markdown or as JSON."""
    parser = argparse.ArgumentParser(description="Prediction of held-out lesions and pairs of them.")
    parser.add_argument("--examples", type=int, default=128, help="test examples (128)")
    parser.add_argument("--pairs", type=int, help="pairs to draw (all)")
    parser.add_argument("--off", default="mean", help="how components are off (mean)")
    parser.add_argument("--seed", type=int, default=0, help="seeds all draws (0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    chosen = parser.parse_args(arguments)
    found = tables(chosen.examples, chosen.pairs, chosen.off, chosen.seed)
    if chosen.json:
        print(json.dumps({name: table.to_dict("records") for name, table in found.items()}, indent=2))
        return
    for name, table in found.items():
        print(f"\n{name}: {chosen.examples} examples, off by {chosen.off}, seed {chosen.seed}\n")
        print(_markdown(table))


def _markdown(table: pd.DataFrame) -> str:
    def cell(row: pd.Series, name: str) -> str:
        return f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"

    lines = [
        "| method | R² | mean absolute error | rank correlation | error below the baseline's by |",
        "|---|---|---|---|---|",
    ]
    for _, row in table.iterrows():
        lines.append(
            f"| {row['method']} | " + " | ".join(cell(row, n) for n in ("r2", "mae", "spearman", "gain")) + " |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
