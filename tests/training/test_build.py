import pytest
import torch
from pydantic import ValidationError

from causalablate.errors import TrainingError
from causalablate.foveated.model import FoveatedVLM
from causalablate.training.build import build
from causalablate.training.trainer import train


@pytest.fixture
def warmed_up(tiny, tmp_path):
    """A run that ends with its warm-up, and where its checkpoint is."""
    config = tiny(main={"steps": 0}, settle={"steps": 0})
    return config, train(config, tmp_path / "first", quiet=True)


def test_a_run_that_ends_with_its_warm_up_hands_its_queries_over(warmed_up):
    config, checkpoint = warmed_up
    before, after = build(config).model, FoveatedVLM.from_pretrained(checkpoint)
    assert torch.equal(after.queries.static.weight, after.queries.init.weight)
    assert not torch.equal(before.queries.static.weight, before.queries.init.weight)


def test_what_is_not_taken_over_starts_from_the_seed(tiny, warmed_up):
    _, checkpoint = warmed_up
    there = FoveatedVLM.from_pretrained(checkpoint).state_dict()

    def start(seed, **changes):
        return build(tiny(seed=seed, start=str(checkpoint), **changes)).model.state_dict()

    whole = start(1)
    assert all(torch.equal(whole[name], tensor) for name, tensor in there.items())
    one, other = (start(seed, start_parts=["vision", "queries"]) for seed in (1, 2))
    for name, tensor in there.items():
        taken = name.startswith(("vision.", "queries."))
        assert not taken or (torch.equal(one[name], tensor) and torch.equal(other[name], tensor))
    name = "lm.model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(one[name], other[name]) and not torch.equal(one[name], there[name])


def test_a_part_that_is_not_there_is_refused(tiny):
    with pytest.raises(ValidationError, match=r'no part "visoin" \(did you mean vision'):
        tiny(start="shipped", start_parts=["visoin"])


def test_a_run_file_is_no_checkpoint(tiny, tmp_path):
    (tmp_path / "run.yaml").write_text("name: x\n")
    with pytest.raises(TrainingError, match="starts from a checkpoint directory"):
        build(tiny(start="run.yaml"), tmp_path)


def test_what_the_checkpoint_has_no_weights_for_starts_from_the_seed(tiny, warmed_up):
    _, checkpoint = warmed_up
    there = FoveatedVLM.from_pretrained(checkpoint).state_dict()
    shallow = tiny(start=str(checkpoint), model={**tiny().model.model_dump(), "deep_query": False})
    found = build(shallow).model.state_dict()
    new = {name for name in found if name not in there}
    assert new and all(name.startswith("vision.cross_attention.") for name in new)
    assert all(torch.equal(found[name], tensor) for name, tensor in there.items())
