from causalablate.effects.better import BETTER, better_of
from causalablate.effects.kinds import Kind
from causalablate.report.words import OUTCOMES


def test_directions_are_those_of_the_report():
    told = {name: words.better for name, words in OUTCOMES.items() if words.better}
    assert {name: direction for name, direction in BETTER.items() if name in told} == told
    # Reports call a distance neither; here, to move answers away from the factual ones is harm.
    assert set(BETTER) - set(told) == {"kl_to_factual"}


def test_known_unknown_and_told():
    kinds = {"correct": Kind.BINARY, "score": Kind.REAL, "loss": Kind.REAL}
    assert better_of(kinds, None) == {"correct": 1, "score": 0, "loss": -1}
    assert better_of(kinds, {"score": -1, "loss": 1}) == {"correct": 1, "score": -1, "loss": 1}
