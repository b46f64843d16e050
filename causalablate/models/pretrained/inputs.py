"""Examples as prompts with images: what a checkpoint's processor makes of them, padded on the left."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from causalablate.errors import ExampleError
from causalablate.examples import Example

Prompt = Callable[[Any, str, int], str]
"""(processor, question, number of images) -> the prompt, image placeholders included."""

Complete = Callable[[nn.Module, dict[str, Any]], dict[str, Any]]
"""(the model, inputs as the processor gives them) -> inputs as the model needs them."""


def unchanged(module: nn.Module, inputs: dict[str, Any]) -> dict[str, Any]:
    """The processor gives all that the model needs."""
    return inputs


def image_first(processor: Any, question: str, n_images: int) -> str:
    """The images, one below the other, then the question: where a checkpoint brings no chat template."""
    return f"{getattr(processor, 'image_token', '<image>')}\n" * n_images + question


def question_only(processor: Any, question: str, n_images: int) -> str:
    """The question as it stands: for models that do not look."""
    return question


def tokenizer_of(processor: Any) -> Any:
    """The tokenizer in a processor, or the tokenizer that stands in its place."""
    return getattr(processor, "tokenizer", processor)


def render(processor: Any, prompt: Prompt, example: Example, n_images: int) -> str:
    """The text of one example's prompt: by the checkpoint's chat template if it has one, else by `prompt`."""
    if not getattr(processor, "chat_template", None):
        return prompt(processor, example.question, n_images)
    content: Any = [{"type": "image"}] * n_images + [{"type": "text", "text": example.question}]
    if processor is tokenizer_of(processor):
        content = example.question
    turn = [{"role": "user", "content": content}]
    text: str = processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
    return text


def tokens_and_pixels(processor: Any, texts: Sequence[str], examples: Sequence[Example]) -> dict[str, Any]:
    """Run the processor on a batch: `input_ids` and what else the model takes, padded on the left.

    On the left, so that the position that answers is the last one in every row. Every row is padded by one position at
    least: without padding transformers leaves the attention mask out and computes by another kernel, and an example's
    outcome would depend, in its last bits, on whether the rows beside it are as long.
    """
    options: dict[str, Any] = {"padding": True, "return_tensors": "pt", "padding_side": "left"}
    start = tokenizer_of(processor).bos_token
    if start and all(text.startswith(start) for text in texts):
        options["add_special_tokens"] = False  # the template wrote it; a second one would be another prompt
    if processor is tokenizer_of(processor):
        return _with_padding(dict(processor(list(texts), **options)), processor)
    images = [[Image.fromarray(image) for image in example.images] for example in examples]
    return _with_padding(dict(processor(images=images, text=list(texts), **options)), processor)


_ALONG_TEXT = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "cross_attention_mask")


def _with_padding(inputs: dict[str, Any], processor: Any) -> dict[str, Any]:
    """One more position of padding in front."""
    for name in _ALONG_TEXT:
        if name in inputs:
            x = inputs[name]
            fill = tokenizer_of(processor).pad_token_id if name == "input_ids" else 0
            inputs[name] = torch.cat((torch.full_like(x[:, :1], fill), x), dim=1)
    return inputs


def positions(attention_mask: Tensor) -> Tensor:
    """Position of each token among those that are not padding, shape (rows, length); padding stands at 0."""
    return (attention_mask.long().cumsum(-1) - 1).clamp(min=0)


def first_tokens(processor: Any, texts: Sequence[str], examples: Sequence[Example]) -> Tensor:
    """Id of the first token of each true answer as it follows its prompt, shape (rows,).

    A space stands between them unless the prompt is empty, or ends in white space or in a special token.

    Raises:
        ExampleError: An answer has no token, or two different answers begin with the same one.
    """
    tokenizer, found = tokenizer_of(processor), [*zip(texts, examples, strict=True)]
    ids = [answer_tokens(tokenizer, text, example.answer)[0] for text, example in found]
    seen: dict[int, str] = {}
    for token, example in zip(ids, examples, strict=True):
        if seen.setdefault(token, example.answer) != example.answer:
            both = f'"{seen[token]}" and "{example.answer}"'
            raise ExampleError(
                f"the answers {both} begin with the same token, {tokenizer.convert_ids_to_tokens(token)!r}, so the "
                "first token does not tell them apart. Give answers that differ from the start, or compare whole "
                "answers: by generation under the lesion, or as multiple choice"
            )
    return torch.tensor(ids)


def answer_tokens(tokenizer: Any, text: str, answer: str) -> list[int]:
    """Ids of an answer's tokens as they follow a prompt.

    Raises:
        ExampleError: The answer has no token.
    """
    before = tokenizer(text, add_special_tokens=False)["input_ids"]
    special = bool(before) and before[-1] in tokenizer.all_special_ids
    spaced = answer if special or not text or text[-1:].isspace() else f" {answer}"
    whole = tokenizer(text + spaced, add_special_tokens=False)["input_ids"]
    # Where the answer's first letters merge with the end of the prompt, its own tokens are what a model would say.
    after = whole[len(before) :] if whole[: len(before)] == before else []
    after = after or tokenizer(answer, add_special_tokens=False)["input_ids"]
    if not after:
        raise ExampleError(f"the answer {answer!r} has no token; give it a text")
    return [int(token) for token in after]
