"""Activations from other worlds, against worlds that plain torch hooks make by hand."""

import pytest
import torch

from causalablate.counterfactual import counterfactuals
from causalablate.errors import ComponentNotFoundError, LesionError
from causalablate.foveated.layout import TokenLayout
from causalablate.intervention import Lesion, do
from causalablate.offs import Patch, off

CORRUPTED = do("tokens.image", off={"kind": "noise", "std": 3.0})
LAYER = "lm.model.layers.0"


def run(module, inputs, hooks):
    """Logits under plain torch hooks: (path, hook on the output)."""
    handles = [module.get_submodule(path).register_forward_hook(hook) for path, hook in hooks]
    try:
        with torch.no_grad():
            return module(**inputs).logits
    finally:
        for handle in handles:
            handle.remove()


def keep(into):
    return lambda module, args, output: into.append(output.clone())


def put(values, positions=slice(None)):
    """Hook that sets positions of the n-th call's output to given values."""
    calls = iter(values)

    def hook(module, args, output):
        new = output.clone()
        new[:, positions] = next(calls)[:, positions]
        return new

    return hook


@pytest.fixture(scope="module")
def corrupted(model, examples, reference):
    """Inputs, and the noise that the corrupted run adds to each assembled sequence (which joins its arguments)."""
    inputs = model.encode(examples)
    keys = [e.id for e in examples]
    noise = []

    def note(module, args, output):
        noise.append(output - torch.cat(args, dim=1))

    with model.do(CORRUPTED, reference=reference, keys=keys):
        run(model.module, inputs, [("sequence.coarse", note), ("sequence.fine", note)])
    outside = torch.ones(noise[0].shape[1], dtype=torch.bool)
    outside[image(model)] = False
    assert all((x[:, outside] == 0).all() and (x[:, ~outside].std() > 0.01) for x in noise)
    return inputs, keys, noise


def image(model):
    return model.module.token_groups["image"]


def corruption_hooks(corrupted):
    coarse, fine = corrupted[2]
    return [
        ("sequence.coarse", lambda module, args, output: output + coarse),
        ("sequence.fine", lambda module, args, output: output + fine),
    ]


@pytest.mark.parametrize("positions", ["", "@image", "@answer", "@image[0]", "@-1"])
@pytest.mark.parametrize("part", ["resid", "mlp"])
def test_denoising_restores_the_clean_activation_in_the_corrupted_run(
    model, examples, reference, corrupted, part, positions
):
    inputs, keys, _ = corrupted
    path = LAYER if part == "resid" else f"{LAYER}.mlp"
    length = TokenLayout.of(model.module.config).length
    at = {
        "": slice(None),
        "@image": image(model),
        "@answer": slice(length - 1, length),
        "@image[0]": slice(image(model).start, image(model).start + 1),
        "@-1": slice(length - 1, length),
    }[positions]
    clean = []
    run(model.module, inputs, [(path, keep(clean))])
    whole = torch.ones(len(keys), length, dtype=torch.bool)
    whole[:, : inputs["attention_mask"].shape[1]] = inputs["attention_mask"].bool()

    def restore(calls):
        values = iter(calls)

        def hook(module, args, output):
            value = next(values)
            new = output.clone()
            new[:, at] = torch.where(whole[:, at, None], value[:, at], output[:, at])
            return new

        return hook

    expected = run(model.module, inputs, [*corruption_hooks(corrupted), (path, restore(clean))])
    lesion = CORRUPTED & do(f"lm.layers.0.{part}{positions}", off="patch")
    with model.do(lesion, reference=reference, keys=keys), torch.no_grad():
        found = model.module(**inputs).logits
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert not torch.equal(expected, run(model.module, inputs, corruption_hooks(corrupted)))


def test_noising_puts_the_corrupted_activation_into_the_clean_run(model, reference, corrupted):
    inputs, keys, _ = corrupted
    there = []
    run(model.module, inputs, [*corruption_hooks(corrupted), (LAYER, keep(there))])
    at = image(model)
    expected = run(model.module, inputs, [(LAYER, put(there, at))])
    lesion = do("lm.layers.0.resid@image", off=Patch(CORRUPTED.parts))
    with model.do(lesion, reference=reference, keys=keys), torch.no_grad():
        found = model.module(**inputs).logits
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("stack", [1, None])
def test_replay_visits_the_same_worlds(model, examples, reference, stack):
    """Two levels deep, in batches, side by side: what model.do gives alone."""
    inner = do("lm.layers.0.heads.1", off=Patch(CORRUPTED.parts)) & do("lm.layers.0.mlp", off="patch")
    lesions = [
        CORRUPTED & do("lm.layers.0.resid@image", off="patch"),
        CORRUPTED & do("lm.layers.1.heads.0@answer", off="patch"),
        do("lm.layers.1.mlp", off=Patch(inner.parts)),
        do("vision.layers.0.resid", off=Patch(do("query.init", off="zero").parts)),
    ]
    table = counterfactuals(
        model, examples, lesions, outcomes=["answer_logprob"], reference=reference, stack=stack, batch_size=10
    )
    answers = model.adapter.answers(model.module, examples[:])
    for lesion in lesions:
        rows = []
        for start in range(0, len(examples), 10):
            part = examples[start : start + 10]
            with model.do(lesion, reference=reference, keys=[e.id for e in part]) as action, torch.no_grad():
                logits = model.module(**model.encode(part)).logits.log_softmax(-1)
            rows.append(logits.gather(1, answers[start : start + 10, None])[:, 0])
            assert action.fired.all()
        got = torch.tensor(table.select(lesion=lesion.name).frame["counterfactual"])
        torch.testing.assert_close(got, torch.cat(rows), atol=1e-7 if stack == 1 else 1e-4, rtol=0)
        assert table.select(lesion=lesion.name).frame["effect"].abs().max() > 1e-3


