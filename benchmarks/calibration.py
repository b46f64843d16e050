"""Simulate how often intervals, tests, corrections and labels are right: the tables of docs/calibration.md.

    python benchmarks/calibration.py [--repetitions 4000] [--seed 0] [--json] [--write docs/calibration.md]

The same seed prints the same numbers.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from simulated.alternatives import rejected_intervals
from simulated.bootstraps import bootstrap_intervals
from simulated.coverage import independent_rows, several_seeds, shared_clusters
from simulated.errors import equivalence, family_errors, rejections
from simulated.estimated import estimands
from simulated.families import bands, corrections
from simulated.peeking import peeking
from simulated.scenario import LEVEL
from simulated.simulation import Result, Simulation

from causalablate.progress import progress_bar

TABLES = (
    independent_rows,
    shared_clusters,
    several_seeds,
    estimands,
    rejected_intervals,
    bootstrap_intervals,
    bands,
    rejections,
    family_errors,
    corrections,
    equivalence,
    peeking,
)
BEGIN, END = "<!-- calibration: begin -->", "<!-- calibration: end -->"
"""Where the tables stand in a page."""


def calibrate(repetitions: int, seed: int, *, quiet: bool = False) -> list[Result]:
    """Simulate every table.

    Args:
        repetitions: Repetitions behind every number.
        seed: Seeds all draws.
        quiet: Show no progress.
    """
    tables = [make() for make in TABLES]
    total = repetitions * sum(table.n_cells for table in tables)
    with progress_bar("calibration", total, quiet=quiet) as advance:
        return [table.run(Simulation(repetitions, seed, advance)) for table in tables]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, as Markdown or as JSON."""
    parser = argparse.ArgumentParser(description="Coverage and error rates of population_effects, simulated.")
    parser.add_argument("--repetitions", type=int, default=4000, help="repetitions behind every number (4000)")
    parser.add_argument("--seed", type=int, default=0, help="seeds all draws (0)")
    parser.add_argument("--write", type=Path, help="page whose tables to replace, docs/calibration.md")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    chosen = parser.parse_args(arguments)
    if chosen.repetitions < 1:
        parser.error(f"--repetitions is {chosen.repetitions}; it must be at least 1")
    error = float(np.sqrt(LEVEL * (1 - LEVEL) / chosen.repetitions))
    results = calibrate(chosen.repetitions, chosen.seed)
    if chosen.json:
        facts = {"repetitions": chosen.repetitions, "seed": chosen.seed, "monte_carlo_error_at_0.95": error}
        print(json.dumps({**facts, "tables": [result.to_json() for result in results]}, indent=2, ensure_ascii=False))
        return
    head = f"{chosen.repetitions:,} repetitions, seed {chosen.seed}; Monte Carlo error {error:.3f} at {LEVEL}."
    text = "\n\n".join([head, *(f"## {result.title}\n\n{result.markdown()}" for result in results)])
    print(text)
    if chosen.write:
        _replace_tables(chosen.write, text)


def _replace_tables(page: Path, text: str) -> None:
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
