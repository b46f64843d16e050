"""What docs/discovery.md says and shows."""

import re
from pathlib import Path

import pytest

from causalablate.graph.discovery import METHODS
from causalablate.graph.discovery.result import SYMBOLS

PAGE = (Path(__file__).parents[3] / "docs" / "discovery.md").read_text()


def test_its_python_runs():
    pytest.importorskip("gies")
    pytest.importorskip("causallearn")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/discovery.md", "exec"), names)
    assert not names["found"].directed & names["known"].forbidden
    assert names["scores"](names["estimate"], names["truth"])["shd"] == 1
    assert names["scores"](names["estimate"], names["truth"])["sid_high"] == 0
    assert len(names["cpdag"](names["truth"]).directed) == 2 and len(names["gies"].links)


def test_it_names_every_method_and_edge():
    rows = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("|")]
    assert all(f"`{name}`" in rows for name in METHODS)
    assert all(f"a {symbol} b" in PAGE for symbol in SYMBOLS.values())


def test_what_it_says_of_methods_is_so():
    for line in PAGE.splitlines():
        name = line.split("|")[1].strip(" `") if line.startswith("|") else ""
        if name in METHODS and line.startswith("| `"):
            assert ("targets" in line) == METHODS[name].interventional
            assert ("in the search" in line) == METHODS[name].native
            assert ("hidden common causes allowed" in line) == (METHODS[name].kind == "pag")
