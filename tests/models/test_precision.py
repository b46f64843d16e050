import json

import pytest
import torch
from torch import nn

from causalablate.counterfactual import counterfactuals
from causalablate.environment import devices, environment
from causalablate.errors import CheckpointError, DeviceError
from causalablate.examples import digits
from causalablate.intervention import do
from causalablate.models import load
from causalablate.models.precision import DTYPES, placed, precision_of
from causalablate.offs import Value
from causalablate.replay import Replay
from causalablate.study import Ledger, Manifest, Study, open_study, run
from causalablate.study.spec import Study as Spec


@pytest.fixture(scope="module")
def shipped():
    return {dtype: load(dtype=dtype) for dtype in ("float32", "bfloat16")}


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_are_converted_and_constants_are_not(dtype):
    original, model = load().module, load(dtype=dtype)
    assert {p.dtype for p in model.module.parameters()} == {DTYPES[dtype]}
    constants = dict(original.named_buffers())
    assert len(constants) > 5
    for name, buffer in model.module.named_buffers():
        assert buffer.dtype == constants[name].dtype and torch.equal(buffer, constants[name])
    for name, parameter in model.module.named_parameters():
        assert torch.equal(parameter, original.get_parameter(name).to(DTYPES[dtype]))
    assert model.module.lm.lm_head.weight is model.module.lm.model.embed_tokens.weight
    assert model.precision == dtype and model.device.type == "cpu"


def test_what_a_checkpoint_holds_is_converted_and_counts_are_not():
    module = nn.Sequential(nn.Conv1d(2, 3, 1), nn.BatchNorm1d(3))
    module.register_buffer("frequencies", torch.tensor([0.1]), persistent=False)
    module.register_buffer("table", torch.tensor([0.1]))
    placed(module, "bfloat16", "cpu")
    assert module[1].running_mean.dtype == module.table.dtype == torch.bfloat16
    assert module[1].num_batches_tracked.dtype == torch.int64
    assert module.frequencies.dtype == torch.float32


def test_by_default_nothing_changes(make_model, tmp_path):
    made = make_model()
    made.module.save_pretrained(tmp_path)
    assert load(tmp_path).hash == made.hash == load(tmp_path, dtype="float32").hash
    assert load(tmp_path, dtype="bfloat16").hash != made.hash


def test_mixed_precision_is_stated():
    module = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8))
    assert precision_of(module) == "float32"
    module[0].to(torch.bfloat16)
    assert precision_of(module) == "bfloat16+float32"
    assert precision_of(nn.ReLU()) == "float32"
    with torch.autocast("cpu", torch.bfloat16):
        assert precision_of(nn.Linear(2, 2)) == "float32 (autocast to bfloat16)"


def test_float32_products_that_are_rounded_further_are_stated(monkeypatch):
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")
    assert precision_of(nn.Linear(2, 2)) == "float32 (medium matrix products)"
    assert precision_of(nn.Linear(2, 2).to(torch.bfloat16)) == "bfloat16"


def test_effects_in_bfloat16_are_close_to_those_in_float32(shipped):
    """On the answer log-probability: single effects within 0.05 nats on average, mean effects within 0.02 nats."""
    examples, reference = digits(96), digits(64, split="validation")
    lesions = [
        do("passes.fine", off="mean"),
        do("scorers.*", off="uniform"),
        do("lm.layers.*.heads.0", off="resample"),
        do("connector", off={"kind": "noise", "std": 1.0}),
        do("vision.layers.0.mlp", off="zero"),
        do("lm.layers.0.edges.image.answer", off="knockout"),
        do("allocator", off="fixed_max"),
    ]
    full, half = (
        counterfactuals(model, examples, lesions, reference=reference, outcomes=["answer_logprob"]).frame
        for model in shipped.values()
    )
    assert set(full["precision"]) == {"float32"} and set(half["precision"]) == {"bfloat16"}
    assert half["fired"].all()
    difference = (half["effect"] - full["effect"]).groupby(full["lesion"])
    assert (full["effect"].abs().groupby(full["lesion"]).mean() > 0.05).all()  # else closeness would mean nothing
    assert difference.apply(lambda d: d.abs().mean()).max() < 0.05
    assert difference.mean().abs().max() < 0.02
    assert difference.apply(lambda d: d.abs().max()).max() > 0  # it is another computation


@pytest.mark.parametrize(
    ("mode", "fusion", "deep_query"),
    [
        ("coarse_fine", "concat", True),
        ("coarse_only", "concat", False),
        ("autoregressive", "cross_attention", False),
    ],
)
def test_every_component_acts_in_bfloat16(make_model, examples, mode, fusion, deep_query):
    model = make_model(mode=mode, fusion=fusion, deep_query=deep_query)
    placed(model.module, "bfloat16", "cpu")
    inputs = model.encode(examples[:3])
    for component in model.components.values():
        off = "knockout" if component.kind == "edge" else {"kind": "scale", "factor": -3.0}
        with torch.no_grad(), model.do(do(component.address, off=off)) as action:
            logits = model.read(model(**inputs)).logits["answer"]
        assert (action.change_norm > 0).all(), component.address
        assert logits.dtype == torch.float32 and logits.isfinite().all()


