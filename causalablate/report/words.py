"""What outcomes are called, counted in, and which way is better: the words of tables, figures and pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SIGN = "effect = counterfactual − factual"
PRIMARY = ("correct", "answer_logprob")
FALLBACK_KIND = "other"


@dataclass(frozen=True)
class OutcomeWords:
    """How one outcome is shown.

    Attributes:
        name: Name in the table of effects.
        title: What a reader calls it.
        unit: Unit of the effect after scaling.
        level_unit: Unit of the value itself after scaling.
        scale: Factor from the stored unit to the shown one (100 for shares, shown in points).
        better: 1 when more is better, -1 when less is, 0 when a change is neither.
    """

    name: str
    title: str
    unit: str
    level_unit: str
    scale: float = 1.0
    better: int = 0

    @property
    def is_share(self) -> bool:
        """Whether the outcome is a share of examples, shown in percent."""
        return self.scale == 100.0

    @property
    def phrase(self) -> str:
        """The title inside a sentence: its first letter small unless it begins an acronym."""
        return self.title if self.title[1:2].isupper() else self.title[:1].lower() + self.title[1:]

    @property
    def axis(self) -> str:
        """Axis label of an effect, with its unit and the sign convention."""
        return f"effect on {self.phrase}, {self.unit} (counterfactual − factual)"


def _share(name: str, title: str, better: int) -> OutcomeWords:
    return OutcomeWords(name, title, "points", "%", 100.0, better)


def _value(name: str, title: str, unit: str, better: int) -> OutcomeWords:
    return OutcomeWords(name, title, unit, unit, 1.0, better)


OUTCOMES: Mapping[str, OutcomeWords] = {
    words.name: words
    for words in (
        _share("correct", "Accuracy", 1),
        _share("correct_coarse", "Accuracy of the coarse pass", 1),
        _share("predicted_answer", "Share of answers changed", 0),
        _share("correct_per_token", "Accuracy by log-probability per token", 1),
        _share("generated_text", "Share of texts changed", 0),
        _share("chosen_answer", "Share of choices changed", 0),
        _value("n_tokens", "Length of the answer", "tokens", 0),
        _value("answer_logprob_per_token", "Log-probability of the true answer per token", "nats", 1),
        _value("answer_margin", "Margin of the true answer over the best other", "nats", 1),
        _value("answer_logprob", "Log-probability of the true answer", "nats", 1),
        _value("logit_difference", "Logit difference", "logits", 1),
        _value("loss", "Loss", "nats", -1),
        _value("loss_fine", "Loss of the fine pass", "nats", -1),
        _value("loss_coarse", "Loss of the coarse pass", "nats", -1),
        _value("kl_to_factual", "KL divergence from the factual answer", "nats", 0),
    )
}


def outcome_words(name: str) -> OutcomeWords:
    """Words of one outcome; an outcome this file does not know keeps its own name and unit."""
    return OUTCOMES.get(name) or _value(name, name.replace("_", " "), "units of the outcome", 0)


def primary_outcome(names: Iterable[str]) -> str:
    """The outcome a report leads with: accuracy if it was measured, else the first listed."""
    known = list(names)
    return next((name for name in PRIMARY if name in known), known[0])


KINDS: Mapping[str, str] = {
    "layer": "Layers",
    "head": "Attention heads",
    "mlp": "MLPs",
    "query": "Query tokens",
    "pass": "Passes",
    "scorer": "Relevance scorers",
    "gate": "Opponent gates",
    "allocator": "Token allocator",
    "texture": "Texture channels",
    "connector": "Connector",
    "tokens": "Token positions",
    "edge": "Attention edges",
    "residual": "Residual stream",
}


def kind_title(kind: str) -> str:
    """A component kind as a heading; kinds joined by ` + ` give their titles joined by `and`."""
    parts = [KINDS.get(part, part.replace("_", " ")) for part in kind.split(" + ")]
    text = " and ".join([parts[0], *(p if p[1:2].isupper() else p[:1].lower() + p[1:] for p in parts[1:])])
    return text[:1].upper() + text[1:]


def group_label(group: str) -> str:
    """The readable part of a group key: `question_type=location` is `location`."""
    return (group.partition("=")[2] or group).replace("_", " ")
