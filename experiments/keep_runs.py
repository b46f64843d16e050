"""Copy the record, log and cost of every run of a sweep into its results: what is committed of a run.

python experiments/keep_runs.py experiments/components/results runs/trained
"""

import argparse
import csv
import shutil
from pathlib import Path

KEPT = ("record.json", "log.jsonl", "cost.jsonl")


def keep_runs(results: Path, trained: Path) -> int:
    """Copy `KEPT` of every run named in `results.csv` to `runs/DIGEST`; returns how many runs there are."""
    with (results / "results.csv").open(encoding="utf-8") as file:
        digests = {row["digest"] for row in csv.DictReader(file) if (trained / row["digest"]).is_dir()}
    for digest in sorted(digests):
        (results / "runs" / digest).mkdir(parents=True, exist_ok=True)
        for name in KEPT:
            shutil.copyfile(trained / digest / name, results / "runs" / digest / name)
    return len(digests)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Copy what is committed of every run of a sweep into its results.")
    parser.add_argument("results", type=Path, help="folder that `causalablate retrain --out` wrote")
    parser.add_argument("trained", type=Path, help="folder of all runs, `--trained`")
    given = parser.parse_args()
    print(f"{keep_runs(given.results, given.trained)} runs")
