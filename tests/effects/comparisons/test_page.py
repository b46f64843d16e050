"""The Python of docs/comparisons.md runs, and the page names every column."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "comparisons.md"


def test_the_page_runs_and_names_every_column():
    text, names = PAGE.read_text(encoding="utf-8"), {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    compared = {re.sub("_zero$", "_b", re.sub("_mean$", "_a", c)) for c in names["compared"]}
    columns = {*compared, "compensation", *names["ranks"], *names["costs"], *names["points"]}
    assert [c for c in columns if f"`{c}`" not in text] == []
    assert names["left"]["compensation"].equals(names["compared"]["difference"])
