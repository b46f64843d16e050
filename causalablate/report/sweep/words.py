"""What the metrics of a training run are called, counted in, and which way is better."""

from collections.abc import Mapping

from causalablate.report.words import OutcomeWords

MODE = "accuracy.mode."
"""Prefix of the accuracies of the modes that a model can run in."""
KIND = "accuracy.kind."
"""Prefix of the accuracies by kind of example, such as video and text."""
TYPE = "accuracy."
"""Prefix of the accuracies by question type."""
INTERNAL = (
    "val_loss", "loss_fine", "loss_coarse", "loss_ratio", "feature_similarity", "attention_entropy", "accuracy_coarse",
)  # fmt: skip
"""Metrics of the last evaluation that have a table of their own, in its order."""


def _value(name: str, title: str, unit: str, better: int = 0) -> OutcomeWords:
    return OutcomeWords(name, title, unit, unit, 1.0, better)


def _share(name: str, title: str) -> OutcomeWords:
    return OutcomeWords(name, title, "points", "%", 100.0, 1)


METRICS: Mapping[str, OutcomeWords] = {
    words.name: words
    for words in (
        _share("accuracy", "Accuracy"),
        _share("accuracy_coarse", "Accuracy of the coarse pass"),
        _value("val_loss", "Validation loss", "nats", -1),
        _value("train_loss", "Training loss", "nats", -1),
        _value("loss_fine", "Loss of the fine pass", "nats", -1),
        _value("loss_coarse", "Loss of the coarse pass", "nats", -1),
        _value("loss_ratio", "Loss ratio", "fine / coarse"),
        _value("feature_similarity", "Feature similarity of the two passes", "cosine"),
        _value("attention_entropy", "Attention entropy of the allocation", "nats"),
        _value("grad_norm", "Gradient norm", "norm"),
    )
}


def metric_words(name: str) -> OutcomeWords:
    """Words of one metric; one that this file does not know keeps its own name, and no direction is better."""
    if name in METRICS:
        return METRICS[name]
    if name.startswith(MODE):
        return _share(name, f"Accuracy in mode {name.removeprefix(MODE)}")
    if name.startswith(KIND):
        return _share(name, f"Accuracy on examples of kind {name.removeprefix(KIND)}")
    if name.startswith(TYPE):
        return _share(name, f"Accuracy on {name.removeprefix(TYPE).replace('_', ' ')}")
    if name.startswith("learning_rate."):
        return _value(name, f"Learning rate of {name.removeprefix('learning_rate.')}", "per step")
    return _value(name, name.replace("_", " "), "units of the metric")
