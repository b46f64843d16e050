import numpy as np
import pandas as pd
import pytest
import torch

import causalablate as ca
from causalablate.errors import InertLesionError, LesionError, OutcomeError
from causalablate.generation import Sampling, generate
from causalablate.generation.generations import parting
from causalablate.models import Model
from tests.families import tiny
from tests.generation import oracle

N = 6
HEAD = ca.do("lm.layers.1.heads.2", off="zero")
MLP = ca.do("lm.layers.0.mlp", off="zero")
EDGE = ca.do("lm.layers.0.edges.image.answer", off="knockout")
NOISE = ca.do("lm.layers.0.mlp", off={"kind": "noise", "std": 0.5})


def layers(model):
    return model.module.model.language_model.layers


def tokens(found, world="counterfactual"):
    return torch.tensor(found.texts[f"{world}_tokens"].tolist())


def logprobs(found, world="counterfactual"):
    return torch.tensor(found.texts[f"{world}_logprobs"].tolist())


def test_the_factual_answer_is_what_transformers_generates(llava, asked):
    found = generate(llava, asked, HEAD, max_new_tokens=N)
    inputs = oracle.inputs_of(llava, asked)
    said = llava.module.generate(**inputs, max_new_tokens=N, do_sample=False)[:, inputs["input_ids"].shape[1] :]
    assert torch.equal(tokens(found, "factual"), said)
    words = llava.adapter.processor.tokenizer
    assert list(found.texts["factual"]) == [t.strip() for t in words.batch_decode(said, skip_special_tokens=True)]


def test_under_a_lesion_it_is_what_transformers_generates_under_a_hook(llava, asked):
    inputs = oracle.inputs_of(llava, asked)
    with oracle.hooks(oracle.zeroed_head(layers(llava)[1].self_attn.o_proj, 2, 8, 0, "both")):
        said = llava.module.generate(**inputs, max_new_tokens=N, do_sample=False)[:, inputs["input_ids"].shape[1] :]
    found = generate(llava, asked, HEAD, max_new_tokens=N)
    assert torch.equal(tokens(found), said)
    assert not torch.equal(tokens(found), tokens(found, "factual"))
    assert found.frame["fired"].all()


@pytest.mark.parametrize("when", ["prefill", "decode", "both"])
@pytest.mark.parametrize("lesion", [HEAD, MLP, EDGE], ids=str)
def test_each_part_of_a_generation_agrees_with_a_loop_without_a_cache(llava, asked, lesion, when):
    inputs = oracle.inputs_of(llava, asked)
    n = inputs["input_ids"].shape[1]
    layer = layers(llava)
    hook = {
        HEAD: lambda: oracle.zeroed_head(layer[1].self_attn.o_proj, 2, 8, n, when),
        MLP: lambda: oracle.zeroed_output(layer[0].mlp, n, when),
        EDGE: lambda: oracle.cut(
            layer[0].self_attn,
            inputs["input_ids"] == llava.module.config.image_token_id,
            lambda length: torch.arange(length) >= n - 1,
            n,
            when,
        ),
    }[lesion]()
    with oracle.hooks(hook):
        said, probability = oracle.without_cache(llava, asked, N)
    found = generate(llava, asked, lesion, when=when, max_new_tokens=N)
    assert torch.equal(tokens(found), said)
    assert torch.allclose(logprobs(found), probability, atol=1e-4)
    assert found.texts["parted_at"].notna().any()


@pytest.mark.parametrize("address", ["lm.layers.0.edges.image.answer", "lm.layers.1.edges.question.answer"])
def test_an_edge_without_padding_is_cut_in_the_cache_too(llava, asked, address):
    """Nothing is padded, so transformers builds no mask at all."""
    alone, (_, _, layer, _, source, _) = asked[1:2], address.split(".")
    model = Model(llava.module, oracle.Unpadded(llava.adapter))
    inputs = oracle.inputs_of(model, alone)
    assert inputs["attention_mask"].all()
    n, image = inputs["input_ids"].shape[1], inputs["input_ids"] == llava.module.config.image_token_id
    keys = image if source == "image" else ~image & (torch.arange(n) < n - 1)
    attention = layers(llava)[int(layer)].self_attn
    with oracle.hooks(oracle.cut(attention, keys, lambda length: torch.arange(length) >= n - 1, n, "decode")):
        said, probability = oracle.without_cache(model, alone, N)
    found = generate(model, alone, ca.do(address, off="knockout"), when="decode", max_new_tokens=N)
    assert torch.equal(tokens(found), said)
    assert torch.allclose(logprobs(found), probability, atol=1e-4)
    # One cut per image position and generated position read: the norm of a mask counts edges.
    assert found.frame["change_norm"].iloc[0] == pytest.approx(np.sqrt(int(keys.sum()) * (N - 1)))


