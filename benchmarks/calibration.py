"""Simulate how often intervals, tests, corrections and labels are right: the tables of docs/calibration.md.

    python benchmarks/calibration.py [--repetitions 4000] [--seed 0] [--json] [--only "TITLE" ...]
                                     [--write docs/calibration.md]

The same seed prints the same numbers.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from simulated.alternatives import rejected_intervals
from simulated.beside import controls, families
from simulated.bootstraps import bootstrap_intervals
from simulated.coverage import independent_rows, large_clusters, large_widths, several_seeds, shared_clusters
from simulated.differences import compensations, differences, ratios
from simulated.errors import equivalence, family_errors, rejections
from simulated.estimated import estimands, undefined
from simulated.families import bands, corrections
from simulated.inside import failure_groups
from simulated.online import online_effects, online_looks
from simulated.outcomes import accuracies, points
from simulated.over_seeds import interquartile_means, seed_parts, variance_parts
from simulated.peeking import peeking
from simulated.ranks import rankings
from simulated.scenario import LEVEL
from simulated.simulation import Result, Simulation

from causalablate.progress import progress_bar

TABLES = (
    independent_rows,
    shared_clusters,
    large_clusters,
    large_widths,
    several_seeds,
    estimands,
    undefined,
    differences,
    compensations,
    ratios,
    rankings,
    accuracies,
    points,
    failure_groups,
    online_effects,
    online_looks,
    interquartile_means,
    seed_parts,
    variance_parts,
    controls,
    families,
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


def calibrate(repetitions: int, seed: int, *, only: Sequence[str] = (), quiet: bool = False) -> list[Result]:
    """Simulate every table, or some.

    Args:
        repetitions: Repetitions behind every number.
        seed: Seeds all draws.
        only: Titles of the tables; all without any. Their numbers are the same.
        quiet: Show no progress.
    """
    tables = [table for table in (make() for make in TABLES) if not only or table.title in only]
    total = repetitions * sum(table.n_cells for table in tables)
    with progress_bar("calibration", total, quiet=quiet) as advance:
        return [table.run(Simulation(repetitions, seed, advance)) for table in tables]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, as Markdown or as JSON."""
    parser = argparse.ArgumentParser(description="Coverage and error rates of population_effects, simulated.")
    parser.add_argument("--repetitions", type=int, default=4000, help="repetitions behind every number (4000)")
    parser.add_argument("--seed", type=int, default=0, help="seeds all draws (0)")
    parser.add_argument("--write", type=Path, help="page whose tables to replace, docs/calibration.md")
    titles = [make().title for make in TABLES]
    parser.add_argument("--only", action="append", default=[], choices=titles, help="this table; may be repeated")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    chosen = parser.parse_args(arguments)
    if chosen.repetitions < 1:
        parser.error(f"--repetitions is {chosen.repetitions}; it must be at least 1")
    results = calibrate(chosen.repetitions, chosen.seed, only=chosen.only)
    error = float(np.sqrt(LEVEL * (1 - LEVEL) / chosen.repetitions))
    if chosen.json:
        facts = {"repetitions": chosen.repetitions, "seed": chosen.seed, "monte_carlo_error_at_0.95": error}
        print(json.dumps({**facts, "tables": [result.to_json() for result in results]}, indent=2, ensure_ascii=False))
        return
    said = f"{chosen.repetitions:,} repetitions, seed {chosen.seed}; Monte Carlo error {error:.3f} at {LEVEL}."
    sections = {result.title: f"{said}\n\n{result.markdown()}" for result in results}
    print("\n\n".join(f"## {title}\n\n{section}" for title, section in sections.items()))
    if chosen.write:
        _replace_tables(chosen.write, sections, titles)


def _replace_tables(page: Path, sections: dict[str, str], titles: Sequence[str]) -> None:
    """Write tables into a page, in the order of `titles`; those that were not simulated stay as they are."""
    before, _, rest = page.read_text().partition(BEGIN)
    inside, _, after = rest.partition(END)
    parts = (part.partition("\n") for part in f"\n{inside.strip()}".split("\n## ")[1:])
    known = {title: section.strip() for title, _, section in parts} | sections
    text = "\n\n".join(f"## {title}\n\n{known[title]}" for title in titles if title in known)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
