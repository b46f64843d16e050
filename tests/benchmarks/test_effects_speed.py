import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "effects_speed.py"
SMALL = ["--lesions", "3", "--loop-lesions", "2", "--examples", "200", "--levels", "2", "--rounds", "1"]


def test_the_loop_and_population_effects_agree():
    command = [sys.executable, str(SCRIPT), *SMALL, "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (found["loop_lesions"], found["groups"], found["rows"]) == (2, 3, 3 * 4 * 200)
    assert found["largest_difference"] < 1e-6
    assert found["labels_equal"] > 0.9, "sign-flip p values are drawn, all else is equal"
    assert min(found["seconds_all"], found["seconds_part"], found["seconds_loop"]) > 0
