import numpy as np
import pytest

from causalablate.evaluation import COMMONEST, accuracies


def test_accuracies_are_shares_of_right_answers_by_model_and_type(model, make_model, examples):
    found = accuracies([("fine", model), ("coarse", make_model(mode="coarse_only"))], examples)
    assert list(dict.fromkeys(found["answered_by"])) == ["fine", "coarse", COMMONEST]
    everyone = found[found["group"] == "all"].set_index("answered_by")
    answers = model(**model.encode(examples)).logits.argmax(-1).tolist()
    right = [model.vocabulary[a] == e.answer for a, e in zip(answers, examples, strict=True)]
    assert everyone.loc["fine", "accuracy"] == pytest.approx(np.mean(right))
    assert (everyone["low"] <= everyone["accuracy"]).all() and (everyone["accuracy"] <= everyone["high"]).all()
    by_type = found[(found["answered_by"] == COMMONEST) & (found["group"] != "all")]
    assert by_type["n"].sum() == len(examples)
    count = [e.answer for e in examples if e.groups["question_type"] == "count"]
    expected = max(count.count(a) for a in count) / len(count)
    assert by_type.set_index("group").loc["count", "accuracy"] == pytest.approx(expected)
