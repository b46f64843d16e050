"""Every family of the table, on a tiny checkpoint built from its config; with `-m checkpoints`, real ones too.

CAUSALABLATE_CHECKPOINTS lists directories with real weights, separated as in PATH.
"""

import os
from pathlib import Path

import pytest

from tests.families.__main__ import BEGIN, END, HEAD, line
from tests.families.conformance import CHECKS, Subject
from tests.families.table import BUILDERS

REAL = [Path(path) for path in os.environ.get("CAUSALABLATE_CHECKPOINTS", "").split(os.pathsep) if path]


@pytest.fixture(
    scope="session",
    params=[
        *(pytest.param(name, id=name) for name in BUILDERS),
        *(pytest.param(path, id=path.name, marks=pytest.mark.checkpoints) for path in REAL),
    ],
)
def subject(request, tmp_path_factory):
    if isinstance(request.param, Path):
        # Outcomes of trained models are larger numbers than those of random ones: so is what rounding does to them.
        return Subject(request.param.name, request.param, tolerance=1e-4, every=False)
    path = tmp_path_factory.mktemp(request.param)
    BUILDERS[request.param].build(path)
    return Subject(request.param, path, options=getattr(BUILDERS[request.param], "OPTIONS", {}))


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_family_conforms(subject, check):
    assert check(subject)


def test_the_page_has_a_row_for_every_family():
    """Made by `python -m tests.families`."""
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    table = page.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    assert [row.split(" | ")[0].removeprefix("| ") for row in table[2:]] == sorted(BUILDERS)
    assert table[0] == line(HEAD) and "fails" not in page and "does not load" not in page
