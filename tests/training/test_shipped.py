"""The shipped checkpoint is the one that the shipped config trains, and does what its page says."""

import json
from pathlib import Path

import pytest

from causalablate.declarative import read
from causalablate.examples import digits
from causalablate.foveated.checkpoint import WEIGHTS
from causalablate.foveated.model import FoveatedVLM
from causalablate.training.config import TrainingConfig
from causalablate.training.evaluate import evaluate

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "experiments" / "train_digits.yaml"
SHIPPED = ROOT / "causalablate" / "checkpoints" / "foveated-digits"


@pytest.fixture(scope="module")
def accuracy():
    model, examples = FoveatedVLM.from_pretrained(SHIPPED), digits(350, split="test")
    modes = ("coarse_only", "coarse_fine", "autoregressive")
    return {mode: evaluate(model, examples, mode=mode)["accuracy"] for mode in modes}


def test_it_is_small_and_comes_with_config_log_and_curve():
    assert (SHIPPED / WEIGHTS).stat().st_size < 5_000_000
    run = json.loads((SHIPPED / "training.json").read_text())
    assert TrainingConfig.model_validate(run["config"]) == read(CONFIG, TrainingConfig)
    rows = [json.loads(line) for line in (SHIPPED / "log.jsonl").read_text().splitlines()]
    steps = sum(run["config"][stage]["steps"] for stage in ("encoder_warmup", "main", "settle"))
    assert rows[-1]["step"] == run["cost"]["steps"] == steps
    assert (SHIPPED / "learning_curve.png").stat().st_size > 10_000


def test_the_fine_look_answers_what_the_coarse_one_cannot(accuracy):
    assert accuracy["coarse_fine"] > 0.85
    assert accuracy["autoregressive"] > 0.8
    # The commonest answer to each question type is right for 0.21 of the examples.
    assert 0.3 < accuracy["coarse_only"] < accuracy["coarse_fine"] - 0.2
