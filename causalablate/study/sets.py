"""Example sets as a study names them: one spec per row of `EXAMPLE_SETS`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from causalablate.examples import ExampleSet


class _MadeSpec(BaseModel):
    """A set that is made on the spot.

    Attributes:
        n: Number of examples.
        split: Which scans they are made of; no scan is in two splits.
        seed: Seed of the canvases, the questions and the pixel noise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    n: int = Field(default=512, ge=1, le=1_000_000)
    split: Literal["test", "validation", "train"] = "test"
    seed: int = Field(default=0, ge=0)

    def at(self, folder: Path) -> Self:
        """The same: it names no path."""
        return self

    @property
    def default_reference(self) -> Self:
        """512 examples of another split, so that no example is its own reference."""
        split = "train" if self.split == "validation" else "validation"
        return self.model_copy(update={"n": 512, "split": split, "seed": 0})

    def load(self) -> "ExampleSet":
        """Make the examples."""
        from causalablate.examples import EXAMPLE_SETS

        return EXAMPLE_SETS[self.kind](**self.model_dump(exclude={"kind"}))


class DigitsSpec(_MadeSpec):
    """Scanned digits on coloured canvases, two frames: with the cue, then without it."""

    kind: Literal["digits"] = "digits"


class ClipsSpec(_MadeSpec):
    """Clips of moving digits.

    Attributes:
        frames: Frames per clip.
    """

    kind: Literal["clips"]
    frames: int = Field(default=4, ge=3, le=64)


class StillsSpec(_MadeSpec):
    """Digit scenes as single images."""

    kind: Literal["stills"]


class TextsSpec(_MadeSpec):
    """Questions that need no image, on a blank one."""

    kind: Literal["texts"]


class FolderSpec(BaseModel):
    """A local folder of images with `examples.jsonl`, or with easy-VQA or NLVR.

    Attributes:
        path: The folder; in a study file, relative to that file.
        split: Which part, of a set that has parts.
        limit: Use only the first so many.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["folder"]
    path: str = Field(min_length=1)
    split: str | None = Field(default=None, min_length=1)
    limit: int | None = Field(default=None, ge=1)

    def at(self, folder: Path) -> "FolderSpec":
        """The same with its path taken relative to `folder`."""
        return self.model_copy(update={"path": str(absolute(self.path, folder))})

    @property
    def default_reference(self) -> None:
        """Nothing is known of another part that could serve."""
        return None

    def load(self) -> "ExampleSet":
        """Read the examples.

        Raises:
            ExampleError: The folder is missing, empty or malformed.
        """
        from causalablate.examples import folder

        return folder(Path(self.path), split=self.split, limit=self.limit)


ExamplesSpec = Annotated[DigitsSpec | FolderSpec | ClipsSpec | StillsSpec | TextsSpec, Field(discriminator="kind")]


def absolute(path: str, folder: Path) -> Path:
    """`path` as an absolute path, relative ones taken from `folder`; `~` is the home directory."""
    return (folder / Path(path).expanduser()).resolve()
