"""Values of coalitions against the lesioned model itself."""

import numpy as np
import pytest
import torch

from causalablate import do
from causalablate.attribution import components
from causalablate.attribution.components import ComponentGame
from causalablate.attribution.shapley import all_coalitions
from causalablate.errors import LesionError
from causalablate.outcome import compute
from causalablate.replay import Replay

PLAYERS = {
    "early": do("lm.layers.0.heads.*", off="zero"),
    "passes.fine": do("passes.fine", off="mean"),
    "scorers": do("scorers.*", off="uniform"),
}


@pytest.mark.parametrize("stack", [1, None])
def test_the_absent_are_off_together(model, examples, reference, stack, monkeypatch):
    monkeypatch.setattr(components, "AT_ONCE", 3)  # several sweeps
    reference = model.reference(reference)
    replay = Replay(model, examples, outcomes=["logit_difference"], reference=reference, stack=stack)
    coalitions, done = all_coalitions(3)[::-1], []
    game = ComponentGame(replay, PLAYERS)
    values = game.values(coalitions, lambda n, note: done.append(n))
    assert game.players == tuple(PLAYERS) and game.kinds == ("head", "pass", "scorer")
    assert sum(done) == 8 and values.shape == (8, 24) and values.dtype == np.float64
    inputs = model.encode(examples)
    intact = model.read(model(**inputs))
    for coalition, row in zip(coalitions, values, strict=True):
        lesion = do({})
        for player, present in zip(PLAYERS.values(), coalition, strict=True):
            lesion = lesion if present else lesion & player
        with torch.no_grad(), model.do(lesion, reference=reference, keys=[e.id for e in examples]):
            seen = model.read(model(**inputs))
        answers = model.adapter.answers(model.module, examples)
        (expected,) = compute(["logit_difference"], seen, answers, intact, [e.id for e in examples])
        assert row == pytest.approx(expected.numpy(), abs=0 if stack == 1 else 1e-5)


@pytest.mark.parametrize(
    ("lesions", "message"),
    [
        ({}, "there are no players"),
        ({"none": do({})}, 'player "none" has no component'),
        (
            {"a": do("scorers.*", off="uniform"), "b": do("scorers.propositional", off="zero")},
            'belongs to the players "a" and "b"',
        ),
        ({"a": do("scorers.*", off="knockout")}, "cannot be off by knockout"),
    ],
)
def test_players_that_make_no_game(model, examples, lesions, message):
    with pytest.raises(LesionError, match=message):
        ComponentGame(Replay(model, examples), lesions)
