import pytest

from causalablate.errors import ComponentNotFoundError, TrainingError
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.intervention import do
from causalablate.training.retraining.capacity import dead_parameters, matched_hidden, with_matched_capacity

WORDS = [f"w{i}" for i in range(12)]
CONFIG = small_config(WORDS, width=16, layers=1)
MODEL = FoveatedVLM(CONFIG)


def size(path):
    return sum(p.numel() for p in MODEL.get_submodule(path).parameters())


@pytest.mark.parametrize(
    ("lesion", "expected"),
    [
        (do("scorers.participatory", off="zero"), size("scorers.participatory")),
        (do("scorers.propositional", off="zero"), 0),
        # The two scores it weighs no longer differ in sum: a gain of relevance is idle too.
        (do({"opponent.exploit_explore": {"kind": "value", "value": 0.5}}), size("opponent.exploit_explore") + 1),
        # Every budget is the mean, whatever comes before: zero, though computed as a sum.
        (do("allocator", off="uniform"), sum(map(size, ("scorers", "opponent", "relevance", "allocator")))),
        (do("query.static", off="zero"), size("queries.static")),
        (
            do("passes.fine", off="zero"),
            sum(map(size, ("scorers", "opponent", "relevance", "allocator", "queries.dynamic", "passes.fine"))),
        ),
        # Two channels of four by four pixels, read by 32 features.
        (do("texture.position", off="zero"), 2 * 16 * 32),
    ],
    ids=str,
)
def test_dead_parameters_are_those_that_only_the_component_uses(lesion, expected):
    assert dead_parameters(CONFIG, lesion) == expected


def test_a_head_is_its_own_queries_and_outputs():
    # Keys and values are shared with another head, and stay in use.
    width, head = 16, 4
    assert dead_parameters(CONFIG, do("lm.layers.0.heads.1", off="zero")) == 2 * width * head


def test_frozen_parts_count():
    frozen = small_config(WORDS, width=16, layers=1, freeze=["scorers"])
    lesion = do("scorers.participatory", off="zero")
    assert dead_parameters(frozen, lesion) == dead_parameters(CONFIG, lesion)


@pytest.mark.parametrize("address", ["scorers.participatory", "passes.fine", "query.static"])
def test_the_control_has_as_many_parameters_in_use_within_half_a_unit(address):
    lesion = do(address, off="zero")
    found = matched_hidden(CONFIG, lesion)
    wide = small_config(WORDS, width=16, layers=1, connector_hidden=found.hidden)
    n, more = (sum(p.numel() for p in FoveatedVLM(c).parameters()) for c in (CONFIG, wide))
    assert more - n == found.added and found.freed == dead_parameters(CONFIG, lesion)
    unit = 16 + 16 + 1
    assert found.remaining == (more - dead_parameters(wide, lesion)) - n and abs(found.remaining) <= unit / 2


def test_a_run_becomes_its_control(tiny):
    run = tiny(without={"scorers.participatory": "zero"})
    control = with_matched_capacity(run)
    assert control.model.connector_hidden == 16 + round(size("scorers.participatory") / 33)
    assert control.model_copy(update={"model": run.model}) == run
    with pytest.raises(TrainingError, match='"tiny" is trained with everything'):
        with_matched_capacity(tiny())


def test_refused():
    with pytest.raises(TrainingError, match="connector itself gets no gradient"):
        matched_hidden(CONFIG, do("connector", off="zero"))
    with pytest.raises(ComponentNotFoundError):
        dead_parameters(CONFIG, do("scorers.nothing", off="zero"))
