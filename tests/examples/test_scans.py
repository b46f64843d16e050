import numpy as np
import pytest
from sklearn.datasets import load_digits

from causalablate.errors import ExampleError
from causalablate.examples.scans import SPLITS, scans


def test_every_scan_is_in_exactly_one_split():
    index = np.concatenate([scans(split).index for split in SPLITS])
    assert sorted(index) == list(range(1797))
    assert len(scans("test").index) == 360


def test_scans_are_grouped_by_what_they_show():
    target = load_digits().target
    found = scans("validation")
    for digit, rows in enumerate(found.by_digit):
        assert len(rows) > 0 and (target[found.index[rows]] == digit).all()
    assert sum(map(len, found.by_digit)) == len(found.index)


def test_an_unknown_split_is_named():
    with pytest.raises(ExampleError, match="did you mean test"):
        scans("tset")
