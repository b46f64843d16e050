import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import Dinov2Config, Dinov2Model, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from causalablate.errors import CheckpointError
from causalablate.examples import digits
from causalablate.examples.questions import WORDS
from causalablate.foveated.backbones import from_backbones
from causalablate.foveated.encoding import encode
from causalablate.foveated.model import FoveatedVLM


@pytest.fixture
def backbones(tmp_path):
    torch.manual_seed(0)
    vision = Dinov2Config(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=3, image_size=42, patch_size=14, mlp_ratio=2
    )
    text = LlamaConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=60,
        tie_word_embeddings=True,
    )
    encoder, lm = Dinov2Model(vision), LlamaForCausalLM(text)
    encoder.save_pretrained(tmp_path / "dino")
    lm.save_pretrained(tmp_path / "lm")
    return tmp_path, encoder, lm


def test_both_backbones_are_loaded_and_answer(backbones):
    path, encoder, lm = backbones
    model = from_backbones(path / "dino", path / "lm", WORDS, coupling_size=8)
    for name, value in encoder.state_dict().items():
        assert torch.equal(model.vision.dinov2.state_dict()[name], value), name
    assert torch.equal(model.lm.model.layers[1].mlp.up_proj.weight, lm.model.layers[1].mlp.up_proj.weight)
    assert torch.equal(model.lm.lm_head.weight, lm.lm_head.weight)
    output = model(**encode(digits(4), model.config))
    assert output.logits.shape == (4, len(WORDS) + 2) and torch.isfinite(output.loss)


def test_another_canvas_interpolates_positions(backbones, tmp_path):
    path, encoder, _ = backbones
    model = from_backbones(path / "dino", path / "lm", WORDS, canvas=56)
    assert model.config.n_patches == 16
    positions = model.vision.dinov2.embeddings.position_embeddings
    assert positions.shape == (1, 17, 24)
    assert torch.equal(positions[:, 0], encoder.embeddings.position_embeddings[:, 0])
    model.save_pretrained(tmp_path / "whole")
    inputs = encode(digits(2), model.config)
    assert torch.equal(FoveatedVLM.from_pretrained(tmp_path / "whole")(**inputs).logits, model.eval()(**inputs).logits)


def test_words_use_the_tokens_of_the_language_model(backbones):
    path, _, lm = backbones
    vocabulary = {"<end>": 0, **{f"Ġ{word}": 59 - i for i, word in enumerate(WORDS)}}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<end>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(path / "lm")
    model = from_backbones(path / "dino", path / "lm", WORDS)
    assert model.config.vocabulary_ids == [0, 0, *(59 - i for i in range(len(WORDS)))]
    inputs = encode(digits(2), model.config)
    seen = []
    model.sequence.fine.register_forward_hook(lambda module, args, output: seen.append(output))
    model(**inputs)
    last_word = inputs["input_ids"][0, -1]
    assert torch.equal(seen[0][0, 9], lm.model.embed_tokens.weight[59 - (last_word - 2)])


def test_a_missing_or_swapped_directory_is_named(backbones):
    path, _, _ = backbones
    with pytest.raises(CheckpointError, match="nowhere"):
        from_backbones(path / "nowhere", path / "lm", WORDS)
    with pytest.raises(CheckpointError, match="model_type is 'llama'; it must be \"dinov2\""):
        from_backbones(path / "lm", path / "dino", WORDS)
    with pytest.raises(CheckpointError, match="multiple of the patch size"):
        from_backbones(path / "dino", path / "lm", WORDS, canvas=50)
