import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_python_of_the_page_runs_and_every_column_is_explained():
    page, names = (ROOT / "docs" / "power.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/power.md", "exec"), names)
    columns = [name for table in ("needed", "curves", "shown") for name in names[table].columns]
    assert [name for name in columns if f"`{name}`" not in page] == []
    assert names["needed"]["needed_examples"].notna().all()
