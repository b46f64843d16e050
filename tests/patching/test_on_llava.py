"""On a tiny LLaVA with prompts of unequal length, each example alone under plain torch hooks is the oracle."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from causalablate.counterfactual import counterfactuals
from causalablate.errors import ExampleError, LesionError, OutcomeError
from causalablate.examples import Example, ExampleSet
from causalablate.intervention import do
from causalablate.models import load
from causalablate.offs import Patch, Region, off
from causalablate.patching import causal_trace, every_position, masked, path_patch, windows
from tests.families import llava
from tests.families.tiny import ANSWERS, QUESTIONS

LAYERS = "model.language_model.layers"
TOLERANCE = {"atol": 2e-5, "rtol": 0}


def questions(n, seed):
    rng = np.random.default_rng(seed)
    return ExampleSet(
        f"made/{seed}",
        tuple(
            Example(
                f"e{i}",
                (rng.integers(0, 256, (16, 16, 3), dtype=np.uint8),),
                QUESTIONS[i % len(QUESTIONS)],
                ANSWERS[i % len(ANSWERS)],
            )
            for i in range(n)
        ),
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("llava")
    llava.build(path)
    model = load(str(path))
    with torch.no_grad():
        for parameter in model.module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    return model


@pytest.fixture(scope="module")
def asked():
    return questions(7, 0)


@pytest.fixture(scope="module")
def others():
    return questions(7, 1)


def logprob(model, example, before=(), after=()):
    """Log-probability of the answer, alone, under plain hooks on inputs (before) and outputs (after) of modules."""
    handles = [model.module.get_submodule(p).register_forward_pre_hook(h, with_kwargs=True) for p, h in before]
    handles += [model.module.get_submodule(p).register_forward_hook(h) for p, h in after]
    try:
        with torch.no_grad():
            logits = model.module(**model.encode([example])).logits[0, -1].log_softmax(-1)
    finally:
        for handle in handles:
            handle.remove()
    return float(logits[model.adapter.answers(model.module, [example])[0]])


def first(args, kwargs):
    return args[0] if args else kwargs["hidden_states"]


def keep_input(into):
    return lambda module, args, kwargs: into.append(first(args, kwargs).clone())


def keep_output(into):
    return lambda module, args, output: into.append(output.clone())


def set_input(change):
    def hook(module, args, kwargs):
        new = change(first(args, kwargs).clone())
        return ((new, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": new})

    return hook


def image_positions(model, example):
    ids = model.encode([example])["input_ids"][0]
    return (ids == model.module.config.image_token_id).nonzero()[:, 0]


def image_embeddings(model, example):
    found = []
    logprob(model, example, [(f"{LAYERS}.0", keep_input(found))])
    return found[0][0, image_positions(model, example)]


def measured(model, asked, lesion, **options):
    options = {"outcomes": ["answer_logprob"], "batch_size": 4, **options}
    frame = counterfactuals(model, asked, {"it": lesion}, **options).frame
    assert frame["fired"].all()
    return frame["counterfactual"].to_numpy()


def with_image(model, example, change):
    """Outcome with the embeddings of the image tokens changed."""
    at = image_positions(model, example)

    def put(x):
        x[0, at] = change(x[0, at])
        return x

    return logprob(model, example, [(f"{LAYERS}.0", set_input(put))])


def test_the_prompts_differ_in_length(model, asked):
    assert len({model.encode([e])["input_ids"].shape[1] for e in asked}) > 2
    assert (
        len({tuple(image_positions(model, e).tolist()) for e in asked}) == 1
    )  # in an example alone; padding moves them


def test_mean_ablated_image_tokens_are_the_mean_image_token_by_token(model, asked, others):
    mean = torch.stack([image_embeddings(model, e) for e in others]).mean(0)
    expected = [with_image(model, e, lambda x: mean) for e in asked]
    np.testing.assert_allclose(
        measured(model, asked, do("tokens.image", off="mean"), reference=others), expected, **TOLERANCE
    )
    everywhere = mean.mean(0, keepdim=True)
    expected = [with_image(model, e, lambda x: everywhere) for e in asked]
    lesion = do("tokens.image", off={"kind": "mean", "axes": "positions"})
    np.testing.assert_allclose(measured(model, asked, lesion, reference=others), expected, **TOLERANCE)


def test_resampled_image_tokens_are_those_of_another_image(model, asked, others):
    donors = [image_embeddings(model, e) for e in others]
    got = measured(model, asked, do("tokens.image", off="resample"), reference=others)
    for value, example in zip(got, asked, strict=True):
        each = [
            with_image(model, example, lambda x, d=d: d)
            for e, d in zip(others, donors, strict=True)
            if e.id != example.id
        ]
        assert np.abs(np.array(each) - value).min() < 2e-5


def test_paired_donors_are_the_examples_of_the_same_id(model, asked, others):
    lesion = do("tokens.image", off={"kind": "resample", "donor": "paired"})
    shuffled = ExampleSet("shuffled", others.examples[::-1])
    donors = [image_embeddings(model, e) for e in others]
    expected = [with_image(model, e, lambda x, d=d: d) for e, d in zip(asked, donors, strict=True)]
    np.testing.assert_allclose(measured(model, asked, lesion, reference=shuffled), expected, **TOLERANCE)
    swapped = [logprob(model, replace(e, images=d.images)) for e, d in zip(asked, others, strict=True)]
    np.testing.assert_allclose(expected, swapped, **TOLERANCE)
    with pytest.raises(LesionError, match='no example "e6" to pair'):
        measured(model, asked, lesion, reference=others[:6])


def test_noise_is_in_units_of_the_image_tokens_own_spread(model, asked, others):
    spread = torch.stack([image_embeddings(model, e) for e in others]).std(correction=0)
    table = counterfactuals(
        model, asked, do("tokens.image", off={"kind": "noise", "std": 2.0}), reference=others, batch_size=7
    )
    norms = table.frame["change_norm"].to_numpy()[:7]
    n = image_embeddings(model, asked[0]).numel()
    assert np.abs(norms / (2 * float(spread) * n**0.5) - 1).max() < 0.4


def test_a_masked_image_is_a_lesion(model, asked):
    boxes = {e.id: [(0.0, 0.0, 0.5, 1.0)] if i % 2 else [] for i, e in enumerate(asked)}
    covered = masked(asked, boxes)
    lesion = do("tokens.image", off={"kind": "resample", "donor": "paired"}) & do("lm.layers.0.mlp", off="zero")
    expected = [
        logprob(model, e, after=[(f"{LAYERS}.0.mlp", lambda module, args, output: output * 0)]) for e in covered
    ]
    np.testing.assert_allclose(measured(model, asked, lesion, reference=covered), expected, **TOLERANCE)


@pytest.mark.parametrize(
    ("box", "patches"),
    [((0, 0, 0.5, 1), [0, 2]), ((0.5, 0, 1, 0.4), [1]), ((0.45, 0, 1, 0.4), [0, 1]), ((0, 0, 1, 1), [0, 1, 2, 3])],
)
def test_a_region_is_the_patches_that_its_box_overlaps(model, asked, box, patches):
    def blank(x):
        x[patches] = 0
        return x

    expected = [with_image(model, e, blank) for e in asked]
    lesion = do("tokens.image", off=off({"kind": "region", "off": "zero", "boxes": [box]}))
    np.testing.assert_allclose(measured(model, asked, lesion), expected, **TOLERANCE)


def test_boxes_may_differ_by_example(model, asked):
    boxes = {e.id: [] if i == 0 else [(0, 0, 0.5, 0.5), (0.5, 0.5, 1, 1)] for i, e in enumerate(asked)}
    how = Region.of(off("zero"), boxes, grid=(2, 2))
    assert off(how.to_json()) == how and hash(off(how.to_json())) == hash(how)

    def blank(x):
        x[[0, 3]] = 0
        return x

    expected = [logprob(model, e) if i == 0 else with_image(model, e, blank) for i, e in enumerate(asked)]
    np.testing.assert_allclose(measured(model, asked, do("tokens.image", off=how)), expected, **TOLERANCE)
    with pytest.raises(LesionError, match='no boxes for example "e1"'):
        measured(model, asked, do("tokens.image", off=Region.of(off("zero"), {"e0": [(0, 0, 1, 1)]})))
    with pytest.raises(LesionError, match="grid of 3 x 3"):
        measured(model, asked, do("tokens.image", off=Region.of(off("zero"), [(0, 0, 1, 1)], grid=(3, 3))))
    with pytest.raises(LesionError, match="no square of patches"):
        measured(model, asked, do("lm.layers.0.mlp@question", off=Region.of(off("zero"), [(0, 0, 1, 1)])))


def test_the_boxes_hold_for_each_of_several_images(model, asked, others):
    both = ExampleSet(
        "two images", tuple(replace(e, images=e.images + o.images) for e, o in zip(asked, others, strict=True))
    )

    def blank(x):
        x[[0, 2, 4, 6]] = 0
        return x

    expected = [with_image(model, e, blank) for e in both]
    left = [(0, 0, 0.5, 1)]
    lesion = do("tokens.image", off=Region.of(off("zero"), left, grid=(2, 2)))
    np.testing.assert_allclose(measured(model, both, lesion), expected, **TOLERANCE)
    with pytest.raises(LesionError, match="several images"):
        measured(model, both, do("tokens.image", off=Region.of(off("zero"), left)))


def test_regions_of_the_vision_tower_skip_the_class_token(model, asked):
    def blank(module, args, output):
        output = output.clone()
        output[:, [1, 3]] = 0
        return output

    expected = [logprob(model, e, after=[("model.vision_tower.encoder.layers.0.mlp", blank)]) for e in asked]
    lesion = do("vision.layers.0.mlp", off=Region.of(off("zero"), [(0, 0, 0.5, 1)], start=1))
    np.testing.assert_allclose(measured(model, asked, lesion), expected, **TOLERANCE)


@pytest.mark.parametrize("direction", ["denoising", "noising"])
def test_causal_tracing_with_counterfactual_images(model, asked, others, direction):
    """Every cell against a patched run by hand."""
    pairs = ExampleSet("pairs", tuple(replace(e, images=o.images) for e, o in zip(asked, others, strict=True)))
    found = causal_trace(
        model, asked, pairs, direction=direction, sites=("resid", "mlp"), positions=["image", "-1"], batch_size=4
    )
    for clean, corrupted in zip(asked, pairs, strict=True):
        base, source = (corrupted, clean) if direction == "denoising" else (clean, corrupted)
        total = logprob(model, clean), logprob(model, replace(corrupted, answer=clean.answer))
        for site, path in (("resid", ""), ("mlp", ".mlp")):
            for layer in (0, 1):
                there = []
                module = f"{LAYERS}.{layer}{path}"
                logprob(model, source, after=[(module, keep_output(there))])
                for position, at in (("image", image_positions(model, base)), ("-1", [-1])):

                    def put(m, a, o, at=at, there=there):
                        o = o.clone()
                        o[:, at] = there[0][:, at]
                        return o

                    expected = logprob(model, replace(base, answer=clean.answer), after=[(module, put)])
                    cell = found.frame.query(f"site == '{site}' and layer == {layer} and position == '{position}'")
                    row = cell.set_index("example").loc[clean.id]
                    np.testing.assert_allclose((row["clean"], row["corrupted"]), total, **TOLERANCE)
                    np.testing.assert_allclose(row["patched"], expected, **TOLERANCE)
                    done = expected - total[1] if direction == "denoising" else total[0] - expected
                    assert abs(row["share"] - done / (total[0] - total[1])) < 1e-2
    last = found.summary().query("site == 'resid' and layer == 1 and position == '-1'").iloc[0]
    assert last["share"] == pytest.approx(1.0, abs=1e-3)


def test_tracing_with_noise_restores_everything_behind_the_last_layer(model, asked, others):
    noise = do("tokens.image", off={"kind": "noise", "std": 3.0})
    found = causal_trace(model, asked, noise, reference=others, positions=every_position(model, asked)[-2:], width=2)
    summary = found.summary().set_index(["site", "layer", "position"]).sort_index()
    assert set(found.frame["site"]) == {"resid", "attention", "mlp"}
    assert summary.loc[("resid", 1, "-1"), "share"] == pytest.approx(1.0, abs=1e-3)
    assert summary.loc[("resid", 1, "-2"), "share"] == pytest.approx(0.0, abs=1e-3)
    assert (summary.loc["mlp", "last"] == 1).all() and (summary.loc[("mlp", 0), "first"] == 0).all()
    joint = do("lm.layers.{0..1}.mlp@-1", off=Patch()) & noise
    assert joint.name in set(found.frame["lesion"])


def test_what_cannot_be_traced_says_so(model, asked, others):
    noise = do("tokens.image", off={"kind": "noise", "std": 3.0})
    with pytest.raises(LesionError, match='direction "backwards"'):
        causal_trace(model, asked, noise, direction="backwards")
    with pytest.raises(OutcomeError, match="category"):
        causal_trace(model, asked, noise, outcomes=["predicted_answer"])
    with pytest.raises(OutcomeError, match="two"):
        causal_trace(model, asked, others, outcomes=["kl_to_factual"])
    with pytest.raises(ExampleError, match='counterpart of example "e3"'):
        causal_trace(model, asked, others[:3])
    with pytest.raises(LesionError, match="width is 0"):
        windows(model, "mlp", 0, off="zero")


@pytest.mark.parametrize(("narrow", "at"), [("", slice(None)), ("@-1", slice(-1, None))])
def test_a_path_is_the_sender_seen_by_the_receiver_alone(model, asked, narrow, at):
    """Head 1 of layer 0, off, through the MLP of layer 1: two nested runs by hand."""
    outs = [f"{LAYERS}.{i}.self_attn.o_proj" for i in (0, 1)]
    lesion = path_patch(model, f"lm.layers.0.heads.1{narrow}", "lm.layers.1.mlp", off="zero")
    got = measured(model, asked, lesion)
    for value, example in zip(got, asked, strict=True):
        inputs, mlp, receiver = [[], []], [], []
        logprob(
            model,
            example,
            [(path, keep_input(found)) for path, found in zip(outs, inputs, strict=True)],
            [(f"{LAYERS}.0.mlp", keep_output(mlp))],
        )

        def without_head(x, kept=inputs):
            x = kept[0][0].clone()
            x[:, at, 8:16] = 0
            return x

        logprob(
            model,
            example,
            [(outs[0], set_input(without_head)), (outs[1], set_input(lambda x, kept=inputs: kept[1][0]))],
            [
                (f"{LAYERS}.0.mlp", lambda m, a, o, kept=mlp: kept[0]),
                (f"{LAYERS}.1.mlp", keep_output(receiver)),
            ],
        )
        expected = logprob(model, example, after=[(f"{LAYERS}.1.mlp", lambda m, a, o, kept=receiver: kept[0])])
        np.testing.assert_allclose(value, expected, **TOLERANCE)
        assert abs(value - logprob(model, example)) > 1e-6


def test_all_paths_together_are_the_total_effect(model, asked):
    """Nothing frozen, to the end of the stream: the sender is off for everybody."""
    everything = path_patch(
        model, "lm.layers.0.heads.1", "lm.layers.1.resid", off="zero", through=("lm.layers.**", "vision.layers.**")
    )
    np.testing.assert_allclose(
        measured(model, asked, everything), measured(model, asked, do("lm.layers.0.heads.1", off="zero")), **TOLERANCE
    )


def test_a_path_backwards_leads_nowhere(model, asked):
    frame = counterfactuals(
        model, asked, path_patch(model, "lm.layers.1.heads.0", "lm.layers.0.mlp", off="zero"), stack=1
    ).frame
    assert (frame["effect"] == 0).all() and (frame["change_norm"] == 0).all()
    with pytest.raises(LesionError, match="both sender and receiver"):
        path_patch(model, "lm.layers.0.mlp", "lm.layers.*.mlp", off="zero")


def test_windows_cut_the_edges_of_neighbouring_layers(model, asked):
    found = windows(model, "edges.image.answer", 2)
    assert list(found) == ["lm.layers.{0..1}.edges.image.answer=knockout", "lm.layers.1.edges.image.answer=knockout"]
    both = do("lm.layers.0.edges.image.answer", "lm.layers.1.edges.image.answer", off="knockout")
    table = counterfactuals(model, asked, {**found, "both": both}, outcomes=["answer_logprob"], stack=1)
    values = [table.select(lesion=name).frame["counterfactual"].to_numpy() for name in (*found, "both")]
    assert (values[0] == values[2]).all() and (values[0] != values[1]).any()
    assert list(windows(model, "mlp", 1, off="zero")) == ["lm.layers.0.mlp=zero", "lm.layers.1.mlp=zero"]


def test_a_skipped_layer_passes_its_input_on(model, asked):
    def skip(module, args, output):
        return args[0]

    expected = [logprob(model, e, after=[(f"{LAYERS}.1", skip)]) for e in asked]
    np.testing.assert_allclose(measured(model, asked, do("lm.layers.1", off="zero")), expected, **TOLERANCE)
