"""Any decoder that transformers loads: its parts are found by the names that the library's decoders give them."""

from typing import Any

from torch import nn

from causalablate.errors import CheckpointError
from causalablate.models.pretrained.anatomy import Anatomy
from causalablate.models.pretrained.family import Pretrained
from causalablate.models.pretrained.inputs import question_only
from causalablate.models.pretrained.towers import Tower
from causalablate.models.transformer import llama_tails

OUT = (
    "self_attn.o_proj",  # Llama, Mistral, Qwen, Gemma, Phi-3, OLMo, Cohere, Mixtral
    "self_attn.out_proj",  # OPT
    "self_attn.dense",  # Phi
    "attn.c_proj",  # GPT-2, GPT-BigCode
    "attn.out_proj",  # GPT-J, MPT
    "attn.attention.out_proj",  # GPT-Neo
    "attention.dense",  # GPT-NeoX
    "self_attention.dense",  # Bloom, Falcon
)
"""Attention output projections, within a layer."""

MLP = (
    "mlp.dense_4h_to_h",  # Bloom, whose mlp adds the residual stream itself; Falcon, GPT-NeoX
    "mlp",
    "ffn.down_proj",  # MPT, likewise
    "fc2",  # OPT, where it sees (rows * length, width)
)
"""Where what the MLP adds to the residual stream comes out, within a layer."""

HIDING = ("mpt",)
"""Models whose attention mask marks what is hidden, not what is seen: an edge would be opened, not cut."""

EDGES = (("question", "answer"),)


def anatomy(module: Any) -> Anatomy:
    """The parts of a decoder with one stack of like layers.

    Raises:
        CheckpointError: There is no such stack.
    """
    path, layers, out, mlp = _stack(module)
    width = _width_in(layers[0].get_submodule(out))
    heads: int = module.config.num_attention_heads
    if any(_width_in(layer.get_submodule(out)) != width for layer in layers) or width % heads:
        raise _unknown(module, f"{path} has layers of several widths")
    attention = None if module.config.model_type in HIDING else out.rpartition(".")[0]
    tower = Tower(
        "lm",
        path,
        len(layers),
        heads,
        width // heads,
        out,
        mlp,
        attention=attention,
        edges=EDGES,
        tokens=True,
        flat_mlp=mlp == "fc2",
    )
    return Anatomy((tower,), tails=llama_tails(path.rpartition(".")[0], module.config, [(-1,)]))


def _stack(module: nn.Module) -> tuple[str, nn.ModuleList, str, str]:
    """Path and layers of the decoder, and where attention and MLP come out in each of them."""
    for path, layers in module.named_modules():
        if isinstance(layers, nn.ModuleList) and len(layers):
            out, mlp = _common(layers, OUT), _common(layers, MLP)
            if out is not None and mlp is not None:
                return path, layers, out, mlp
    raise _unknown(module, "it has no list of layers that all hold an attention output projection and an MLP")


def _common(layers: nn.ModuleList, names: tuple[str, ...]) -> str | None:
    known = [{name for name, _ in layer.named_modules()} for layer in layers]
    return next((name for name in names if all(name in inside for inside in known)), None)


def _width_in(projection: Any) -> int:
    """Width of what an output projection takes in; a `Conv1D` holds its weight transposed."""
    features = getattr(projection, "in_features", None)
    return int(projection.weight.shape[0] if features is None else features)


def _unknown(module: Any, why: str) -> CheckpointError:
    return CheckpointError(
        f"the parts of a {type(module).__name__} ({module.config.model_type}) are not known: {why}. Name them "
        "yourself: causalablate.wrap(module, components={...}, answers=...)"
    )


TEXT = Pretrained((), "AutoModelForCausalLM", anatomy, question_only)
"""Rows of the table name model types; this family takes every decoder that has no row."""
