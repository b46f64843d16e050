"""Example sets as a study names them: one spec per row of `EXAMPLE_SETS`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from causalablate.examples import ExampleSet


class DigitsSpec(BaseModel):
    """Scanned digits on coloured canvases, made from a seed.

    Attributes:
        n: Number of examples.
        split: Which scans they are made of; no scan is in two splits.
        seed: Seed of the canvases, the questions and the pixel noise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["digits"] = "digits"
    n: int = Field(default=512, ge=1, le=1_000_000)
    split: Literal["test", "validation", "train"] = "test"
    seed: int = Field(default=0, ge=0)

    def at(self, folder: Path) -> "DigitsSpec":
        """The same: it names no path."""
        return self

    def load(self) -> "ExampleSet":
        """Make the examples."""
        from causalablate.examples import digits

        return digits(self.n, split=self.split, seed=self.seed)


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

    def load(self) -> "ExampleSet":
        """Read the examples.

        Raises:
            ExampleError: The folder is missing, empty or malformed.
        """
        from causalablate.examples import folder

        return folder(Path(self.path), split=self.split, limit=self.limit)


ExamplesSpec = Annotated[DigitsSpec | FolderSpec, Field(discriminator="kind")]


def absolute(path: str, folder: Path) -> Path:
    """`path` as an absolute path, relative ones taken from `folder`; `~` is the home directory."""
    return (folder / Path(path).expanduser()).resolve()