@pytest.mark.parametrize("address", ["connector", "vision.layers.0", "tokens.image", "tokens.question"])
def test_what_only_the_prompt_holds_acts_in_prefill_alone(llava, asked, address):
    lesion = ca.do(address, off="zero")
    both, prefill = (generate(llava, asked, lesion, when=when, max_new_tokens=N) for when in ("both", "prefill"))
    pd.testing.assert_frame_equal(both.texts, prefill.texts)
    pd.testing.assert_frame_equal(both.frame, prefill.frame)
    assert both.frame["fired"].all() and (both.frame["change_norm"] > 0).all()
    with pytest.raises(InertLesionError, match=f"{address}=zero never acted on a generated position"):
        generate(llava, asked, lesion, when="decode", max_new_tokens=N)


def test_one_token_leaves_nothing_to_act_on_in_decode(llava, asked):
    with pytest.raises(InertLesionError, match="read off the prompt"):
        generate(llava, asked, HEAD, when="decode", max_new_tokens=1)


def test_a_single_position_is_one_of_the_prompt(llava, asked):
    from causalablate.component import Component, ComponentMap, Site

    last = Component("last", "tokens", (Site("model.language_model.layers.0", "input", tokens=True, group="-1"),))
    model = Model(llava.module, llava.adapter)
    model.components = ComponentMap([*llava.components.values(), last])
    found = generate(model, asked, ca.do("last", off="zero"), max_new_tokens=N)
    start = layers(llava)[0]
    n = oracle.inputs_of(llava, asked)["input_ids"].shape[1]

    def hook(_, args):
        x = args[0].clone()
        x[:, n - 1] = 0
        return (x, *args[1:])

    with oracle.hooks(start.register_forward_pre_hook(hook)):
        said, _ = oracle.without_cache(llava, asked, N)
    assert torch.equal(tokens(found), said)
    with pytest.raises(InertLesionError):
        generate(model, asked, ca.do("last", off="zero"), when="decode", max_new_tokens=N)


@pytest.mark.parametrize("sample", [None, Sampling(0.8, top_k=40, top_p=0.95)], ids=["greedy", "sampled"])
@pytest.mark.parametrize("when", ["decode", "both"])
def test_each_example_gets_what_it_has_alone(llava, sample, when):
    """Left padding, the batch and what came before are no part of an example; noise lesions included."""
    asked, reference = tiny.examples(5), tiny.examples(3)
    lesions = [HEAD, NOISE, EDGE]
    options = {"when": when, "sample": sample, "max_new_tokens": N, "reference": reference, "seed": 3}
    together = generate(llava, asked, lesions, **options)
    small = generate(llava, asked, lesions, batch_size=2, **options)
    alone = [generate(llava, asked[i : i + 1], lesions, **options) for i in range(5)]
    by = ["lesion", "example"]
    one = pd.concat([a.texts for a in alone]).sort_values(by).reset_index(drop=True)
    rows = pd.concat([a.frame for a in alone]).sort_values([*by, "outcome"])
    for many in (together, small):
        texts = many.texts.sort_values(by).reset_index(drop=True)
        assert texts["counterfactual_tokens"].tolist() == one["counterfactual_tokens"].tolist()
        assert texts["factual_tokens"].tolist() == one["factual_tokens"].tolist()
        assert np.allclose(
            np.array(texts["counterfactual_logprobs"].tolist()), one["counterfactual_logprobs"].tolist(), atol=1e-4
        )
        norms = many.frame.sort_values([*by, "outcome"])["change_norm"]
        assert np.allclose(norms, rows["change_norm"], rtol=1e-4)


