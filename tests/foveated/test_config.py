import pytest

from causalablate.errors import CheckpointError
from causalablate.foveated.config import FoveatedConfig
from causalablate.foveated.sizes import small_config


def test_round_trip_through_json(tmp_path):
    config = small_config(["red", "two"], mode="autoregressive", mean_budget=120.0)
    config.save_pretrained(tmp_path)
    again = FoveatedConfig.from_pretrained(tmp_path)
    assert again.to_dict() == config.to_dict()
    assert again.mode == "autoregressive" and again.vision_config.hidden_size == 96


def test_grid_follows_the_encoder():
    config = small_config(["red"])
    assert (config.canvas, config.grid, config.n_patches) == (48, 4, 16)


@pytest.mark.parametrize(
    ("switch", "value", "message"),
    [
        ("mode", "coarse_fien", "coarse_fine"),
        ("fusion", "add", "concat, cross_attention"),
        ("freeze", ["visoin"], "vision"),
        ("visual_tokens_per_frame", 0, "at least 1"),
        ("mean_budget", 30.0, "between min_budget"),
        ("detail_levels", [1.0, 0.5], "ascending"),
        ("connector_hidden", 0, "at least 1"),
        ("allocation_temperature", 0.0, "above 0"),
        ("allocation_top_k", 1, "between 2, the fewest patches that can take the 576 tokens .* and the 16"),
        ("allocation_top_k", 17, "the 16 patches"),
        ("image_repeats", 0, r"1 to n_frames \(2\) frames"),
        ("image_repeats", 3, r"1 to n_frames \(2\) frames"),
    ],
)
def test_a_bad_switch_is_refused_by_name(switch, value, message):
    with pytest.raises(CheckpointError, match=message) as caught:
        small_config(["red"], **{switch: value})
    assert switch in str(caught.value)


def test_vocabulary_must_fit_the_language_model():
    with pytest.raises(CheckpointError, match="vocab_size"):
        small_config(["red"], vocabulary_ids=[0, 1, 99])


def test_a_checkpoint_serves_the_modes_it_was_trained_for():
    assert small_config(["red"], mode="autoregressive").modes == ("coarse_only", "coarse_fine", "autoregressive")
    assert small_config(["red"], mode="multi_token").modes == ("multi_token",)
