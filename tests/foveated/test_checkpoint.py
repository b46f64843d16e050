import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from causalablate.errors import CheckpointError
from causalablate.foveated.checkpoint import CONFIG, WEIGHTS
from causalablate.foveated.encoding import encode
from causalablate.foveated.model import FoveatedVLM


@pytest.fixture
def folder(model, tmp_path):
    model.save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def edit_config(folder, change):
    entries = json.loads((folder / CONFIG).read_text())
    change(entries)
    (folder / CONFIG).write_text(json.dumps(entries))


def edit_weights(folder, change):
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


def refused(folder, *words):
    with pytest.raises(CheckpointError) as caught:
        FoveatedVLM.from_pretrained(folder)
    for word in words:
        assert word in str(caught.value)


def test_round_trip_gives_the_same_answers(model, folder, examples, capfd):
    state = torch.get_rng_state()
    inputs = encode(examples, model.config)
    again = FoveatedVLM.from_pretrained(folder)
    assert torch.equal(torch.get_rng_state(), state)
    assert not again.training and torch.equal(again(**inputs).logits, model(**inputs).logits)
    assert capfd.readouterr() == ("", "")


def test_transformers_own_pair_round_trips(model, tmp_path, examples):
    model.save_pretrained(tmp_path)
    inputs = encode(examples, model.config)
    expected = model(**inputs).logits
    assert torch.equal(FoveatedVLM.from_pretrained(tmp_path).eval()(**inputs).logits, expected)
    assert torch.equal(FoveatedVLM.from_pretrained(tmp_path)(**inputs).logits, expected)


def test_saving_twice_gives_the_same_bytes(model, folder, tmp_path):
    FoveatedVLM.from_pretrained(folder).save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    assert (tmp_path / "again" / CONFIG).read_bytes() == (folder / CONFIG).read_bytes()


def test_a_missing_directory_or_file_is_named(folder, tmp_path):
    refused(tmp_path / "nowhere", "nowhere", CONFIG)
    (folder / WEIGHTS).unlink()
    refused(folder, WEIGHTS)
    (folder / CONFIG).unlink()
    refused(folder, CONFIG)


def test_a_config_that_is_not_json_is_named_with_its_line(folder):
    (folder / CONFIG).write_text('{\n "mode": \n')
    refused(folder, CONFIG, ":3:1", "not JSON")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.pop("vocabulary"), ["vocabulary", "missing"]),
        (lambda c: c.update(mean_buget=3), ["mean_buget", "did you mean mean_budget"]),
        (lambda c: c["vision_config"].update(hiden_size=3), ["vision_config.hiden_size", "hidden_size"]),
        (lambda c: c.update(model_type="llava"), ["model_type", "llava"]),
        (lambda c: c.update(mode="fine"), ["mode", "coarse_fine"]),
        (lambda c: c["text_config"].update(num_hidden_layers="many"), ["num_hidden_layers"]),
        (lambda c: c.update(text_config=3), ["text_config"]),
        (lambda c: c.update(visual_tokens_per_frame="two"), ["visual_tokens_per_frame"]),
    ],
)
def test_a_bad_field_is_named(folder, change, words):
    edit_config(folder, change)
    refused(folder, CONFIG, *words)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_named(folder, share):
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: int(share * len(content))])
    refused(folder, WEIGHTS, "truncated or damaged")


def test_garbage_is_named(folder):
    (folder / WEIGHTS).write_bytes(b"\xff" * 1000)
    refused(folder, WEIGHTS, "truncated or damaged")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("queries.static.weight"), ["queries.static.weight", "missing"]),
        (lambda t: t.update(extra=torch.zeros(2)), ["extra", "unexpected"]),
        (lambda t: t.update({"passes.fine.mark": torch.zeros(5)}), ["passes.fine.mark", "(5,)", "(32,)"]),
        (lambda t: t["connector.fc1.weight"].view(-1)[7:9].fill_(float("nan")), ["connector.fc1.weight", "2 NaN"]),
        (lambda t: t["connector.fc1.bias"].fill_(float("inf")), ["connector.fc1.bias", "infinite"]),
    ],
)
def test_a_bad_tensor_is_named(folder, change, words):
    edit_weights(folder, change)
    refused(folder, WEIGHTS, *words)


def test_config_and_weights_of_two_models_are_refused(folder):
    edit_config(folder, lambda c: c["vision_config"].update(hidden_size=64))
    refused(folder, WEIGHTS, "64)", "do not belong together")


def test_an_unwritable_directory_is_named(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="file"):
        model.save_pretrained(tmp_path / "file" / "checkpoint")
