import numpy as np
import pytest
import torch
from torch import nn

from causalablate import Part, do, wrap
from causalablate.cost import COLUMNS, component_costs
from causalablate.errors import ComponentNotFoundError, ExampleError
from causalablate.examples import tensors


@pytest.fixture(scope="module")
def costs(model, examples):
    return component_costs(model, ["**"], examples[:4]).set_index("lesion")


def test_layers_are_their_heads_and_mlp(costs):
    for layer in ("vision.layers.0", "lm.layers.1"):
        heads = costs.loc[[name for name in costs.index if name.startswith(f"{layer}.heads.")]]
        assert heads["flops"].sum() + costs.loc[f"{layer}.mlp", "flops"] == pytest.approx(costs.loc[layer, "flops"])
        rest = costs.loc[layer, "parameters"] - heads["parameters"].sum() - costs.loc[f"{layer}.mlp", "parameters"]
        assert 0 < rest < 0.03 * costs.loc[layer, "parameters"]  # the norms
        assert heads["flops"].nunique() == 1


def test_parameters_are_those_of_the_modules(model, costs):
    mlp = model.module.get_submodule(model.components["lm.layers.0.mlp"].sites[0].module)
    assert costs.loc["lm.layers.0.mlp", "parameters"] == sum(p.numel() for p in mlp.parameters())
    assert costs.attrs["total"]["parameters"] == sum(p.numel() for p in model.module.parameters())


def test_operations_are_per_example(model, examples, costs):
    one = component_costs(model, ["lm.layers.0"], examples[:1])
    assert one["flops"][0] == costs.loc["lm.layers.0", "flops"]
    assert one.attrs["total"]["flops"] == costs.attrs["total"]["flops"]
    two_batches = component_costs(model, ["lm.layers.0"], examples[:4], batch_size=3)
    assert two_batches["flops"][0] == costs.loc["lm.layers.0", "flops"]


def test_the_fine_pass_is_what_answering_early_saves(model, make_model, examples, costs):
    coarse = component_costs(make_model(mode="coarse_only"), ["lm.layers.0"], examples[:4])
    saved = costs.attrs["total"]["flops"] - coarse.attrs["total"]["flops"]
    assert costs.loc["passes.fine", "flops"] == pytest.approx(saved) and saved > 0
    held = sum(
        p.numel()
        for name in ("scorers", "opponent", "allocator", "relevance", "queries.dynamic", "passes.fine")
        for p in model.module.get_submodule(name).parameters()
    )
    assert costs.loc["passes.fine", "parameters"] == held
    assert np.isnan(costs.loc["passes.coarse", "flops"]) and "coarse pass" in costs.loc["passes.coarse", "note"]


def test_with_the_fine_pass_gone_others_save_what_they_do_in_the_coarse_one(model, examples, costs):
    both = component_costs(model, ["passes.fine=mean & lm.layers.0=zero"], examples[:4]).iloc[0]
    alone = costs.loc["passes.fine", "flops"], costs.loc["lm.layers.0", "flops"]
    assert both["flops"] == pytest.approx(alone[0] + alone[1] / 2)
    assert both["kind"] == "pass + layer"


def test_lesions_names_and_globs_are_rows(model, examples):
    lesion = do("lm.layers.0.heads.*", off="zero")
    found = component_costs(
        model, [lesion, lesion.name, "lm.layers.0.heads.*", "lm.layers.0=mean & lm.layers.0.mlp=zero"], examples[:2]
    )
    assert found["lesion"].tolist()[:3] == [lesion.name, lesion.name, "lm.layers.0.heads.0"]
    assert found["flops"][0] == found["flops"][1] == pytest.approx(found["flops"][2:-1].sum())
    assert tuple(found.columns) == COLUMNS
    layer = component_costs(model, ["lm.layers.0"], examples[:2])
    assert found.iloc[-1]["flops"] == layer["flops"][0]


def test_edges_tokens_and_streams_are_undefined(model, examples):
    asked = [
        "lm.layers.0.edges.*.answer",
        "tokens.image",
        "lm.layers.0.resid",
        "lm.layers.0.mlp@image",
        "lm.layers.0",
    ]
    found = component_costs(model, asked, examples[:1])
    assert found["flops"].notna().tolist() == [False] * (len(found) - 1) + [True]
    assert found["note"][:-1].str.startswith("undefined: ").all()
    mixed = component_costs(model, ["lm.layers.0=mean & tokens.image=mean"], examples[:1])
    assert np.isnan(mixed["flops"][0]) and "positions" in mixed["note"][0]


def test_times_are_medians_of_what_the_modules_took(model, examples):
    found = component_costs(model, ["lm.layers.0", "lm.layers.0.heads.0", "passes.fine"], examples[:4], repetitions=3)
    total = found.attrs["total"]["time_s"]
    assert (found["time_s"] > 0).all() and (found["time_s"] < total).all()
    assert component_costs(model, ["lm.layers.0"], examples[:1])["time_s"].isna().all()


def test_any_wrapped_module(examples):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.out = nn.Conv2d(1, 4, 3), nn.Linear(16, 3)

        def forward(self, x):
            return self.out(self.convolution(x).flatten(1))

    torch.manual_seed(0)
    parts = {"convolution": Part("convolution", channels=4), "out": "out"}
    rows = tensors({"x": np.ones((2, 1, 4, 4), dtype=np.float32)}, answers=[0, 1])
    found = component_costs(wrap(Net(), parts, answers=["a", "b", "c"]), ["**"], rows).set_index("lesion")
    assert found.loc["convolution", "flops"] == 2 * 4 * 4 * 9
    assert found.loc["convolution.channels.1", "flops"] == 2 * 4 * 9
    assert found.loc["convolution.channels.1", "parameters"] == 10
    assert found.loc["out", "flops"] == 2 * 16 * 3


def test_the_model_is_left_as_it_was(model, examples):
    before = model.hash
    component_costs(model, ["passes.fine", "lm.layers.0"], examples[:1], repetitions=1)
    del model.__dict__["hash"]
    assert model.hash == before and model.module.config.mode != "coarse_only"


def test_refused(model, examples):
    with pytest.raises(ComponentNotFoundError, match=r"lm\.layers\.9"):
        component_costs(model, ["lm.layers.9"], examples[:1])
    for arguments in ({"batch_size": 0}, {"repetitions": -1}):
        with pytest.raises(ExampleError, match="cannot be measured"):
            component_costs(model, ["lm.layers.0"], examples[:1], **arguments)
    with pytest.raises(ExampleError, match="0 examples"):
        component_costs(model, ["lm.layers.0"], [])
