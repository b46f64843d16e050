import numpy as np
import pytest
import torch

import causalablate as ca
from causalablate.errors import ExampleError, InertLesionError
from causalablate.generation import choose
from tests.generation import oracle

HEAD = ca.do("lm.layers.1.heads.2", off="zero")
MLP = ca.do("lm.layers.0.mlp", off="zero")
OPTIONS = ["yes", "no", "red", "blue", "twice the second", "to the right of it"]


def scored(model, examples, option):
    """Log-probabilities of an option's tokens in one forward without a cache: shape (tokens,) per example."""
    words, found = model.adapter.processor.tokenizer, []
    for i in range(len(examples)):
        inputs = oracle.inputs_of(model, examples[i : i + 1])
        n = inputs["input_ids"].shape[1]
        (prompt,) = model.adapter.texts(model.module, examples[i : i + 1])
        whole = words(prompt + " " + option, add_special_tokens=False)["input_ids"]
        answer = torch.tensor([whole[len(words(prompt, add_special_tokens=False)["input_ids"]) :]])
        inputs["input_ids"] = torch.cat((inputs["input_ids"], answer), 1)
        inputs["attention_mask"] = torch.nn.functional.pad(inputs["attention_mask"], (0, answer.shape[1]), value=1)
        inputs["position_ids"] = (inputs["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        with torch.no_grad():
            logits = model.module(**inputs, use_cache=False).logits[0, n - 1 : -1].log_softmax(-1)
        found.append(logits.gather(1, answer[0][:, None])[:, 0].numpy())
    return found


@pytest.mark.parametrize("when", ["prefill", "decode", "both"])
@pytest.mark.parametrize("lesion", [HEAD, MLP], ids=str)
def test_whole_answers_are_scored_as_in_one_forward(llava, asked, lesion, when):
    found = choose(llava, asked, lesion, options=OPTIONS, when=when).scores
    layer = llava.module.model.language_model.layers
    for option in OPTIONS:
        rows = found[found["answer"] == option]
        plain = scored(llava, asked, option)
        assert list(rows["n_tokens"]) == [len(p) for p in plain]
        assert np.allclose(rows["factual"], [p.sum() for p in plain], atol=1e-4)
        lesioned = []
        for i in range(len(asked)):  # each prompt ends elsewhere, and so the positions of the lesion
            n = oracle.inputs_of(llava, asked[i : i + 1])["input_ids"].shape[1]
            hook = (
                oracle.zeroed_head(layer[1].self_attn.o_proj, 2, 8, n, when)
                if lesion is HEAD
                else oracle.zeroed_output(layer[0].mlp, n, when)
            )
            with oracle.hooks(hook):
                lesioned.append(scored(llava, asked[i : i + 1], option)[0].sum())
        assert np.allclose(rows["counterfactual"], lesioned, atol=1e-4)
    assert max(found["n_tokens"]) > 3 and not np.allclose(found["factual"], found["counterfactual"])


def test_outcomes_follow_from_the_scores(llava, asked):
    found = choose(llava, asked, [HEAD, MLP], options=OPTIONS)
    for lesion in (HEAD.name, MLP.name):
        values = {
            name: rows.set_index("example") for name, rows in found.table.select(lesion=lesion).frame.groupby("outcome")
        }
        for example in asked:
            rows = found.scores[(found.scores["lesion"] == lesion) & (found.scores["example"] == example.id)]
            for world in ("factual", "counterfactual"):
                total = dict(zip(rows["answer"], rows[world], strict=True))
                mean = dict(zip(rows["answer"], rows[world] / rows["n_tokens"], strict=True))
                truth = total.pop(example.answer)
                value = {name: frame[world][example.id] for name, frame in values.items()}
                assert value["answer_logprob"] == pytest.approx(truth, rel=1e-5)
                assert value["answer_margin"] == pytest.approx(truth - max(total.values()), rel=1e-4)
                assert value["correct"] == (truth > max(total.values()))
                assert value["correct_per_token"] == (max(mean, key=mean.get) == example.answer)
                assert value["answer_logprob_per_token"] == pytest.approx(mean[example.answer], rel=1e-5)
                best = max({**total, example.answer: truth}, key={**total, example.answer: truth}.get)
                assert found.table.labels["chosen_answer"][int(value["chosen_answer"])] == best
    assert len(ca.population_effects(found.table)) == 2 * len(values)
    assert found.frame["fired"].all()


def test_each_example_gets_what_it_has_alone(llava, asked):
    together = choose(llava, asked, MLP, options=OPTIONS).scores
    for i, example in enumerate(asked):
        alone = choose(llava, asked[i : i + 1], MLP, options=OPTIONS).scores
        here = together[together["example"] == example.id]
        for world in ("factual", "counterfactual"):
            assert np.allclose(here[world], alone[world], atol=1e-4)


def test_each_example_may_have_options_of_its_own(llava, asked):
    own = {example.id: [example.answer, "no", "to the right of it"][: 2 + i % 2] for i, example in enumerate(asked)}
    own["e1"] = ["no", "blue"]
    found = choose(llava, asked, MLP, options=own).scores
    assert {key: list(rows["answer"]) for key, rows in found.groupby("example")} == own
    same = choose(llava, asked, MLP, options=OPTIONS).scores.set_index(["example", "answer"])
    mine = found.set_index(["example", "answer"])
    shared = mine.index.intersection(same.index)
    assert len(shared) > 4 and np.allclose(
        mine.loc[shared, "counterfactual"], same.loc[shared, "counterfactual"], atol=1e-4
    )


def test_by_default_the_options_are_the_true_answers(llava, asked):
    found = choose(llava, asked, MLP).scores
    assert list(dict.fromkeys(found["answer"])) == list(dict.fromkeys(e.answer for e in asked))


def test_answers_of_one_token_are_read_off_the_prompt(llava, asked):
    with pytest.raises(InertLesionError, match="read off the prompt"):
        choose(llava, asked, MLP, when="decode")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["no", "no"], "at least two"),
        (["no", "blue"], "not among its options"),
        ({"e0": ["yes", "no"]}, '"e1" has no options'),
        ("yes", "give a list"),
    ],
)
def test_a_choice_without_sense_is_refused(llava, asked, options, message):
    with pytest.raises(ExampleError, match=message):
        choose(llava, asked, MLP, options=options)
