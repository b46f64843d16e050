import pytest
from pydantic import TypeAdapter, ValidationError

from causalablate.training.sweep.figures import FigureSection

ADAPTER = TypeAdapter(FigureSection)


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "metric_by_arm", "metric": "loss_fine", "arms": ["a"]},
        {"kind": "over_training"},
        {"kind": "token_efficiency", "title": "Tokens"},
        {"kind": "attention_maps", "arm": "a"},
        {"kind": "by_mode"},
        {"kind": "scaling"},
        {"kind": "freeze", "arms": ["a", "b"]},
    ],
)
def test_every_kind_reads_what_it_writes(said):
    figure = ADAPTER.validate_python(said)
    assert figure.kind == said["kind"] and ADAPTER.validate_json(ADAPTER.dump_json(figure)) == figure


@pytest.mark.parametrize(
    "said", [{"kind": "freeze"}, {"kind": "attention_maps"}, {"kind": "pie"}, {"kind": "by_mode", "x": 1}]
)
def test_what_is_missing_or_unknown_is_refused(said):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(said)
