"""Imports point one way: a module imports only from lower layers or from its own package."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "causalablate"

LAYERS = [
    {"errors", "progress", "hook_names"},
    {"durable"},
    {"component"},
    {"offs"},
    {"intervention"},
    {"examples", "declarative", "table", "trace", "environment"},
    {"foveated", "engine", "table_files"},
    {"models"},
    {"outcome"},
    {"replay"},
    {"counterfactual"},
    {"laws", "effects", "generation"},
    {"screening", "attribution", "cost"},
    {"patching"},
    {"graph", "interactions"},
    {"evaluation", "adaptive"},
    {"study"},
    {"training"},
    {"report"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

VALUES_ONLY = {"effects", "report"}
"""These see values and arrays, never a model."""
MODEL_CODE = {
    "torch", "transformers", "engine", "models", "foveated", "replay", "counterfactual", "outcome", "offs", "screening",
    "attribution", "patching",
}  # fmt: skip

FILES = sorted(PACKAGE.rglob("*.py"))


def unit_of(path: Path) -> str:
    """`effects` for causalablate/effects/ate.py, `table` for causalablate/table.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Units of the package, and outside packages, that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module == "causalablate" else [node.module]
        for name in names:
            top, _, rest = name.partition(".")
            found.add(rest.split(".")[0] if top == "causalablate" else top)
    return found


def test_every_unit_has_a_layer():
    assert {unit_of(f) for f in FILES} - {"__init__", "__main__"} == set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_downwards(path):
    unit = unit_of(path)
    if unit.startswith("__"):
        return
    upwards = {u for u in imported(path) if u in LEVEL and u != unit and LEVEL[u] >= LEVEL[unit]}
    assert not upwards, f"{unit} (layer {LEVEL[unit]}) imports {upwards}"


@pytest.mark.parametrize("path", [f for f in FILES if unit_of(f) in VALUES_ONLY], ids=str)
def test_values_only(path):
    assert not imported(path) & MODEL_CODE


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_one_file_registers_hooks(path):
    if path != PACKAGE / "engine" / "hooks.py":
        assert "register_forward" not in path.read_text()
