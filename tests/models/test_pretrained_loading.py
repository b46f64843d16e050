"""What a checkpoint directory may hold: complete weights in safe files, and no code that runs unasked."""

import json
import pickle
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from causalablate import counterfactuals
from causalablate.errors import CheckpointError, DeviceError
from causalablate.models import load
from tests.families import llava, text, tiny


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("llava")
    llava.build(path)
    return path


@pytest.fixture
def checkpoint(original, tmp_path):
    return shutil.copytree(original, tmp_path / "copy")


def edited(path, change):
    tensors = load_file(path / "model.safetensors")
    change(tensors)
    save_file(tensors, path / "model.safetensors", {"format": "pt"})


def test_the_same_weights_have_one_hash_wherever_they_lie(original, checkpoint):
    assert load(original).hash == load(checkpoint).hash
    edited(checkpoint, lambda tensors: tensors["multi_modal_projector.linear_1.bias"].add_(1))
    assert load(original).hash != load(checkpoint).hash


def test_loading_draws_no_random_numbers(original):
    before = torch.get_rng_state()
    load(original)
    assert torch.equal(torch.get_rng_state(), before)


def test_shards_are_one_model(original, tmp_path):
    load(original).module.save_pretrained(tmp_path, max_shard_size="20KB")
    for name in ("tokenizer.json", "tokenizer_config.json", "processor_config.json"):
        shutil.copy(original / name, tmp_path)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 2 and load(tmp_path).hash == load(original).hash
    shards[1].unlink()
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        load(tmp_path)


def test_weights_that_are_missing_are_not_drawn_at_random(checkpoint):
    edited(checkpoint, lambda tensors: tensors.pop("multi_modal_projector.linear_2.weight"))
    with pytest.raises(CheckpointError, match=r"lacks 1 weights: model\.multi_modal_projector\.linear_2\.weight"):
        load(checkpoint)


def test_weights_of_another_shape_are_refused(checkpoint):
    config = json.loads((checkpoint / "config.json").read_text())
    config["text_config"]["intermediate_size"] = 64
    (checkpoint / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"has other shapes for 6 weights: model.language_model.layers.0.mlp"):
        load(checkpoint)


def test_a_file_that_is_cut_off_is_named_as_damaged(checkpoint):
    whole = (checkpoint / "model.safetensors").read_bytes()
    (checkpoint / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="damaged or cut off"):
        load(checkpoint)


@pytest.mark.parametrize("name", ["tokenizer.json", "processor_config.json"])
def test_a_checkpoint_without_its_processor_is_refused(checkpoint, name):
    (checkpoint / name).unlink()
    with pytest.raises(CheckpointError, match=str(checkpoint)):
        load(checkpoint)


def test_a_model_that_looks_is_not_fed_by_a_tokenizer_alone(original, checkpoint):
    shutil.rmtree(checkpoint)
    checkpoint.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copy(original / name, checkpoint)
    (checkpoint / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    with pytest.raises(CheckpointError, match="image processor"):
        load(checkpoint)


class Payload:
    """What a hostile pickle does: call something while it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_of_tensors_is_read_and_one_that_runs_code_is_not(original, checkpoint, tmp_path):
    tensors = load_file(checkpoint / "model.safetensors")
    (checkpoint / "model.safetensors").unlink()
    torch.save(tensors, checkpoint / "pytorch_model.bin")
    assert load(checkpoint).hash == load(original).hash
    trace = tmp_path / "ran"
    torch.save({**tensors, "extra": Payload(trace)}, checkpoint / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"pickle that holds more than tensors.*safetensors"):
        load(checkpoint)
    (checkpoint / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(trace)))
    with pytest.raises(CheckpointError):
        load(checkpoint)
    assert not trace.exists()


REMOTE = """
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM
Path(r"{trace}").write_text("ran")
class OwnConfig(LlamaConfig):
    model_type = "own_decoder"
class OwnForCausalLM(LlamaForCausalLM):
    config_class = OwnConfig
"""


def test_code_in_a_checkpoint_runs_only_when_it_is_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    path, trace = tmp_path / "model", tmp_path / "ran"
    text.build(path)
    config = json.loads((path / "config.json").read_text())
    config |= {
        "model_type": "own_decoder",
        "architectures": ["OwnForCausalLM"],
        "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnForCausalLM"},
    }
    (path / "config.json").write_text(json.dumps(config))
    (path / "own.py").write_text(REMOTE.format(trace=trace))
    with pytest.raises(CheckpointError, match=r"not run unless you ask for it.*trust_remote_code=True"):
        load(path)
    assert not trace.exists()
    model = load(path, trust_remote_code=True)
    assert trace.exists() and type(model.module).__name__ == "OwnForCausalLM"
    assert counterfactuals(model, tiny.examples(2), "lm.layers.*", off="zero").frame.fired.all()


def test_an_unknown_architecture_is_refused_with_the_way_to_wrap_it(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llavva"}')
    with pytest.raises(CheckpointError, match=r'"llavva" \(did you mean llava.*causalablate\.wrap\(module, components'):
        load(tmp_path)


def test_a_mode_that_there_is_not_is_refused(original):
    with pytest.raises(CheckpointError, match='no mode "fast"; the model has one way to answer'):
        load(original, mode="fast")
    with pytest.raises(CheckpointError, match=r'no mode "coarse" \(did you mean coarse_only.*there are coarse_only'):
        load(mode="coarse")


@pytest.mark.parametrize("place", ["cpu", "disk"])
def test_a_model_that_is_spread_is_the_same_model(original, place):
    spread = {"model.vision_tower": place, "model.multi_modal_projector": "cpu", "model.language_model": place}
    model, whole = load(original, device_map={**spread, "lm_head": "cpu"}), load(original)
    assert any(p.is_meta for p in model.module.parameters()) == (place == "disk")
    asked = ["connector", "vision.layers.1.mlp", "lm.layers.0", "lm.layers.1.heads.0", "tokens.image"]
    found, expected = (counterfactuals(m, tiny.examples(3), asked, off="zero").frame for m in (model, whole))
    assert (found.counterfactual - expected.counterfactual).abs().max() < 1e-5 and found.fired.all()
    assert model.hash == whole.hash


def test_the_reference_model_is_not_spread():
    with pytest.raises(DeviceError, match="device_map is for families that transformers loads"):
        load(device="auto")


def test_a_model_is_loaded_in_the_format_asked_for(original):
    examples, model = tiny.examples(2), load(original, dtype="bfloat16")
    assert model.precision == "bfloat16" and model.encode(examples)["pixel_values"].dtype == torch.bfloat16
    frame = counterfactuals(model, examples, ["connector", "lm.layers.1.heads.0"], off="zero").frame
    exact = counterfactuals(load(original), examples, ["connector", "lm.layers.1.heads.0"], off="zero").frame
    assert frame.fired.all() and (frame.counterfactual - exact.counterfactual).abs().max() < 0.1
