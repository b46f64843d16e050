import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_python_of_the_page_runs_and_every_column_is_explained():
    page, names = (ROOT / "docs" / "seeds.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/seeds.md", "exec"), names)
    columns = [*names["seeds"].columns, *names["components"].columns]
    assert [name for name in columns if f"`{name}`" not in page] == []
    assert set(names["seeds"]["group"]) == {"all", "question_type=colour", "question_type=count"}
