"""Simulate what adaptive sweeps promise, and what they save on the shipped model: the tables of docs/adaptive.md.

    OMP_NUM_THREADS=1 python benchmarks/adaptive.py [--repetitions 400] [--orders 200] [--seed 0] [--cache DIR] [--json]

The same seed prints the same numbers, but for float rounding of the model's outcomes.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from race.guarantees import N_ROWS, TABLES, Runs
from race.shipped import Raced, cases, race, table
from simulated.simulation import Result

from causalablate.progress import progress_bar


def guarantees(repetitions: int, seed: int, *, quiet: bool = False) -> list[Result]:
    """Simulate every promise.

    Args:
        repetitions: Repetitions behind every number.
        seed: Seeds all draws.
        quiet: Show no progress.
    """
    with progress_bar("guarantees", N_ROWS * repetitions, quiet=quiet) as advance:
        return [made(Runs(repetitions, seed, advance)) for made in TABLES]


def savings(orders: int, seed: int, cache: Path, *, quiet: bool = False) -> list[Raced]:
    """Race every question on the shipped model.

    Args:
        orders: Random orders of the examples.
        seed: Seeds them.
        cache: Where the table of the full sweep is kept.
        quiet: Show no progress.
    """
    measured = table(cache)
    asked = cases(measured)
    with progress_bar("orders", len(asked) * orders, quiet=quiet) as advance:
        return [race(measured, case, orders, seed, advance) for case in asked]


def markdown(raced: Sequence[Raced]) -> str:
    """The races as a table in Markdown."""
    lines = [
        "| question | evidence | right | nominal error | error | found | forwards | 95 % of orders below |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.name} | {r.evidence} | {r.right:.3f} | {r.error:.2f} | {r.wrong:.3f} | {r.power:.3f} | "
        f"{r.forwards:.3f} | {r.forwards_95:.3f} |"
        for r in raced
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, as Markdown or as JSON."""
    parser = argparse.ArgumentParser(description="Guarantees and savings of adaptive sweeps.")
    parser.add_argument("--repetitions", type=int, default=400, help="repetitions of every simulated row (400)")
    parser.add_argument("--orders", type=int, default=200, help="random orders of the shipped model's examples (200)")
    parser.add_argument("--seed", type=int, default=0, help="seeds all draws (0)")
    parser.add_argument("--cache", type=Path, default=Path("runs"), help="where the full sweep is kept (runs)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    chosen = parser.parse_args(arguments)
    if min(chosen.repetitions, chosen.orders) < 0:
        parser.error("--repetitions and --orders must be at least 0; 0 leaves that part out")
    simulated = guarantees(chosen.repetitions, chosen.seed) if chosen.repetitions else []
    raced = savings(chosen.orders, chosen.seed, chosen.cache) if chosen.orders else []
    if chosen.json:
        facts = {"repetitions": chosen.repetitions, "orders": chosen.orders, "seed": chosen.seed}
        found = {"guarantees": [r.to_json() for r in simulated], "shipped_model": [asdict(r) for r in raced]}
        print(json.dumps({**facts, **found}, indent=2, ensure_ascii=False))
        return
    for result in simulated:
        print(f"\n{result.title}: {chosen.repetitions:,} repetitions, seed {chosen.seed}\n\n{result.markdown()}")
    if raced:
        print(
            f"\nThe shipped model, every component, {chosen.orders:,} orders, seed {chosen.seed}\n\n{markdown(raced)}"
        )


if __name__ == "__main__":
    main()
