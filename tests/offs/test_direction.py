"""Random directions of matched norm: by hand, in a wrapped MLP, and in the reference model."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import causalablate as ca
from causalablate.component import Component, Site
from causalablate.errors import LesionError
from causalablate.intervention import do
from causalablate.offs import Direction, Mean, Noise, Patch, Region, Resample, Scale, Zero, off

OFFS = ["zero", "mean", "resample", {"kind": "noise", "std": 2.0}, {"kind": "scale", "factor": 0.5}]


def context(seed=0, real=None):
    def normal(shape, purpose):
        drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(purpose.encode())))
        return drawn if real is None else drawn * real

    return SimpleNamespace(component=SimpleNamespace(address="c"), normal=normal)


def test_names_and_json_tell_directions_apart():
    hows = [Direction(), Direction(Zero()), Direction(Noise(2.0)), Direction(draw=1), Direction(Zero(), 1)]
    assert len({str(how) for how in hows}) == len({do("x", off=how) for how in hows}) == len(hows)
    assert [str(how) for how in hows[:4]] == [
        "direction(mean)",
        "direction(zero)",
        "direction(noise(std=2.0))",
        "direction(mean, draw=1)",
    ]
    assert all(off(how.to_json()) == how for how in hows)
    assert off({"kind": "direction", "off": {"kind": "noise", "std": 2.0}, "draw": 3}) == Direction(Noise(2.0), 3)
    assert Direction(Noise(2.0), 3).to_json() == {
        "kind": "direction",
        "off": {"kind": "noise", "std": 2.0},
        "draw": 3,
    }


def test_it_needs_what_its_off_does_and_its_rows_differ():
    assert Direction(Noise()).needs == {"std"} and Direction(Resample()).reads_reference and Direction(Zero()).draws
    assert not Direction(Zero()).reads_reference
    nested = Direction(Patch((("c", Mean()),)))
    assert nested.world() == (("c", Mean()),) and nested.reads_reference
    assert Direction(ca.offs.Replace("other")).reads() == ("other",)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"kind": "direction", "of": "mean"}, "did you mean off"),
        ({"kind": "direction", "off": "men"}, "did you mean mean"),
        ({"kind": "direction", "off": "direction"}, "a direction too"),
        ({"kind": "direction", "draw": -1}, "direction: draw is -1"),
        ({"kind": "direction", "draw": True}, "whole number"),
        ({"kind": "resample", "draw": 0.5}, "resample: draw is 0.5; it must be a whole number"),
        ({"kind": "resample", "donor": "paired", "draw": 1}, "a paired donor is not drawn"),
    ],
)
def test_bad_specs_say_what_is_wrong(spec, message):
    with pytest.raises(LesionError, match=message):
        off(spec)


def test_components_with_a_range_edges_and_what_the_off_refuses():
    gate = Component("g", "gate", (Site("m"),), bounds=(0.0, 1.0))
    assert "has a range" in Direction(Zero()).refuses(gate)
    assert "only be cut" in Direction(Zero()).refuses(Component("e", "edge", (Site("m"),)))
    assert "per patch" in Direction(off("uniform")).refuses(Component("h", "head", (Site("m"),)))
    assert Direction(off("uniform")).refuses(Component("s", "scorer", (Site("m"),), patches=True)) is None


@pytest.mark.parametrize(
    ("shape", "dim"), [((5,), None), ((5, 7), 1), ((5, 3, 7), 2), ((5, 4, 3, 3), 1), ((2, 3, 4, 5, 6), -1)]
)
@pytest.mark.parametrize("how", [Zero(), Scale(3.0)], ids=str)
def test_each_position_moves_as_far_and_another_way(shape, dim, how):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    moved, step = Direction(how).apply(x, context()) - x, how.apply(x, context()) - x
    length = (lambda t: t.abs()) if dim is None else (lambda t: torch.linalg.vector_norm(t, dim=dim))
    torch.testing.assert_close(length(moved), length(step), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(moved, step)
    assert moved.shape == x.shape


def test_directions_are_uniform():
    """In two dimensions the angle to the change it matches is uniform: first and second moments of its cosine."""
    x = torch.ones(40_000, 2)
    cosine = (Direction(Zero()).apply(x, context()) - x).sum(1) / -2.0
    assert abs(cosine.mean()) < 0.02 and abs(cosine.square().mean() - 0.5) < 0.01


def test_what_does_not_move_stays_to_the_bit_and_padding_too():
    x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(Direction(Scale(1.0)).apply(x, context()), x)
    real = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])[..., None]
    moved = Direction(Zero()).apply(x, context(real=real)) != x
    assert torch.equal(moved, (real > 0).expand_as(x))
    boxed = Region.of(Zero(), [(0.0, 0.0, 0.5, 1.0)], grid=(1, 2))
    around = context()
    around.positions, around.keys, around.several_images = lambda: None, ["a", "b"], False
    patches = x[:, :2]
    moved = Direction(boxed).apply(patches, around) != patches
    assert moved[:, 0].all() and not moved[:, 1].any()


def test_half_precision_is_computed_in_single_and_whole_numbers_have_no_directions():
    x = torch.randn(6, 512, generator=torch.Generator().manual_seed(1)).bfloat16()
    moved = Direction(Zero()).apply(x, context())
    assert moved.dtype == torch.bfloat16
    torch.testing.assert_close((moved.float() - x.float()).norm(dim=1), x.float().norm(dim=1), rtol=1e-2, atol=0)
    with pytest.raises(LesionError, match="holds int64, which has no directions"):
        Direction(Zero()).apply(torch.ones(2, 2, dtype=torch.long), context())


@pytest.fixture(scope="module")
def mlp():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Flatten(), nn.Linear(24, 4)).eval()
    return ca.wrap(net, {"first": "1", "second": ca.Part("2", kind="mlp")}, answers=4)


@pytest.fixture(scope="module")
def data():
    x = torch.randn(13, 3, 6, generator=torch.Generator().manual_seed(2))
    return ca.tensors(x, [i % 4 for i in range(13)])


@pytest.mark.parametrize("how", OFFS, ids=str)
def test_in_a_wrapped_mlp_the_norm_is_that_of_the_lesion(mlp, data, how):
    lesion, controls = do("second", off=how), [do("second", off=Direction(off(how), draw)) for draw in range(3)]
    frame = ca.counterfactuals(mlp, data, [lesion, *controls], reference=data, outcomes=["answer_logprob"]).frame
    by_lesion = frame.groupby("lesion", sort=False)
    norms = np.stack([some.to_numpy() for _, some in by_lesion["change_norm"]])
    np.testing.assert_allclose(norms[1:], np.broadcast_to(norms[0], norms[1:].shape), rtol=2e-6)
    assert len({some.to_numpy().tobytes() for _, some in by_lesion["counterfactual"]}) == 4


def moves(model, lesion, x, reference):
    """What a lesion adds to the activation of `second`, shape (rows, positions, features)."""
    module, seen = model.module.get_submodule("2"), []
    handle = module.register_forward_hook(lambda *args: seen.append(args[2].clone()))
    with torch.no_grad(), model.do(lesion, reference=reference, keys=[f"e{i}" for i in range(len(x))]):
        model.module(x)
    with torch.no_grad():
        model.module(x)
    handle.remove()
    return seen[-2] - seen[-1]  # before them came the reference set


def test_in_a_wrapped_mlp_the_norm_is_that_of_the_lesion_at_each_position(mlp, data):
    x = torch.randn(5, 3, 6, generator=torch.Generator().manual_seed(4))
    lesion, control = (moves(mlp, do("second", off=how), x, data) for how in ("mean", "direction"))
    torch.testing.assert_close(control.norm(dim=-1), lesion.norm(dim=-1), rtol=1e-5, atol=1e-6)
    cosine = torch.nn.functional.cosine_similarity(control, lesion, dim=-1)
    assert (cosine.abs() < 0.999).all()


def test_noise_of_the_same_component_is_drawn_apart(mlp, data):
    """Else the control would be the lesion itself."""
    x = torch.randn(5, 3, 6, generator=torch.Generator().manual_seed(4))
    noise, control = (moves(mlp, do("second", off=how), x, data) for how in (Noise(2.0), Direction(Noise(2.0))))
    assert (torch.nn.functional.cosine_similarity(control, noise, dim=-1) < 0.999).all()


def test_the_draw_is_of_the_seed_the_number_and_the_example(mlp, data):
    def values(lesion, **options):
        return ca.counterfactuals(mlp, data, lesion, reference=data, **options).frame["counterfactual"].to_numpy()

    first, second = (do("second", off=Direction(Zero(), draw)) for draw in (0, 1))
    assert values(first).tobytes() == values(first).tobytes()
    assert values(first).tobytes() != values(second).tobytes()
    assert values(first).tobytes() != values(first, seed=1).tobytes()
    np.testing.assert_allclose(values(first, batch_size=1), values(first), atol=1e-6)
    both = [first, second, do("first", off="direction")]
    np.testing.assert_allclose(values(both), values(both, stack=1), atol=1e-6)


@pytest.mark.parametrize("kind", ["mean", "resample"])
def test_in_the_reference_model_the_norm_is_that_of_the_lesion(make_model, examples, reference, kind):
    """With one pass every component acts once, so that its activation is the factual one."""
    model = make_model(mode="coarse_only")
    names = ["vision.layers.1", "vision.layers.0.heads.1", "lm.layers.0.mlp", "lm.layers.1.heads.2", "connector"]
    names += ["tokens.image", "lm.layers.0.resid@answer", "query.static"]
    lesions = [do(name, off=how) for name in names for how in (kind, Direction(off(kind)))]
    frame = ca.counterfactuals(model, examples, lesions, reference=reference, outcomes=["answer_logprob"]).frame
    norms = np.stack([some.to_numpy() for _, some in frame.groupby("lesion", sort=False)["change_norm"]])
    np.testing.assert_allclose(norms[1::2], norms[::2], rtol=1e-4)
    assert (norms[::2].max(axis=1) > 0).sum() >= len(names) - 1


@pytest.mark.parametrize("name", ["scorers.participatory", "texture.rgb", "passes.fine", "query.dynamic"])
def test_and_with_two_passes_that_of_what_acts_in_one(model, examples, reference, name):
    lesions = [do(name, off=how) for how in ("mean", "direction")]
    frame = ca.counterfactuals(model, examples, lesions, reference=reference, outcomes=["answer_logprob"]).frame
    lesion, control = (some.to_numpy() for _, some in frame.groupby("lesion", sort=False)["change_norm"])
    np.testing.assert_allclose(control, lesion, rtol=1e-4)
    assert lesion.max() > 0


@pytest.mark.parametrize("name", ["lm.layers.0.mlp", "tokens.question", "vision.layers.0.mlp"])
def test_neither_padding_nor_the_batch_nor_other_lesions_matter(model, examples, reference, name):
    lesions = [do(name, off=Direction(off({"kind": "noise", "std": 1.0}), draw)) for draw in range(3)]

    def frame(**options):
        found = ca.counterfactuals(
            model, examples, lesions, reference=reference, outcomes=["answer_logprob"], **options
        )
        return found.frame[["counterfactual", "change_norm"]].to_numpy()

    together = frame(batch_size=24)
    np.testing.assert_allclose(frame(batch_size=1, stack=1), together, rtol=1e-3, atol=1e-4)


def test_in_the_world_of_a_patch(model, examples, reference):
    corruption = do("tokens.image", off={"kind": "noise", "std": 3.0})
    patch = Patch(corruption.parts)
    lesions = [do("lm.layers.1.resid@answer", off=how) for how in (patch, Direction(patch))]
    frame = ca.counterfactuals(model, examples[:6], lesions, reference=reference, outcomes=["answer_logprob"]).frame
    assert frame["fired"].all() and (frame["change_norm"] > 0).all()
