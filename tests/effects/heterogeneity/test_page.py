"""The Python of docs/heterogeneity.md runs, and the page names every column."""

import re
from pathlib import Path

from causalablate.effects.heterogeneity.failures import COLUMNS
from causalablate.examples.properties import COLUMNS as PROPERTIES

PAGE = Path(__file__).parents[3] / "docs" / "heterogeneity.md"


def test_the_page_runs_and_names_every_column():
    text, names = PAGE.read_text(encoding="utf-8"), {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    columns = {*COLUMNS, *PROPERTIES, *names["factors"], *(c for c in names["largest"] if not c.startswith("group."))}
    assert [c for c in columns if f"`{c}`" not in text] == []
    assert "question_type=location" in set(names["failures"]["group"])
