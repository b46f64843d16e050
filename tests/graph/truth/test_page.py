"""The Python of the page on ground truth runs, and gives what the page says."""

import re
from pathlib import Path


def test_the_python_of_the_page_runs():
    page, names = (Path(__file__).parents[3] / "docs" / "ground_truth.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/ground_truth.md", "exec"), names)
    assert names["asleep"] == dict.fromkeys([("source", "spare"), ("spare", "reader")], "primary=zero")
    assert names["possible"].pairs == names["awake"] | set(names["asleep"])
    assert "never fires" in names["found"].notes["spare"]
