"""A tiny BLIP-2 that answers with T5: its encoder reads queries and question, its decoder answers."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch import nn
from transformers import Blip2Config, Blip2ForConditionalGeneration, Blip2Processor, BlipImageProcessorPil, T5Tokenizer

from tests.families import tiny
from tests.families.blip2 import QFORMER, VISION

NAME = "blip2_t5"


def words() -> T5Tokenizer:
    """Pieces of words as T5 has them: `▁` stands before each word, `</s>` behind every text, and nothing before it."""
    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    trainer = trainers.UnigramTrainer(
        vocab_size=200,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        initial_alphabet=list("0123456789abcdefghijklmnopqrstuvwxyz"),
        show_progress=False,
    )
    core.train_from_iterator(tiny.CORPUS, trainer)
    pieces = [core.id_to_token(i) for i in range(core.get_vocab_size())]
    return T5Tokenizer(vocab=[(piece, -float(i > 2)) for i, piece in enumerate(pieces)], extra_ids=0)


def t5_config(vocabulary: int) -> dict[str, object]:
    """Config of a T5 of version 1.1's build, whose heads together are wider than its layers: 2 layers and 3."""
    return {
        "model_type": "t5",
        "vocab_size": vocabulary,
        "d_model": 32,
        "d_kv": 12,
        "d_ff": 48,
        "num_layers": 2,
        "num_decoder_layers": 3,
        "num_heads": 4,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
        "decoder_start_token_id": 0,
    }


def spread(model: nn.Module) -> nn.Module:
    """As `tiny.spread`, with smaller queries: T5 does not scale its dot products, its training scales these weights."""
    tiny.spread(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("Attention.q.weight"):
                parameter.mul_(12**-0.5)
    return model


def build(path: Path) -> None:
    """Write the checkpoint."""
    images = BlipImageProcessorPil(size={"height": 16, "width": 16})
    processor = Blip2Processor(images, words(), num_query_tokens=3)
    config = Blip2Config(
        vision_config=dict(VISION),
        qformer_config=dict(QFORMER),
        text_config=t5_config(len(processor.tokenizer)),
        num_query_tokens=3,
        image_token_index=processor.tokenizer.convert_tokens_to_ids("<image>"),
    )
    torch.manual_seed(0)
    spread(Blip2ForConditionalGeneration(config)).save_pretrained(path)
    processor.save_pretrained(path)
