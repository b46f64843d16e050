from dataclasses import replace

import pytest
import torch

from causalablate.examples import digits, stills, texts
from causalablate.examples.clip_scenes import MIXTURE_WORDS
from causalablate.examples.questions import WORDS
from causalablate.foveated.encoding import encode
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.training.evaluate import evaluate, measure


def test_metrics_are_means_over_examples_whatever_the_batch():
    torch.manual_seed(0)
    model, examples = FoveatedVLM(small_config(WORDS, width=16, layers=1)).train(), digits(21)
    whole, parts = evaluate(model, examples, batch_size=21), evaluate(model, examples, batch_size=4)
    assert whole == pytest.approx(parts, abs=1e-5) and model.training
    inputs = encode(examples, model.config)
    output = model(**inputs)
    assert whole["loss_fine"] == whole["val_loss"] == pytest.approx(output.loss_fine.item(), abs=1e-5)
    assert whole["accuracy"] == pytest.approx((output.logits.argmax(-1) == inputs["labels"]).float().mean().item())
    assert whole["loss_ratio"] == pytest.approx(whole["loss_fine"] / whole["loss_coarse"])
    by_type = [value for name, value in whole.items() if name.startswith("accuracy.")]
    assert len(by_type) == 7 and sum(by_type) / 7 == pytest.approx(whole["accuracy"])


def test_the_coarse_mode_has_no_fine_metrics():
    torch.manual_seed(0)
    model = FoveatedVLM(small_config(WORDS, width=16, layers=1))
    metrics = evaluate(model, digits(7), mode="coarse_only")
    assert "loss_fine" not in metrics and metrics["accuracy"] == metrics["accuracy_coarse"]


def test_examples_of_different_lengths_are_answered_in_batches_of_their_own():
    torch.manual_seed(0)
    model = FoveatedVLM(small_config(WORDS, width=16, layers=1, n_frames=2, image_repeats=1))
    long = list(digits(9))
    single = [replace(example, id=f"s{i}", images=example.images[:1]) for i, example in enumerate(digits(5, seed=1))]
    mixed = [*long[:2], *single[:3], *long[2:], *single[3:]]
    found = measure(model, mixed, batch_size=4)
    alone = {i: measure(model, [example]) for i, example in enumerate(mixed)}
    assert found.ids == tuple(example.id for example in mixed)
    for i, one in alone.items():
        assert found.answer_logprob[i] == pytest.approx(one.answer_logprob[0], abs=1e-5)
        assert found.correct[i] == one.correct[0]
    looked = [one.metrics for i, one in alone.items() if "loss_fine" in one.metrics]
    assert len(looked) == 9
    fine, coarse = (sum(m[name] for m in looked) / 9 for name in ("loss_fine", "loss_coarse"))
    assert found.metrics["loss_fine"] == pytest.approx(fine, abs=1e-5)
    assert found.metrics["loss_ratio"] == pytest.approx(fine / coarse, abs=1e-5)
    assert found.metrics["val_loss"] == pytest.approx(-found.answer_logprob.mean(), abs=1e-5)


def test_kinds_of_examples_are_told_apart():
    torch.manual_seed(0)
    model = FoveatedVLM(small_config(MIXTURE_WORDS, width=16, layers=1))
    parts = {"image": stills(7), "text": texts(4)}
    both = evaluate(model, [e for part in parts.values() for e in part])
    for kind, part in parts.items():
        assert both[f"accuracy.kind.{kind}"] == pytest.approx(evaluate(model, part)["accuracy"])
