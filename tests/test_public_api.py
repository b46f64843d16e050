import subprocess
import sys

import pytest

import causalablate


@pytest.mark.parametrize("name", causalablate.__all__)
def test_every_public_name_is_there(name):
    assert getattr(causalablate, name) is not None


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        causalablate.nothing  # noqa: B018


def test_importing_the_package_imports_no_torch():
    code = "import causalablate, sys; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
