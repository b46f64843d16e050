"""What a run trains on, as declared: digit scenes, a folder of examples, or a mixture of clips, stills and texts."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DigitsData(_Section):
    """Digit scenes, painted anew at every step."""

    kind: Literal["digits"] = "digits"

    @property
    def warm_up(self) -> bool:
        """Whether there is something for the encoder's warm-up to name."""
        return True


class FolderData(_Section):
    """A folder of examples.

    Attributes:
        path: The folder; in a file, relative to that file.
        split: Which part, of a set that has parts.
        limit: Use only the first so many.
    """

    kind: Literal["folder"]
    path: str = Field(min_length=1)
    split: str | None = Field(default=None, min_length=1)
    limit: int | None = Field(default=None, ge=2)

    @property
    def warm_up(self) -> bool:
        """Nothing is known of what the images show."""
        return False


class MixtureData(_Section):
    """Clips, stills and texts made of the scans; all examples of one step are of one kind.

    Attributes:
        video: Share of the steps that show clips of moving digits.
        image: Share of the steps that show single digit scenes.
        text: Share of the steps that only ask, on a blank image.
        clip_frames: Frames per clip; a turn needs three to be seen.
        image_repeats: Frames that a single image is shown as; 1: one look, nothing left to foveate.
    """

    kind: Literal["mixture"]
    video: float = Field(default=0.55, ge=0, le=1)
    image: float = Field(default=0.30, ge=0, le=1)
    text: float = Field(default=0.15, ge=0, le=1)
    clip_frames: int = Field(default=4, ge=3, le=16)
    image_repeats: int = Field(default=2, ge=1, le=16)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the steps by kind."""
        return {"video": self.video, "image": self.image, "text": self.text}

    @property
    def warm_up(self) -> bool:
        """The encoder warms up on digit scenes, whatever the shares."""
        return True

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "MixtureData":
        total = sum(self.shares.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"video, image and text are shares of the steps: they sum to {total:g}, not to 1")
        return self


DataSection = Annotated[DigitsData | FolderData | MixtureData, Field(discriminator="kind")]
"""What a run trains on, by its `kind`."""
