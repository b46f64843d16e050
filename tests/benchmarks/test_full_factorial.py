import json

import numpy as np
import pytest

from benchmarks import full_factorial
from benchmarks.full_factorial import SHARES, closed_form, main, paths
from tests.graph.planted import plant


def test_every_index_is_that_of_the_closed_form(capsys):
    main(["--nodes", "6", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == 64 and [row["index"] for row in found["indices"]] == list(SHARES)
    assert all(row["largest difference"] < 1e-5 < row["largest"] for row in found["indices"])


def test_the_closed_form_is_that_of_paths():
    weight = np.array([[0, 2.0, 0.5], [0, 0, 3.0], [0, 0, 0]])
    assert sorted(paths(weight)) == [((0, 1, 2), 6.0), ((0, 2), 0.5), ((1, 2), 3.0), ((2,), 1.0)]
    planted = plant(weight, 4, 0)
    noise = np.stack([np.asarray(next(iter(e.inputs.values()))) for e in planted.examples])
    together = noise[:, 0] * (6 / 3 + 0.5 / 2)
    np.testing.assert_allclose(closed_form(planted, "SV", (0,)), together, rtol=1e-6)
    np.testing.assert_allclose(closed_form(planted, "SII", (0, 1)), noise[:, 0] * 6 / 2, rtol=1e-6)


def test_a_difference_is_an_error(monkeypatch, capsys):
    monkeypatch.setattr(full_factorial, "closed_form", lambda planted, index, members: np.zeros(2))
    with pytest.raises(SystemExit, match="differ"):
        main(["--nodes", "4"])
    assert "16 runs" in capsys.readouterr().out
