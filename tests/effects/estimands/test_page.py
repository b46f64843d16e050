import re
from pathlib import Path

from causalablate.effects.estimands import ESTIMANDS, QUANTILES

PAGE = Path(__file__).parents[3] / "docs" / "estimands.md"


def test_the_python_of_the_page_runs():
    page, names = PAGE.read_text(), {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    assert names["found"]["ci_low"].notna().all()
    assert all(f"`{column}`" in page for column in names["found"].columns)
    assert names["bounds"].pn_low < names["bounds"].pn_high


def test_every_estimand_is_on_the_page():
    page = PAGE.read_text()
    assert all(f"`{name}`" in page for name in ESTIMANDS)
    assert all(f"`{name}(q)`" in page for name in QUANTILES)
