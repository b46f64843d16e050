import numpy as np
import pandas as pd

from benchmarks.circuits import curve_table, member_table
from causalablate.graph.circuits import Circuit

LIMITS = {"ci_low": [np.nan, 0.8], "ci_high": [np.nan, 1.0], "left": [1.0, 0.1], "left_low": 0.0, "left_high": 0.2}


def test_the_tables_say_what_was_found():
    curve = pd.DataFrame(
        {"size": [0, 1], "closeness": [0.0, 0.9], "searched": [0.0, 0.95], "faithfulness": [0.0, 0.925], **LIMITS}
    )
    shares = {"contribution": 0.5, "ci_low": 0.4, "ci_high": 0.6, "given_contribution": 0.7}
    members = pd.DataFrame(
        [{"node": "a", "given": "b", "given_low": np.nan, "given_high": np.nan, "in_model": 0.25, **shares}]
    )
    found = Circuit(("a",), ("b",), curve, members, "answer_logprob", 0.9, "removal", 4)
    assert curve_table(found).splitlines()[2:] == [
        "| 1 | 0.925 (0.800 to 1.000) | 0.900 | 0.950 | 0.100 (0.000 to 0.200) |",
        "| 0 | 0.000 | 0.000 | 0.000 | 1.000 (0.000 to 0.200) |",
    ]
    assert member_table(found.members).splitlines()[2] == "| a | 0.500 (0.400 to 0.600) | b | 0.700 | 0.250 |"
