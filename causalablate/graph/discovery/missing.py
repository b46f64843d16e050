"""Packages that only discovery needs."""

from importlib.util import find_spec

from causalablate.errors import GraphError


def need(package: str, method: str, install: str = "causalablate[discovery]") -> None:
    """Raise where a package is not installed.

    Raises:
        GraphError: It says what to install.
    """
    try:
        found = find_spec(package) is not None
    except ValueError:
        found = False
    if not found:
        raise GraphError(f"{method} needs the package {package}, which is not installed: pip install '{install}'")
