"""The page on tables of other tools: its Python runs, and it names every column, suffix and view."""

import re
from pathlib import Path

from causalablate.cli.views import VIEWS
from causalablate.table_files import SUFFIXES
from causalablate.table_files.columns import OPTIONAL, REQUIRED

PAGE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")


def test_its_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/tables.md", "exec"), names)
    row = names["effects"].query("lesion == 'head 0' and group == 'all'").iloc[0]
    assert row["ate"] == -0.5 and set(names["effects"]["group"]) == {"all", "topic=law", "topic=art"}
    assert (tmp_path / "ours.parquet").exists()


def test_it_names_every_column_suffix_and_view():
    assert all(f"`{name}`" in PAGE for name in (*REQUIRED, *OPTIONAL, *SUFFIXES, *VIEWS))
