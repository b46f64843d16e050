import re
from pathlib import Path

import pytest

from causalablate.declarative import loads
from causalablate.outcome import OUTCOMES
from causalablate.study import Study
from causalablate.study.shipped import shipped_studies

PAGE = Path(__file__).parents[2] / "docs" / "studies.md"


@pytest.fixture(scope="module")
def text():
    return PAGE.read_text()


def rows(text, heading):
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, flags=re.MULTILINE))


def test_the_example_is_a_study(text):
    study = loads(re.search(r"```yaml\n(.*?)```", text, flags=re.DOTALL)[1], Study, str(PAGE))
    assert study.name == "where-to-look"


def test_every_key_is_documented(text):
    assert set(rows(text, "Every key")) == set(Study.model_fields)


def test_every_outcome_is_documented(text):
    assert set(re.findall(r"`(\w+)`", rows(text, "Every key")["outcomes"])) == set(OUTCOMES)


def test_every_study_of_the_library_is_documented(text):
    assert set(rows(text, "The library")) == set(shipped_studies())
