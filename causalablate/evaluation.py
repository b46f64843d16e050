"""How well a model answers, in each mode and for each type of question, beside the answer that needs no looking."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from causalablate.effects import accuracy_interval, majority_correct
from causalablate.examples import ExampleSet
from causalablate.models import Model
from causalablate.replay import Replay

COMMONEST = "commonest answer"
TYPE = "question_type"


def accuracies(models: Sequence[tuple[str, Model]], examples: ExampleSet, *, level: float = 0.95) -> pd.DataFrame:
    """Accuracy of each model (or of one model in each mode), overall and by question type.

    Args:
        models: Names and models.
        examples: What they answer.
        level: Two-sided coverage of the intervals.
    Returns:
        Columns answered_by, group, n, accuracy, low, high. The last `answered_by` is the commonest answer to each
        question type among these examples.
    """
    types = np.array([example.groups.get(TYPE, "") for example in examples])
    cluster = np.array([example.cluster for example in examples])
    correct = {
        name: Replay(model, examples, outcomes=["correct"]).factual(slice(0, len(examples)))["correct"]
        for name, model in models
    }
    correct[COMMONEST] = majority_correct([example.answer for example in examples], list(types))
    everyone = np.ones(len(types), dtype=bool)
    groups = {"all": everyone} | {kind: types == kind for kind in dict.fromkeys(types) if kind}
    rows = []
    for name, values in correct.items():
        for group, chosen in groups.items():
            share = accuracy_interval(values[chosen], cluster=list(cluster[chosen]), level=level)
            rows.append((name, group, share.n, share.value, share.low, share.high))
    return pd.DataFrame(rows, columns=["answered_by", "group", "n", "accuracy", "low", "high"])
