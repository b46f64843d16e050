"""Time `population_effects` against a plain loop over lesions, on the same study in the same run.

    python benchmarks/effects_speed.py [--lesions 300] [--loop-lesions 30] [--rounds 3] [--seed 0] [--json]

The loop gets a part of the lesions, as all of them would take minutes; both are timed on that part, turn by turn, and
`population_effects` on all lesions too. Times are CPU seconds of this process, which other load on the machine disturbs
little. The run fails if the two disagree.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from simulated.plain_loop import plain_effects
from simulated.study import study

from causalablate.effects import Kind, population_effects
from causalablate.progress import progress_bar
from causalablate.table import Counterfactuals

LEVEL = 0.95
SAME = ("ate", "ci_low", "ci_high", "d", "d_z")
"""Columns that both compute without drawing; they must agree."""
TOLERANCE = 1e-6
KEYS = ["outcome", "lesion", "group"]


def compare(lesions: int, loop_lesions: int, examples: int, levels: int, rounds: int, seed: int) -> dict[str, Any]:
    """Time both on the first `loop_lesions` lesions, and `population_effects` on all.

    Args:
        lesions: Lesions of the whole study.
        loop_lesions: Lesions that the loop gets.
        examples: Examples.
        levels: Levels of the group; each outcome is estimated for all examples and within every level.
        rounds: Repetitions, the two turn by turn; the median counts.
        seed: Seeds the study and the permutations.
    Raises:
        RuntimeError: The two disagree.
    """
    whole = study(lesions, examples, levels, seed)
    part = Counterfactuals(whole.frame[whole.frame["lesion"].isin(whole.lesions[:loop_lesions])], whole.labels)
    reference = population_effects(whole, level=LEVEL, seed=seed)
    flips = reference.attrs["n_permutations"]
    kinds = {name: Kind(kind) for name, kind in reference.attrs["kinds"].items()}
    sesoi = reference.attrs["sesoi"]
    seconds: dict[str, list[float]] = {"all": [], "part": [], "loop": []}
    with progress_bar("effects speed", 3 * rounds) as advance:
        for _ in range(rounds):
            _, took = _timed(lambda: population_effects(whole, level=LEVEL, seed=seed))
            seconds["all"].append(took)
            advance(1, "all lesions")
            ours, took = _timed(lambda: population_effects(part, level=LEVEL, seed=seed, n_permutations=flips))
            seconds["part"].append(took)
            advance(1, "part")
            loop, took = _timed(lambda: plain_effects(part, kinds, sesoi, level=LEVEL, n_permutations=flips, seed=seed))
            seconds["loop"].append(took)
            advance(1, "loop")
    return {
        "lesions": lesions,
        "loop_lesions": loop_lesions,
        "examples": examples,
        "outcomes": len(kinds),
        "groups": levels + 1,
        "rows": len(whole),
        "permutations": flips,
        "rounds": rounds,
        "seconds_all": median(seconds["all"]),
        "seconds_part": median(seconds["part"]),
        "seconds_loop": median(seconds["loop"]),
        "times_faster": median(b / a for a, b in zip(seconds["part"], seconds["loop"], strict=True)),
        "largest_difference": _largest_difference(ours, loop),
        "labels_equal": float(np.mean(_aligned(ours)["label"] == _aligned(loop)["label"])),
        **_machine(),
    }


def _timed(call: Callable[[], pd.DataFrame]) -> tuple[pd.DataFrame, float]:
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


def _aligned(effects: pd.DataFrame) -> pd.DataFrame:
    return effects.set_index(KEYS).sort_index()


def _largest_difference(ours: pd.DataFrame, loop: pd.DataFrame) -> float:
    a, b = (_aligned(effects)[list(SAME)].to_numpy(np.float64) for effects in (ours, loop))
    if a.shape != b.shape or not (np.isnan(a) == np.isnan(b)).all():
        raise RuntimeError("population_effects and the plain loop do not estimate the same rows")
    largest = float(np.nanmax(np.abs(a - b)))
    if largest > TOLERANCE:
        raise RuntimeError(f"population_effects and the plain loop differ by {largest:.2g}; they must agree")
    return largest


def _machine() -> dict[str, Any]:
    return {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _text(found: dict[str, Any]) -> str:
    head = (
        f"{found['examples']:,} examples x {found['outcomes']} outcomes x {found['groups']} groups, "
        f"{found['permutations']:,} permutations; {found['rows']:,} table rows with all lesions\n"
        f"CPU seconds, median of {found['rounds']} rounds; {found['machine']}, {found['cores']} cores, "
        f"OMP_NUM_THREADS {found['threads']}, Python {found['python']}, NumPy {found['numpy']}\n"
    )
    few, many = found["loop_lesions"], found["lesions"]
    return head + (
        "\n| lesions | population_effects | plain loop | times faster |\n|---|---|---|---|\n"
        f"| {few} | {found['seconds_part']:.2f} | {found['seconds_loop']:.2f} | {found['times_faster']:.0f} |\n"
        f"| {many} | {found['seconds_all']:.2f} | not run | |\n"
        f"\nLargest difference between the two: {found['largest_difference']:.1g}; "
        f"equal labels: {found['labels_equal']:.1%}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the times, as text or as JSON."""
    parser = argparse.ArgumentParser(description="population_effects against a plain loop over lesions.")
    parser.add_argument("--lesions", type=int, default=300, help="lesions of the whole study (300)")
    parser.add_argument("--loop-lesions", type=int, default=30, help="lesions that the loop gets (30)")
    parser.add_argument("--examples", type=int, default=2000, help="examples (2000)")
    parser.add_argument("--levels", type=int, default=8, help="levels of the group (8)")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions; the median counts (3)")
    parser.add_argument("--seed", type=int, default=0, help="seeds the study and the permutations (0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    chosen = parser.parse_args(arguments)
    if min(chosen.lesions, chosen.loop_lesions, chosen.examples, chosen.levels, chosen.rounds) < 1:
        parser.error("every number must be at least 1")
    if chosen.loop_lesions > chosen.lesions:
        parser.error(f"--loop-lesions is {chosen.loop_lesions}; there are {chosen.lesions} lesions")
    found = compare(chosen.lesions, chosen.loop_lesions, chosen.examples, chosen.levels, chosen.rounds, chosen.seed)
    print(json.dumps(found, indent=2) if chosen.json else _text(found))


if __name__ == "__main__":
    main()
