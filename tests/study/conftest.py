import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("causalablate_test_fake", Path(__file__).parent / "fake.py")
_fake = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fake)


@pytest.fixture(scope="session")
def fake():
    """The fake replay, its components, and small studies of it."""
    return _fake
