"""What a study asks: lesions, examples and outcomes, as one frozen value. The YAML file and the object are the same."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from causalablate.declarative import content_hash, read
from causalablate.errors import nearest
from causalablate.outcome import OUTCOMES
from causalablate.study.controls import KINDS
from causalablate.study.entry import LesionEntry
from causalablate.study.sets import DigitsSpec, ExamplesSpec, absolute

SHIPPED = "shipped"


class Controls(BaseModel):
    """How many controls of each kind every lesion gets, where it can have them; see `controls_of`.

    Attributes:
        components: Lesions of as many random components of the same kind, tower and size, off the same way.
        directions: Lesions that move the same components as far, in random directions.
        donors: The same resampling with other donors.
        seed: Seed of the draw of components.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    components: int = Field(default=0, ge=0, le=10_000)
    directions: int = Field(default=0, ge=0, le=10_000)
    donors: int = Field(default=0, ge=0, le=10_000)
    seed: int = Field(default=0, ge=0)

    @property
    def numbers(self) -> dict[str, int]:
        """The kinds that are asked for, and how many of each."""
        return {kind: n for kind in KINDS if (n := getattr(self, kind))}

    @model_validator(mode="after")
    def _asks_for_some(self) -> "Controls":
        if not self.numbers:
            raise ValueError(f"say how many controls of which kind, e.g. {KINDS[0]}: 19; there are {', '.join(KINDS)}")
        return self


class Study(BaseModel):
    """A study. `read_study("x.yaml")` and `Study(...)` with the same contents are equal.

    Attributes:
        name: Short name, the title of its tables.
        description: The question it asks, and what would be learned.
        lesions: What is switched off; see `LesionEntry`.
        model: Checkpoint folder, or `shipped`: the one inside the package. In a file, relative to that file.
        examples: The examples on which outcomes are compared.
        reference: The examples whose activations `mean`, `resample` and `noise` use. By default, for examples made on
            the spot, 512 of another split, so that no example is its own reference.
        device: Where the model runs: `cpu`, `cuda`, `cuda:1` ..., or `auto`: spread over all that is there.
        dtype: Number format of the model's weights.
        mode: How the model answers, where it has modes; by default the checkpoint's own.
        labels: Texts among which a model chooses that compares images with texts (CLIP, SigLIP).
        outcomes: Numbers per example.
        controls: Random controls beside every lesion, or none.
        seed: Seed of every draw that a lesion makes.
        batch_size: Most examples per forward pass.
        stack: Most lesions per forward pass; by default what suits the model and the machine. 1: one each, bit for bit
            what the lesioned model computes.
        compile: Backend of torch.compile, for instance `inductor`; by default nothing is compiled.
        gallery: Examples kept for the browser of single examples.
        level: Coverage of the intervals.
        sesoi: Smallest effect of interest, in units of a bounded outcome: the margin of "within noise".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$")
    description: str = Field(default="", max_length=10_000)
    model: str = Field(default=SHIPPED, min_length=1)
    examples: ExamplesSpec = Field(default_factory=DigitsSpec)
    reference: ExamplesSpec | None = None
    device: str = Field(default="cpu", pattern=r"^(auto|cpu|cuda(:[0-9]+)?)$")
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    mode: Literal["coarse_only", "coarse_fine", "autoregressive", "multi_token"] | None = None
    labels: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = Field(default=("answer_logprob", "correct"), min_length=1)
    lesions: tuple[LesionEntry, ...] = Field(min_length=1)
    controls: Controls | None = None
    seed: int = Field(default=0, ge=0, lt=2**63)
    batch_size: int = Field(default=64, ge=1, le=65_536)
    stack: int | None = Field(default=None, ge=1, le=65_536)
    compile: str | None = Field(default=None, min_length=1)
    gallery: int = Field(default=24, ge=0, le=1000)
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    sesoi: Annotated[float, Field(ge=0)] = 0.005

    @field_validator("outcomes")
    @classmethod
    def _known_outcomes(cls, outcomes: tuple[str, ...]) -> tuple[str, ...]:
        for outcome in outcomes:
            if outcome not in OUTCOMES:
                raise ValueError(f'no outcome "{outcome}"{nearest(outcome, OUTCOMES)}; there are {", ".join(OUTCOMES)}')
        if len(set(outcomes)) < len(outcomes):
            raise ValueError(f"an outcome is listed twice: {', '.join(outcomes)}")
        return outcomes

    @model_validator(mode="after")
    def _has_reference(self) -> "Study":
        needy = sorted({how.kind for entry in self.lesions for how in entry.offs if how.reads_reference})
        if needy and self.reference_examples is None:
            raise ValueError(
                f"{', '.join(needy)} reads activations of a reference set, and for a folder there is none by default; "
                "add reference: {kind: folder, path: ...}"
            )
        return self

    @property
    def id(self) -> str:
        """SHA-256 of everything the study says."""
        return content_hash(self)

    @property
    def reference_examples(self) -> ExamplesSpec | None:
        """The reference set, the default made explicit; None where there is none to assume."""
        return self.examples.default_reference if self.reference is None else self.reference

    def at(self, folder: str | Path) -> "Study":
        """The same study with its relative paths taken from `folder`."""
        folder = Path(folder)
        changed: dict[str, Any] = {"examples": self.examples.at(folder)}
        if self.reference is not None:
            changed["reference"] = self.reference.at(folder)
        if self.model != SHIPPED:
            changed["model"] = str(absolute(self.model, folder))
        return self.model_copy(update=changed)


def read_study(
    path: str | Path,
    *,
    model: str | Path | None = None,
    device: str | None = None,
    dtype: str | None = None,
    stack: int | None = None,
) -> Study:
    """Read a study from a file, with paths relative to the file made absolute.

    Args:
        path: A YAML file.
        model: Use this checkpoint instead of the one it names; relative to the working directory.
        device: Run the model there instead.
        dtype: Run the model in this number format instead.
        stack: Put so many lesions into one forward pass instead.
    Raises:
        StudyError: The file is not a valid study; the message lists everything that is wrong with it.
    """
    study = read(path, Study).at(Path(path).parent)
    instead = {"device": device, "dtype": dtype, "stack": stack}
    changed = {name: value for name, value in instead.items() if value is not None}
    return (study if model is None else with_model(study, model)).model_copy(update=changed)


def with_model(study: Study, model: str | Path) -> Study:
    """The same study of another checkpoint, given relative to the working directory, or `shipped`."""
    chosen = SHIPPED if str(model) == SHIPPED else str(absolute(str(model), Path.cwd()))
    return study.model_copy(update={"model": chosen})
