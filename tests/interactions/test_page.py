"""The page on interactions: what it shows runs, and it explains every column."""

import re
from pathlib import Path

from causalablate.interactions import ALL_INDICES
from causalablate.interactions.effects import COLUMNS

PAGE = (Path(__file__).parents[2] / "docs" / "interactions.md").read_text()


def test_the_python_of_the_page_runs():
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/interactions.md", "exec"), names)
    shown = ("effects", "halved", "confounded", "scale", "taylor", "sampled", "repaired")
    columns = [c for table in shown for c in names[table] if not c.startswith("group.")]
    assert all(f"`{column}`" in PAGE for column in columns)
    assert (names["halved"]["aliases"] != "").all()


def test_every_column_and_index_is_explained():
    assert all(f"`{name}`" in PAGE for name in (*COLUMNS, *ALL_INDICES))