def test_the_own_value_is_the_empty_lesion_in_bfloat16(make_model, examples):
    model = make_model()
    placed(model.module, "bfloat16", "cpu")
    inputs = model.encode(examples[:3])
    for address in ("connector", "lm.layers.0.heads.1", "scorers.participatory"):
        own = Value.of(*model.activations(address, **inputs))
        with torch.no_grad():
            factual = model.read(model(**inputs)).logits["answer"]
            with model.do(do(address, off=own)) as action:
                assert torch.equal(model.read(model(**inputs)).logits["answer"], factual)
        assert not action.change_norm.any()


def study(**changes):
    settings = {
        "name": "small",
        "examples": {"kind": "digits", "n": 12},
        "lesions": [{"do": {"passes.fine": "zero"}}],
        "gallery": 2,
    }
    return Study(**(settings | changes))


def test_rows_from_memory_and_from_the_ledger_state_the_precision(tmp_path):
    found = {}
    for dtype in ("float32", "bfloat16"):
        plan, replay = open_study(study(dtype=dtype))
        results = run(plan, replay, tmp_path / dtype, quiet=True)
        assert set(results.table.frame["precision"]) == {dtype}
        assert results.manifest.precision == dtype
        assert json.loads((tmp_path / dtype / "run.json").read_text())["identity"]["precision"] == dtype
        found[dtype] = results.table.frame
    memory = counterfactuals(load(dtype="bfloat16"), digits(12), [do("passes.fine", off="zero")], study="small")
    assert memory.frame.equals(found["bfloat16"])


def test_units_of_two_precisions_are_two_units(tmp_path):
    keys = []
    for dtype in ("float32", "bfloat16", "float16"):
        plan, replay = open_study(study(dtype=dtype))
        ledger = Ledger(tmp_path, Manifest.of(plan, replay))
        keys.append({ledger.key(unit) for unit in plan.units})
    assert len(set.union(*keys)) == sum(map(len, keys)) == 3 * plan.n_units


def test_the_same_weights_in_another_precision_are_other_units_too(make_model, examples):
    """Where only the computation differs, as under autocast, the identity says so."""
    replay = Replay(make_model(), examples)
    plain = replay.identity
    with torch.autocast("cpu", torch.bfloat16):
        assert {name for name, value in replay.identity.items() if plain[name] != value} == {"precision"}


def test_a_dtype_that_there_is_not_is_one_clear_error():
    with pytest.raises(DeviceError, match=r'no dtype "bf16".*there are float32, bfloat16, float16'):
        load(dtype="bf16")


def test_a_device_that_is_not_there_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    with pytest.raises(
        DeviceError, match=r'no device "cuda" here.*; there is cpu, and this build of torch is without CUDA'
    ):
        load(device="cuda")
    with pytest.raises(DeviceError, match=r'no device "gpu" here.*; there is cpu$'):
        load(device="gpu")
    with pytest.raises(DeviceError):  # not that the directory is missing: nothing is loaded in vain
        load("nowhere", device="cuda")
    with pytest.raises(CheckpointError):
        load("nowhere", device="cpu")


def test_a_second_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: "H")
    assert devices() == ["cpu", "cuda:0"]
    assert environment()["devices"] == "cpu, cuda:0 H"
    with pytest.raises(DeviceError, match=r'no device "cuda:1" here \(did you mean cuda:0.*; there is cpu, cuda:0'):
        load(device="cuda:1")


def test_studies_admit_what_models_admit():
    assert Spec.model_fields["dtype"].annotation.__args__ == tuple(DTYPES)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_effects_on_a_gpu_are_close_to_those_on_the_cpu(shipped, dtype):
    examples, reference = digits(32), digits(32, split="validation")
    lesions = [
        do("passes.fine", off="mean"),
        do("lm.layers.0.heads.0", off="resample"),
        do("connector", off="noise"),
        do("scorers.*", off="shuffle"),
        do("lm.layers.0.edges.image.answer", off="knockout"),
    ]
    there, here = (
        counterfactuals(model, examples, lesions, reference=reference, outcomes=["answer_logprob"]).frame
        for model in (load(dtype=dtype, device="cuda"), shipped[dtype])
    )
    assert there["precision"].iloc[0].startswith(dtype)
    assert (there["effect"] - here["effect"]).abs().mean() < (0.002 if dtype == "float32" else 0.05)
