"""Parts of tiny checkpoints: a tokenizer trained on the spot, image processors, examples that differ in length."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn
from transformers import CLIPImageProcessorPil, PreTrainedTokenizerFast

from causalablate.examples import Example, ExampleSet

QUESTIONS = (
    "What colour is the square?",
    "Is it red?",
    "How many digits are there in the second row of the picture, counting twice those that are red?",
    "Which digit is left of the square?",
    "Is there a green digit below the square, or is it to the right of it?",
)
ANSWERS = ("yes", "no", "red", "blue", "green", "7", "3")
CORPUS = [*QUESTIONS, *(f"It is {a}. {a}" for a in ANSWERS), "USER: ASSISTANT: user assistant \n"] * 4

CHAT = (
    "{% for m in messages %}{{ m['role'] }}: "
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}IMAGE\n{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def chat_template(image_token: str, start: str = "") -> str:
    """A chat template: `user: <images><question>`, then `assistant:`."""
    return start + CHAT.replace("IMAGE", image_token)


def tokenizer(*special: str, bos: bool = True, padding_side: str = "left", **roles: object) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of a few hundred tokens, beginning with `<pad>`, `<s>`, `</s>` and the special ones.

    Args:
        special: Further special tokens, in order of their ids from 3 on.
        bos: Whether `<s>` starts every text.
        padding_side: What the tokenizer does if nobody says otherwise.
        roles: Further arguments of the tokenizer, e.g. `extra_special_tokens={"image_token": "<image>"}`.
    """
    marks = ["<pad>", "<s>", "</s>", *special]
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=marks,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(CORPUS, trainer)
    if bos:
        core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        padding_side=padding_side,
        additional_special_tokens=list(special),
        **roles,
    )


def clip_images(size: int = 16) -> CLIPImageProcessorPil:
    """Square images of this many pixels."""
    return CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size})


def examples(
    n: int = 4, *, n_images: int = 1, size: tuple[int, int] = (20, 20), sizes: list[tuple[int, int]] | None = None
) -> ExampleSet:
    """Noise images with questions of unequal length.

    Args:
        n: How many.
        n_images: Images of each.
        size: Height and width of the images.
        sizes: One size per example instead.
    """
    rng = np.random.default_rng(0)
    made = []
    for i in range(n):
        shape = (*(size if sizes is None else sizes[i % len(sizes)]), 3)
        images = tuple(rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(n_images))
        made.append(Example(f"e{i}", images, QUESTIONS[i % len(QUESTIONS)], ANSWERS[i % len(ANSWERS)]))
    return ExampleSet("tiny", tuple(made))


def llama_config(vocabulary: int, model_type: str = "llama") -> dict[str, object]:
    """Config of a language model of Llama's build: 2 layers, 4 heads that share 2 keys and values."""
    return {
        "model_type": model_type,
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def spread(model: nn.Module) -> nn.Module:
    """The model with matrices of the size that training gives, and nothing zero: each part reaches the output."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim >= 2:
                parameter.normal_(std=parameter[0].numel() ** -0.5)
            elif not parameter.any():
                parameter.normal_(std=0.1)
    return model


def save_processor(path: Path, name: str, images: Any, words: PreTrainedTokenizerFast, **settings: object) -> None:
    """Write a processor part by part, as of a class that cannot be built where torchvision is missing."""
    images.save_pretrained(path)
    words.save_pretrained(path)
    (path / "processor_config.json").write_text(json.dumps({"processor_class": name, **settings}))
