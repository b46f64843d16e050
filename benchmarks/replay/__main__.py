"""Race the replay engine against other ways of running lesion sweeps, paired in one run.

    python -m benchmarks.replay [--workloads W1,W2,W3,W4] [--repetitions 3] [--threads 2] [--quick]

Prints a table per workload, and after each writes results.json and the section of RESULTS.md that is made from it, so
that a run that is stopped keeps what it has. See benchmarks/README.md.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is downloaded; transformers reads this once, on import

import torch

from benchmarks.replay.machine import machine
from benchmarks.replay.methods import METHODS
from benchmarks.replay.race import Plan, race
from benchmarks.replay.results import merged, write_json, write_section
from benchmarks.replay.table import section
from benchmarks.replay.workloads import FULL, Setup, named, workloads

HERE = Path(__file__).parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Race, print, write."""
    chosen = _arguments(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    setup = Setup(chosen.off, chosen.seed, chosen.device, getattr(torch, chosen.dtype), chosen.quick)
    plan = Plan(chosen.repetitions, chosen.loop_lesions, chosen.subset, chosen.seed, chosen.methods, quick=chosen.quick)
    found: list[dict[str, Any]] = []
    for workload in workloads(chosen.cases, setup):
        found.append(race(workload, plan) | {"off": chosen.off, "seed": chosen.seed, "machine": machine(chosen.device)})
        _write(chosen, found)
        if not chosen.print_json:
            print(section(found[-1]), end="\n\n", flush=True)
    if chosen.print_json:
        print(json.dumps({"results": found}, indent=1))


def _write(chosen: argparse.Namespace, found: Sequence[dict[str, Any]]) -> None:
    """A quick run writes only where it is told to."""
    results = chosen.results or (None if chosen.quick else HERE / "results.json")
    report = chosen.report or (None if chosen.quick else HERE / "RESULTS.md")
    everything = merged(results, found) if results else found
    if results:
        write_json(results, everything)
    if report:
        write_section(report, everything)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__.split("\n")[0])
    names = [method.name for method in METHODS[1:]]
    parser.add_argument("--workloads", default="W1,W2,W3,W4", help=f"of {', '.join(FULL)}; W1: all its cases (all)")
    parser.add_argument("--methods", default=",".join(names), help=f"comma-separated ({','.join(names)})")
    parser.add_argument("--repetitions", type=int, default=3, help="turns of every method; medians count (3)")
    parser.add_argument("--loop-lesions", type=int, default=90, help="lesions of the plain loop; 0 for all (90)")
    parser.add_argument("--subset", type=int, default=30, help="of those, lesions of the other baselines; 0: all (30)")
    parser.add_argument("--off", choices=("zero", "mean"), default="zero", help="how components are off (zero)")
    parser.add_argument("--seed", type=int, default=0, help="seeds weights, examples and choices (0)")
    parser.add_argument("--threads", type=int, help="threads of torch (its own choice)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (cpu)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="precision (float32)")
    parser.add_argument("--quick", action="store_true", help="tiny models, one turn: whether it runs, not how fast")
    parser.add_argument("--json", dest="print_json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--results", type=Path, help="JSON over all runs (benchmarks/results.json; quick: none)")
    parser.add_argument("--report", type=Path, help="Markdown to update (benchmarks/RESULTS.md; quick: none)")
    chosen = parser.parse_args(arguments)
    chosen.methods = chosen.methods.split(",")
    if unknown := [name for name in chosen.methods if name not in names]:
        parser.error(f"no method {', '.join(unknown)}; there are {', '.join(names)}")
    try:
        chosen.cases = named(chosen.workloads, quick=chosen.quick)
    except ValueError as error:
        parser.error(str(error))
    chosen.repetitions = 1 if chosen.quick else chosen.repetitions
    if chosen.repetitions < 1:
        parser.error(f"--repetitions is {chosen.repetitions}; it must be at least 1")
    if chosen.device != "cpu" and not torch.cuda.is_available():
        parser.error(f"--device {chosen.device}: torch finds no GPU")
    return chosen


if __name__ == "__main__":
    main()
