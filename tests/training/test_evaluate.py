import pytest
import torch

from causalablate.examples import digits
from causalablate.examples.questions import WORDS
from causalablate.foveated.encoding import encode
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.training.evaluate import evaluate


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
