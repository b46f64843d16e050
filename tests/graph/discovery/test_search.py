import numpy as np
import pandas as pd
import pytest

from causalablate.errors import GraphError
from causalablate.graph.discovery import Knowledge, discover


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(50, 3)), columns=["a", "b", "c"])


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"method": "gess"}, r'no method "gess" \(did you mean ges'),
        ({}, {"method": "pc", "alpha": 0}, "alpha is 0; it must lie between 0 and 1"),
        ({}, {"method": "ges", "penalty": 0}, "penalty is 0; it must be above 0"),
        ({}, {"method": "gies"}, "gies works on rows with lesions: say with targets="),
        ({}, {"method": "pc", "targets": ["a"]}, "targets has 1 entries for 50 rows"),
        ({}, {"method": "pc", "targets": ["a"] * 50}, "pc works on rows without a lesion, of which there are none"),
        ({}, {"method": "gies", "targets": ["d"] * 50}, 'no node "d" in the table'),
        ({}, {"method": "gies", "targets": ["a"] * 50}, "a was off in every row"),
        ({}, {"method": "jci-pc", "targets": ["a"] * 25 + ["b"] * 25}, "jci-pc needs rows without a lesion"),
        ({}, {"method": "pc", "knowledge": Knowledge({("a", "bb")})}, r'no node "bb" in the table \(did you mean b'),
        ({"b": np.nan}, {"method": "pc"}, "b is nan in row 0"),
        ({"b": "x"}, {"method": "pc"}, "b: not numbers"),
        ({5: 1.0}, {"method": "pc"}, "every column needs a name of its own"),
        ({"d": lambda t: 2 * t.a - t.b}, {"method": "pc"}, "d follows exactly from columns before it"),
    ],
)
def test_what_is_refused(data, change, arguments, message):
    with pytest.raises(GraphError, match=message):
        for name, value in change.items():
            data[name] = value(data) if callable(value) else value
        discover(data, **arguments)


def test_too_few_rows_are_refused(data):
    with pytest.raises(GraphError, match="6 rows for 3 columns; there must be at least 4 more"):
        discover(data.iloc[:6], "pc")


def test_targets_may_be_collections(data):
    targets = [()] * 25 + [("a", "b")] * 25
    assert discover(data, "gies", targets=targets).nodes == ("a", "b", "c")


def test_nothing_that_varies_gives_nodes_without_edges():
    found = discover(pd.DataFrame({"a": [1.0] * 9, "b": [2.0] * 9}), "ges")
    assert found.nodes == ("a", "b") and not found.links and len(found.notes) == 2
