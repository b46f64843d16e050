import numpy as np
import pytest

from causalablate.effects.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("outcome", "factual", "counterfactual", "kind"),
    [
        ("correct", [0, 1, 1], [1, 1, 0], Kind.BINARY),
        ("correct", [0, 0, 0], [0, 0, 0], Kind.BINARY),
        ("correct", [0, 0, 0], [0, 1, 0], Kind.BINARY),
        ("loss", [0.2, 1.0, 3.0], [0.1, 1.0, 3.0], Kind.REAL),
        ("loss", [0.0, 1.0, 1.0], [0.5, 1.0, 1.0], Kind.REAL),
        ("distance", [0, 0, 0], [0.1, 2, 0], Kind.DISTANCE),
        ("shift", [0, 0, 0], [0.1, -2, 0], Kind.REAL),
        ("kl_to_factual", [0, 0, 0], [0, 0, 0], Kind.DISTANCE),
        ("kl_to_factual", [0, 0, 0], [0.1, -1e-8, 0], Kind.DISTANCE),
        ("predicted_answer", [0, 1, 1], [0, 0, 1], Kind.CATEGORICAL),
    ],
)
def test_kind_follows_name_and_values(outcome, factual, counterfactual, kind):
    assert kind_of(outcome, np.array(factual), np.array(counterfactual), {"predicted_answer"}) is kind


def test_one_sided_kinds_are_those_without_negative_effects():
    assert {kind for kind in Kind if kind.one_sided} == {Kind.DISTANCE, Kind.CATEGORICAL}
