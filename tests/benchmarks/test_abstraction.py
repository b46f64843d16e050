import json
import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "abstraction.py"


@pytest.fixture(scope="module")
def main():
    return runpy.run_path(str(SCRIPT))["main"]


def test_it_prints_every_method(main, capsys):
    main(["--examples", "8", "--pairs", "30", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [row["method"] for row in found["held-out pairs"]] == [
        "additive", "largest", "log-odds", "graph", "graph, fitted", "gcm",
    ]  # fmt: skip
    assert len(found["pairs of held-out lesions"]) == 1 and len(found["held-out single lesions"]) == 4
