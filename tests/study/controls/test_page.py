import re
from pathlib import Path

from causalablate.declarative import loads
from causalablate.effects.control_distribution import COLUMNS
from causalablate.study import Study
from causalablate.study.controls import KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "controls.md").read_text()


def test_the_python_of_the_page_runs_and_every_column_is_explained():
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/controls.md", "exec"), names)
    beside = names["beside"]
    assert set(beside["control"]) == set(KINDS) and (beside["n_controls"] == 5).all()
    assert all(f"`{name}`" in PAGE for name in (*COLUMNS, *KINDS))


def test_the_line_of_the_page_is_that_of_a_study():
    (line,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    study = loads(f"name: a\nlesions: [{{do: {{x: resample}}}}]\n{line}", Study)
    assert study.controls.numbers == dict.fromkeys(KINDS, 19)
