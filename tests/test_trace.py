import json

import pytest

from causalablate.trace import Trace


@pytest.mark.parametrize("allocation", [None, [[64.0, 400.0], [100.5, 64.0]]])
def test_a_trace_survives_json(allocation):
    trace = Trace("three", 0.75, [("three", 0.75), ("two", 0.125)], allocation)
    assert Trace.from_json(json.loads(json.dumps(trace.to_json()))) == trace
