"""Pixtral's processor where torchvision is missing: transformers does not even import its own there."""

from typing import Any

from transformers import ProcessorMixin


class PixtralProcessorImages(ProcessorMixin):
    """The same prompts and pixels, by Pillow: rows of `[IMG]`, each closed by `[IMG_BREAK]`, the last by `[IMG_END]`.

    Args:
        image_processor: Cuts images into whole cells.
        tokenizer: Knows the three tokens.
        patch_size: Pixels of a patch.
        spatial_merge_size: Patches of a cell, along each side; a cell is one position of the prompt.
        chat_template: Of the checkpoint.
        image_token: Stands for a cell, and in a prompt for an image.
        image_break_token: Closes a row.
        image_end_token: Closes an image.
    """

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        patch_size: int = 16,
        spatial_merge_size: int = 1,
        chat_template: str | None = None,
        image_token: str = "[IMG]",
        image_break_token: str = "[IMG_BREAK]",
        image_end_token: str = "[IMG_END]",
    ):
        super().__init__(image_processor, tokenizer, chat_template=chat_template)
        self.patch_size, self.spatial_merge_size = patch_size, spatial_merge_size
        self.image_token, self.image_break_token, self.image_end_token = image_token, image_break_token, image_end_token
        self.image_token_id, self.image_break_token_id, self.image_end_token_id = (
            tokenizer.convert_tokens_to_ids(token) for token in (image_token, image_break_token, image_end_token)
        )

    @property
    def image_token_ids(self) -> list[int]:
        """Ids of all that an image puts into a prompt."""
        return [self.image_token_id, self.image_break_token_id, self.image_end_token_id]

    @property
    def model_input_names(self) -> list[str]:
        """What the model takes."""
        return [*self.tokenizer.model_input_names, *self.image_processor.model_input_names, "image_sizes"]

    def _process_images(self, images: Any, **options: Any) -> Any:
        options["patch_size"] = self.patch_size * self.spatial_merge_size
        return super()._process_images(images, **options)

    def replace_image_token(self, image_inputs: dict[str, Any], image_idx: int, **_: Any) -> str:
        """What stands in the prompt for one image."""
        cell = self.patch_size * self.spatial_merge_size
        rows, columns = (int(side) // cell for side in image_inputs["image_sizes"][image_idx])
        row = self.image_token * columns
        return self.image_break_token.join([row] * rows) + self.image_end_token