def test_a_patch_from_the_factual_world_is_the_empty_lesion(model, examples):
    lesions = [do("lm.layers.0.resid", off="patch"), do("tokens.image", off="patch"), do("connector", off="patch")]
    frame = counterfactuals(model, examples, lesions, stack=1).frame
    assert (frame["effect"] == 0).all() and frame["fired"].all() and (frame["change_norm"] == 0).all()


def test_restoring_the_whole_stream_restores_the_outcome(model, examples, reference):
    lesion = CORRUPTED & do("lm.layers.1.resid", off="patch")
    frame = counterfactuals(model, examples, [lesion], reference=reference, outcomes=["kl_to_factual"]).frame
    assert frame["counterfactual"].abs().max() < 1e-6 and (frame["change_norm"] > 1).all()


def test_worlds_are_values():
    how = off({"kind": "patch", "at": {"tokens.image": {"kind": "noise", "std": 3}, "connector": "zero"}})
    again = Patch((do("connector", off="zero") & do("tokens.image", off={"kind": "noise", "std": 3})).parts)
    assert how == again and hash(how) == hash(again) and off(how.to_json()) == how
    assert str(how) == "patch(connector=zero & tokens.image=noise(std=3))"
    lesion = do("lm.layers.0.mlp", off=how)
    assert Lesion.from_json(lesion.to_json()) == lesion


def test_what_cannot_be_patched_says_so(model, examples):
    with pytest.raises(LesionError, match="mapping from addresses"):
        off({"kind": "patch", "at": "tokens.image"})
    with pytest.raises(LesionError, match="use knockout"):
        do("lm.layers.0.edges.image.answer", off="patch").resolve(model.components)
    with pytest.raises(LesionError, match="needs a reference set"):
        counterfactuals(model, examples, do("lm.layers.0.mlp", off=Patch(CORRUPTED.parts)))
    with pytest.raises(LesionError, match=r'no token group "imago".*did you mean image'):
        counterfactuals(model, examples, do("lm.layers.0.mlp@imago", off="zero"), stack=1)
    with pytest.raises(LesionError, match=r'"image\[9\]" is not there'):
        counterfactuals(model, examples, do("lm.layers.0.mlp@image[9]", off="zero"), stack=1)


def test_an_outer_world_that_is_missing_a_component_says_so(model, examples):
    with pytest.raises(ComponentNotFoundError, match="no component"):
        counterfactuals(model, examples, do("connector", off=Patch(do("nothing.here", off="zero").parts)))


def test_a_patch_needs_the_reference_set_of_the_world_that_it_reads():
    assert Patch(CORRUPTED.parts).reads_reference and not Patch().reads_reference
    assert Patch(do("connector", off=Patch(CORRUPTED.parts)).parts).reads_reference
    assert not Patch(do("connector", off="zero").parts).reads_reference


def test_the_stream_behind_a_layer_has_the_last_word_over_what_the_layer_adds(model, examples):
    lesion = do("lm.layers.0", off="zero") & do("lm.layers.0.resid", off="patch")
    frame = counterfactuals(model, examples, [lesion, do("lm.layers.0", off="zero")], stack=1).frame
    restored, skipped = (frame[frame["lesion"].str.contains("resid") == with_stream] for with_stream in (True, False))
    assert (restored["effect"] == 0).all() and (restored["change_norm"] > 0).all() and (skipped["effect"] != 0).any()


def test_the_narrower_of_two_offs_has_the_last_word(make_model, examples):
    model = make_model(mode="coarse_only")
    both = do("lm.layers.0.mlp", off="zero") & do("lm.layers.0.mlp@answer", off="patch")
    others = do("lm.layers.0.mlp@question", "lm.layers.0.mlp@image", off="zero")
    frame = counterfactuals(model, examples, {"both": both, "others": others}, stack=1).frame
    values = [frame[frame["lesion"] == name]["counterfactual"].to_numpy() for name in ("both", "others")]
    assert (values[0] == values[1]).all() and (frame["effect"] != 0).any()


def test_what_only_an_inner_world_reads_of_the_reference_set_is_captured(model, examples, reference):
    lesion = do("lm.layers.0.mlp", off=Patch(do("connector", off=Patch(CORRUPTED.parts)).parts))
    frame = counterfactuals(model, examples, lesion, reference=reference).frame
    assert frame["fired"].all()
    noising = do("lm.layers.0.mlp", off=Patch(CORRUPTED.parts))
    assert counterfactuals(model, examples, noising, reference=reference).frame["effect"].abs().max() > 0
