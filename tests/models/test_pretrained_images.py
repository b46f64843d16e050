import numpy as np
import torch
from PIL import Image
from transformers import PixtralImageProcessorPil

from causalablate.models.pretrained.images import by_count, by_last_run, by_run, by_share, runs
from causalablate.models.pretrained.pixtral import PixtralProcessorImages
from tests.families import tiny

IMAGE = 9


def numbers(row):
    return torch.tensor([row])


def test_every_run_is_an_image():
    ids = torch.tensor([[IMAGE, IMAGE, 1, IMAGE, 2], [0, 0, IMAGE, IMAGE, IMAGE]])
    expected = torch.tensor([[0, 0, -1, 1, -1], [-1, -1, 0, 0, 0]])
    assert torch.equal(by_run(ids == IMAGE), expected)
    assert torch.equal(runs(IMAGE)({"input_ids": ids}), expected)


def test_tiles_belong_to_the_whole_image_behind_them():
    """Token 5 and 6 stand before tiles, 7 before a whole image."""
    ids = numbers([0, 5, IMAGE, 6, IMAGE, 7, IMAGE, 1, 7, IMAGE, 5, IMAGE, 7, IMAGE, 2])
    expected = numbers([-1, -1, 0, -1, 0, -1, 0, -1, -1, 1, -1, 2, -1, 2, -1])
    assert torch.equal(by_last_run(ids == IMAGE, ids), expected)


def test_a_row_without_images_has_none():
    ids = torch.tensor([[1, 2, 3], [7, IMAGE, 1]])
    assert torch.equal(by_last_run(ids == IMAGE, ids), torch.tensor([[-1, -1, -1], [-1, 0, -1]]))
    assert torch.equal(by_run(ids == IMAGE), torch.tensor([[-1, -1, -1], [-1, 0, -1]]))


def test_images_are_counted_from_the_first_of_each_row():
    ids = torch.tensor([[IMAGE, IMAGE, 1, IMAGE], [1, 1, IMAGE, IMAGE]])
    expected = torch.tensor([[0, 0, -1, 1], [-1, -1, 0, 1]])
    assert torch.equal(by_count(ids == IMAGE, torch.tensor([2, 1, 1, 1])), expected)


def test_images_of_equal_shares():
    ids = torch.tensor([[IMAGE, IMAGE, IMAGE, IMAGE, 1], [1, IMAGE, IMAGE, 2, 3]])
    assert torch.equal(by_share(ids == IMAGE, 2), torch.tensor([[0, 0, 1, 1, -1], [-1, 0, 1, -1, -1]]))
    assert torch.equal(by_share(ids == 7, 2), torch.full_like(ids, -1))


def test_an_image_of_pixtral_is_rows_of_cells():
    """Checked once against the processor of transformers, which needs torchvision."""
    words = tiny.tokenizer("[IMG]", "[IMG_BREAK]", "[IMG_END]", bos=False)
    pixels = PixtralImageProcessorPil(size={"longest_edge": 24}, patch_size={"height": 8, "width": 8})
    processor = PixtralProcessorImages(pixels, words, patch_size=4, spatial_merge_size=2)
    image = Image.fromarray(np.zeros((20, 40, 3), dtype=np.uint8))
    inputs = processor(images=[[image]], text=["x[IMG]y"], return_tensors="pt")
    assert inputs["image_sizes"].tolist() == [[16, 24]]
    row = "[IMG][IMG][IMG]"
    expected = f"x{row}[IMG_BREAK]{row}[IMG_END]y"
    assert words.decode(inputs["input_ids"][0]).replace(" ", "") == expected
    assert inputs["pixel_values"].shape == (1, 3, 16, 24)
    assert processor.image_token_ids == words.convert_tokens_to_ids(["[IMG]", "[IMG_BREAK]", "[IMG_END]"])
    assert {"input_ids", "pixel_values", "image_sizes"} <= set(processor.model_input_names)
