"""The Python that README and guide show runs as it stands, from top to bottom."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md", "docs/engine.md", "docs/wrap.md"])
def test_python_blocks_run(page):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    names = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    assert names["table"].frame["fired"].all()


def test_the_python_of_the_screening_page_runs():
    names = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "screening.md").read_text(), re.DOTALL):
        exec(compile(block, "docs/screening.md", "exec"), names)
    found = names["found"]
    assert set(found.frame.query("confirmed != ''")["lesion"]) == set(found.exact.lesions)
    page = (ROOT / "docs" / "screening.md").read_text()
    assert all(f"`{column}`" in page for column in found.frame.columns)


def test_the_python_of_the_page_on_adaptive_sweeps_runs():
    page, names = (ROOT / "docs" / "adaptive.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/adaptive.md", "exec"), names)
    found = names["found"]
    assert len(found.answer) == 2 and found.decided and found.share < 1
    assert all(f"`{column}`" in page for column in found.frame.columns)


def test_the_python_of_the_page_on_attribution_runs():
    page, names = (ROOT / "docs" / "attribution.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/attribution.md", "exec"), names)
    found, regions = names["found"], names["regions"]
    assert len(found.frame) == 12 * 3 and (found.games["gap"].abs() < 1e-9).all()
    assert set(regions.population["player"]) == set(regions.regions.names)
    columns = [c for table in (found.frame, found.population, found.games) for c in table if not c.startswith("group.")]
    assert all(f"`{column}`" in page for column in columns)


def test_the_python_of_the_page_on_interventions_runs():
    page, names = (ROOT / "docs" / "interventions.md").read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/interventions.md", "exec"), names)
    assert names["table"].frame["fired"].all()
    assert all(f"`{column}`" in page for column in names["found"].frame.columns)


OWN_TESTS = {"guide", "engine", "wrap", "screening", "adaptive", "attribution", "interventions", "generation", "models"}
"""Pages whose Python is run elsewhere, with more to say about it."""
FRAGMENTS = {"data", "effects", "reference_model", "report", "studies"}
"""Pages that show parts of programs, about files and tables of the reader's own."""
PAGES = sorted(
    page.stem
    for page in (ROOT / "docs").glob("*.md")
    if page.stem not in OWN_TESTS | FRAGMENTS and "```python" in page.read_text()
)


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_every_other_page_runs(page, tmp_path, monkeypatch):
    names = {}
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / f"{page}.md").read_text(), re.DOTALL):
        exec(compile(block, f"docs/{page}.md", "exec"), names)


def test_every_kind_of_off_is_in_the_docs():
    from causalablate.offs import OFFS

    concepts = (ROOT / "docs" / "concepts.md").read_text()
    assert all(f"`{kind}`" in concepts for kind in OFFS)


def test_every_shipped_study_and_command_is_in_the_docs():
    from causalablate.cli.app import commands
    from causalablate.study import shipped_studies

    studies, readme = (ROOT / "docs" / "studies.md").read_text(), (ROOT / "README.md").read_text()
    assert all(f"| `{name}` |" in studies for name in shipped_studies())
    assert all(f"causalablate {command.__name__}" in readme for command in commands)


def test_local_links_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
