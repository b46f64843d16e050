import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "effects_scale.py"


def test_every_analysis_runs_and_is_measured():
    command = [sys.executable, str(SCRIPT), "--lesions", "3", "--examples", "80", "--resamples", "50", "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (found["lesions"], found["examples"], len(found["analyses"])) == (3, 80, 5)
    assert all(row["wall_s"] > 0 and row["peak_gib"] > 0 for row in found["analyses"])
