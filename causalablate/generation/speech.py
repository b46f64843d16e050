"""Between tokens and text: the tokenizer of a model that generates."""

from collections.abc import Sequence
from typing import Any

from causalablate.errors import LesionError
from causalablate.examples import Example
from causalablate.models import Model
from causalablate.models.pretrained.inputs import answer_tokens, tokenizer_of


def tokenizer(model: Model) -> Any:
    """The tokenizer of a model's checkpoint.

    Raises:
        LesionError: The model has none: it answers with one word of its own vocabulary.
    """
    processor = getattr(model.adapter, "processor", None)
    if processor is None:
        raise LesionError(
            f"{type(model.module).__name__} has no tokenizer to write text with: it answers in one word. Use "
            "counterfactuals() for it"
        )
    return tokenizer_of(processor)


def text_of(model: Model, tokens: Sequence[int]) -> str:
    """What tokens say, without special tokens and without white space around it."""
    text: str = tokenizer(model).decode(list(tokens), skip_special_tokens=True)
    return text.strip()


def tokens_of(model: Model, examples: Sequence[Example], answers: Sequence[str]) -> list[list[int]]:
    """Ids of the tokens of each answer as it follows its example's prompt.

    Raises:
        ExampleError: An answer has no token.
    """
    words = tokenizer(model)
    prompts = model.adapter.texts(model.module, examples)  # type: ignore[attr-defined]
    return [answer_tokens(words, prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]


def ending_tokens(model: Model) -> frozenset[int]:
    """Tokens that end an answer: what the generation config says, else the config, else the tokenizer."""
    config = getattr(model.module, "config", None)
    said_by = (getattr(model.module, "generation_config", None), config, getattr(config, "text_config", None))
    for source in (*said_by, tokenizer(model)):
        if (ids := getattr(source, "eos_token_id", None)) is not None:
            return frozenset(ids if isinstance(ids, list | tuple) else (ids,))
    return frozenset()