def test_noise_at_generated_positions_differs_from_position_to_position(llava, asked):
    """A hook that knows the draws by their definition: (seed, part, example, position among real tokens)."""
    from causalablate.engine import draws

    reference = llava.reference(tiny.examples(3))
    found = generate(llava, asked[1:2], NOISE, when="decode", max_new_tokens=N, reference=reference)
    site = llava.components["lm.layers.0.mlp"].sites[0]
    spread = reference.std(llava.components["lm.layers.0.mlp"], site, 0)
    padding = oracle.inputs_of(llava, asked[1:2])["attention_mask"] == 0
    n, left = padding.shape[1], int(padding.sum())
    stream = ("noise", 0, "lm.layers.0.mlp", site.module, 0)
    at = {j: draws.normal_at(torch.Size((1, 1, 32)), [j - left], ["e1"], *stream)[0, 0] for j in range(n, n + N)}
    assert not torch.equal(at[n], at[n + 1])

    def hook(_, args, output):
        output = output.clone()
        for j in range(n, output.shape[1]):
            output[:, j] += 0.5 * spread * at[j]
        return output

    with oracle.hooks(layers(llava)[0].mlp.register_forward_hook(hook)):
        said, probability = oracle.without_cache(llava, asked[1:2], N)
    assert torch.equal(tokens(found), said)
    assert torch.allclose(logprobs(found), probability, atol=1e-4)


def test_prompt_noise_is_that_of_counterfactuals(llava, asked):
    """The first token is read off the prompt, so its log-probability is the outcome of one lesioned forward."""
    reference = tiny.examples(3)
    found = generate(llava, asked, NOISE, max_new_tokens=1, reference=reference, seed=5)
    with torch.no_grad(), llava.do(NOISE, reference=reference, seed=5, keys=[e.id for e in asked]):
        logits = llava.read(llava(**llava.encode(asked))).logits["answer"]
    expected = logits.log_softmax(-1).max(-1)
    assert torch.equal(tokens(found)[:, 0], expected.indices)
    assert torch.allclose(logprobs(found)[:, 0], expected.values, atol=1e-5)


def test_worlds_share_the_noise_and_part_only_where_the_lesion_makes_them(llava, asked):
    idle = ca.do("lm.layers.1.mlp", off={"kind": "scale", "factor": 1.0})
    faint = ca.do("lm.layers.1.mlp", off={"kind": "scale", "factor": 1.001})
    sample = Sampling(1.0)
    found = generate(llava, asked, {"idle": idle, "faint": faint, "head": HEAD}, sample=sample, max_new_tokens=N)
    of = {name: frame for name, frame in found.texts.groupby("lesion")}
    assert of["idle"]["parted_at"].isna().all() and of["faint"]["parted_at"].isna().all()
    assert of["head"]["parted_at"].notna().any()
    other = generate(llava, asked, idle, sample=sample, seed=1, max_new_tokens=N)
    assert list(other.texts["factual_tokens"]) != list(of["idle"]["factual_tokens"])
    again = generate(llava, asked, {"head": HEAD}, sample=sample, max_new_tokens=N)
    pd.testing.assert_frame_equal(again.texts, of["head"].reset_index(drop=True))


def test_answers_end_where_the_checkpoint_says(llava, asked, monkeypatch):
    free = generate(llava, asked, HEAD, max_new_tokens=N)
    end = free.texts["factual_tokens"][1][2]
    monkeypatch.setattr(llava.module.generation_config, "eos_token_id", [2, end])
    found = generate(llava, asked, HEAD, max_new_tokens=N, match=None)
    for column in ("factual_tokens", "counterfactual_tokens"):
        for short, whole in zip(found.texts[column], free.texts[column], strict=True):
            assert short == (whole[: whole.index(end) + 1] if end in whole else whole)
    lengths = found.table.select(outcome="n_tokens").frame
    assert list(lengths["factual"]) == [len(t) for t in found.texts["factual_tokens"]]
    assert len(found.texts["factual_tokens"][1]) < N
    # What happens to a row behind its end counts nowhere.
    alone = generate(llava, asked[1:2], HEAD, max_new_tokens=N)
    assert lengths["change_norm"][1] == pytest.approx(alone.frame["change_norm"][0], rel=1e-5)


