"""BLIP-2 and InstructBLIP: queries of a Q-Former look at the image; what they find stands before the question."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site
from causalablate.errors import CheckpointError, ExampleError
from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.inputs import positions
from causalablate.models.pretrained.towers import EDGES, Tower
from causalablate.models.transformer import llama_tails, llama_tower

_LAYERS = "qformer.encoder.layer"


def anatomy(module: nn.Module) -> Anatomy:
    """The parts of a `Blip2ForConditionalGeneration` or an `InstructBlipForConditionalGeneration`.

    `qformer.queries.Q` is query Q as it enters the Q-Former; `qformer.outputs.Q` is what it hands to the language
    model, after the projection. Q-Former layers, heads and MLPs are what they do to the queries.

    Raises:
        CheckpointError: Its language model is an encoder-decoder other than T5, or it does not say where the image
            stands.
    """
    config: Any = module.config
    if not config.use_decoder_only_language_model and config.text_config.model_type != "t5":
        raise CheckpointError(
            f"this checkpoint answers with an encoder-decoder ({config.text_config.model_type}); of {config.model_type}"
            " only those with T5 or a decoder are known. Name the parts yourself: "
            "causalablate.wrap(module, components={...})"
        )
    if config.image_token_id is None:
        raise CheckpointError(
            "config.json has no image_token_index, so the language model would answer without the image; take the "
            "checkpoint's current version, or set it to the id of its <image> token"
        )
    vision = config.vision_config
    heads = vision.num_attention_heads
    # BLIP-2 normalises the queries as they enter; InstructBLIP does so together with the words of the question.
    entry = "qformer.embeddings" if hasattr(module.qformer, "embeddings") else "qformer.layernorm"
    return Anatomy(
        towers=(
            Tower(
                "vision",
                "vision_model.encoder.layers",
                vision.num_hidden_layers,
                heads,
                vision.hidden_size // heads,
                "self_attn.projection",
                "mlp",
            ),
            *_language(config.text_config),
        ),
        extra=(
            *_queries("queries", entry, config.num_query_tokens),
            *_qformer(config),
            Component("connector", "connector", (Site("language_projection"),)),
            *_queries("outputs", "language_projection", config.num_query_tokens),
        ),
        image_token=config.image_token_id,
        tails=_tails(config.text_config),
        decoder=not config.use_decoder_only_language_model,
    )


def _language(config: Any) -> tuple[Tower, ...]:
    if config.model_type == "t5":
        return _t5(config)
    if config.model_type != "opt":
        return (llama_tower("lm", "language_model.model", config, EDGES),)
    heads, layers = config.num_attention_heads, "language_model.model.decoder.layers"
    opt = Tower(
        "lm",
        layers,
        config.num_hidden_layers,
        heads,
        config.hidden_size // heads,
        "self_attn.out_proj",
        "fc2",
        attention="self_attn",
        tokens=True,
        flat_mlp=True,
    )
    return (opt,)


def _t5(config: Any) -> tuple[Tower, Tower]:
    """`lm.encoder` reads the prompt; `lm` is the decoder, which has one position, and looks at it by cross-attention.

    The first layer of each hands its position biases on beside its activations, where no lesion of it reaches.
    """
    attention, mlp = "layer.0.SelfAttention.o", "layer.{}.DenseReluDense"
    shape = (config.num_heads, config.d_kv, attention)
    return (
        Tower("lm.encoder", "language_model.encoder.block", config.num_layers, *shape, mlp.format(1), tokens=True),
        Tower(
            "lm",
            "language_model.decoder.block",
            config.num_decoder_layers,
            *shape,
            mlp.format(2),
            cross="layer.1.EncDecAttention.o",
        ),
    )


def _tails(config: Any) -> Any:
    return () if config.model_type in ("opt", "t5") else llama_tails("language_model.model", config, [(-1,)])


def _queries(name: str, place: str, n_queries: int) -> Iterator[Component]:
    for q in range(n_queries):
        site = Site(place, positions=(q, q + 1))
        yield Component(f"qformer.{name}.{q}", "query", (site,), "qformer")


def _qformer(config: Any) -> Iterator[Component]:
    """Layers normalise behind each addition, so what a head, an MLP or a cross-attention adds is a dense layer's work.

    Words of the question, which InstructBLIP puts behind the queries, are padded and differ in number; of them no
    component is made.
    """
    queries, settings = (0, config.num_query_tokens), config.qformer_config
    for i in range(settings.num_hidden_layers):
        address, layer = f"qformer.layers.{i}", f"{_LAYERS}.{i}"
        yield Component(address, "layer", (Site(layer, "delta", positions=queries),), "qformer")
        yield from _heads(address, f"{layer}.attention.output.dense", queries, settings)
        if i % settings.cross_attention_frequency == 0:
            cross = f"{layer}.crossattention.output.dense"
            yield Component(f"{address}.cross", "cross", (Site(cross, positions=queries),), "qformer")
            yield from _heads(f"{address}.cross", cross, queries, settings)
        mlp = Site(f"{layer}.output_query.dense", positions=queries)
        yield Component(f"{address}.mlp", "mlp", (mlp,), "qformer")


def _heads(address: str, dense: str, queries: tuple[int, int], settings: Any) -> Iterator[Component]:
    width = settings.hidden_size // settings.num_attention_heads
    for h in range(settings.num_attention_heads):
        site = Site(dense, "input", (h * width, (h + 1) * width), positions=queries)
        yield Component(f"{address}.heads.{h}", "head", (site,), "qformer")


def _prompt(template: str, processor: Any, question: str, n_images: int) -> str:
    """The question alone: the processor itself puts the queries before it.

    Raises:
        CheckpointError: It would put none.
        ExampleError: There is more than one image.
    """
    if processor.num_query_tokens is None:
        raise CheckpointError(
            "processor_config.json has no num_query_tokens, so the language model would answer without the image; take "
            "the checkpoint's current version, or set it to num_query_tokens of config.json"
        )
    if n_images != 1:
        raise ExampleError(f"this model looks at one image at a time, and an example has {n_images}; give it one frame")
    return template.format(question)


def complete(module: nn.Module, inputs: dict[str, Any]) -> dict[str, Any]:
    """Say where each token stands, ask for the last position only, and pad the Q-Former's words on the right.

    Padding lies between image and question, and the Q-Former numbers its words from the first one on: left as they are,
    both would move with the padding. T5 cannot be told where a token stands, and counts the positions between two; so
    its padding goes before the image.
    """
    config: Any = module.config
    if config.use_decoder_only_language_model:
        found = inputs | {"position_ids": positions(inputs["attention_mask"]), "logits_to_keep": 1}
    else:
        found = inputs | _encoded(inputs, config.text_config)
    if "qformer_attention_mask" in inputs:
        mask: Tensor = inputs["qformer_attention_mask"]
        order = mask.argsort(dim=1, descending=True, stable=True)
        for name in ("qformer_input_ids", "qformer_attention_mask"):
            words = inputs[name].gather(1, order)
            found[name] = torch.cat((words, torch.zeros_like(words[:, :1])), dim=1)
    return found


def _encoded(inputs: dict[str, Any], config: Any) -> dict[str, Any]:
    """The prompt with nothing between its tokens, and the one token from which the decoder begins to answer."""
    order = inputs["attention_mask"].argsort(dim=1, stable=True)
    found = {name: inputs[name].gather(1, order) for name in ("input_ids", "attention_mask")}
    start = getattr(config, "decoder_start_token_id", None)
    start = config.pad_token_id if start is None else start
    return found | {"decoder_input_ids": torch.full_like(found["input_ids"][:, :1], start)}


BLIP2 = Pretrained(
    ("blip-2",), "AutoModelForImageTextToText", anatomy, partial(_prompt, "Question: {} Answer:"), complete=complete
)
INSTRUCTBLIP = Pretrained(
    ("instructblip",), "AutoModelForImageTextToText", anatomy, partial(_prompt, "{}"), complete=complete
)
