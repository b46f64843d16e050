"""The page on generation: its Python runs as it stands, and its tables name what is there."""

import json
import re
from pathlib import Path

from PIL import Image

from causalablate.generation import MATCHES
from tests.families import llava, tiny

PAGE = Path(__file__).parents[2] / "docs" / "generation.md"


def test_the_python_runs_and_the_tables_name_every_column_and_outcome(tmp_path, monkeypatch):
    page, names = PAGE.read_text(), {}
    here = tmp_path / "path" / "to"
    llava.build(here / "llava")
    (here / "questions").mkdir()
    lines = []
    for e in tiny.examples(4):
        Image.fromarray(e.images[0]).save(here / "questions" / f"{e.id}.png")
        lines.append(json.dumps({"image": f"{e.id}.png", "question": e.question, "answer": e.answer}))
    (here / "questions" / "examples.jsonl").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/generation.md", "exec"), names)
    found, chosen = names["found"], names["chosen"]
    assert found.frame["fired"].all() and chosen.frame["fired"].all()
    told = [*found.table.outcomes, *chosen.table.outcomes, *found.texts.columns, *MATCHES]
    assert all(f"`{name}`" in page for name in told if name not in ("lesion", "example"))