def test_the_table_goes_on_to_population_effects(llava, asked):
    found = generate(llava, asked, [HEAD, MLP], max_new_tokens=N, match=lambda said, truth: len(said) % 2 == 0)
    effects = ca.population_effects(found.table)
    assert set(effects["outcome"]) == {"correct", "generated_text", "n_tokens"}
    for lesion, rows in found.frame[found.frame["outcome"] == "generated_text"].groupby("lesion"):
        texts = found.texts[found.texts["lesion"] == lesion]
        changed = (texts["factual"] != texts["counterfactual"]).to_numpy()
        assert list(rows["effect"]) == list(changed.astype(float))
        names = found.table.labels["generated_text"]
        assert [names[int(i)] for i in rows["counterfactual"]] == list(texts["counterfactual"])
        row = effects.query("outcome == 'generated_text' and lesion == @lesion and group == 'all'").iloc[0]
        assert row["ate"] == pytest.approx(changed.mean())
    right = found.table.select(lesion=MLP.name, outcome="correct").frame
    said = found.texts[found.texts["lesion"] == MLP.name]
    assert list(right["counterfactual"]) == [float(len(text) % 2 == 0) for text in said["counterfactual"]]
    assert found.frame is found.table.frame


def test_the_model_is_left_as_it_was(llava, asked):
    module = llava.module
    before = {name: x.clone() for name, x in module.state_dict().items()}
    state = torch.get_rng_state()
    module.train()
    try:
        generate(llava, asked, [HEAD, EDGE], sample=Sampling(), max_new_tokens=2)
        with pytest.raises(InertLesionError):
            generate(llava, asked, ca.do("connector", off="zero"), when="decode")
        assert all(m.training for m in module.modules())
    finally:
        module.eval()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(x, before[name]) for name, x in module.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in layers(llava).modules())


def test_means_over_examples_have_no_generated_positions(llava, asked):
    same = tiny.examples(2)[:1]
    by_example = ca.do("lm.layers.0.mlp", off="mean")
    with pytest.raises(LesionError, match="axes: positions"):
        generate(llava, same, by_example, reference=same, max_new_tokens=N)
    generate(llava, same, by_example, reference=same, when="prefill", max_new_tokens=N)
    by_position = ca.do("lm.layers.0.mlp", off={"kind": "mean", "axes": "positions"})
    assert generate(llava, asked, by_position, reference=same, when="decode", max_new_tokens=N).frame["fired"].all()


def test_donors_have_no_generated_positions(llava, asked):
    donors = {"reference": tiny.examples(4), "max_new_tokens": N}
    swapped = ca.do("lm.layers.0.mlp", off="resample")
    assert generate(llava, asked, swapped, when="prefill", **donors).frame["fired"].all()
    with pytest.raises(LesionError, match="when='prefill'"):
        generate(llava, asked, swapped, when="both", **donors)
    image = ca.do("connector", off="resample")
    assert generate(llava, asked, image, **donors).texts["parted_at"].notna().any()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"when": "later"}, LesionError, "prefill, in decode, or in both"),
        ({"max_new_tokens": 0}, OutcomeError, "at least 1"),
        ({"match": "vqaa"}, OutcomeError, "did you mean vqa"),
        ({"batch_size": 0}, ca.errors.ExampleError, "batch_size is 0"),
    ],
)
def test_what_cannot_be_is_refused(llava, asked, options, error, message):
    with pytest.raises(error, match=message):
        generate(llava, asked, HEAD, **options)


def test_a_patch_from_another_world_is_refused(llava, asked):
    with pytest.raises(LesionError, match="other tokens"):
        generate(llava, asked, ca.do("lm.layers.0.mlp", off="patch"), max_new_tokens=2)


def test_a_model_that_answers_in_one_word_is_refused(model, examples):
    with pytest.raises(LesionError, match="counterfactuals"):
        generate(model, examples, ca.do("passes.fine", off="zero"))


def test_a_broken_model_is_named_with_the_example(llava, asked):
    infinite = ca.do("lm.layers.1.mlp", off={"kind": "scale", "factor": 3.4e38})
    with pytest.raises(OutcomeError, match='example "e'):
        generate(llava, asked, infinite, max_new_tokens=3)


@pytest.mark.parametrize(
    ("a", "b", "at"),
    [((1, 2), (1, 2), None), ((1, 2), (1, 3), 1), ((1,), (1, 3), 1), ((), (4,), 0), ((5, 1), (4, 1), 0)],
)
def test_where_two_answers_part(a, b, at):
    assert parting(a, b) == at
