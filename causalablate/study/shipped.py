"""The library of studies that comes along."""

from pathlib import Path

from causalablate.errors import StudyError, nearest
from causalablate.study.spec import Study, read_study

LIBRARY = Path(__file__).parent.parent / "interventions"


def shipped_studies() -> list[str]:
    """Names of the studies in the library."""
    return sorted(path.stem for path in LIBRARY.glob("*.yaml"))


def find_study(
    name: str | Path,
    *,
    model: str | Path | None = None,
    device: str | None = None,
    dtype: str | None = None,
    stack: int | None = None,
) -> Study:
    """Read a study from a file, or from the library by its name.

    Args:
        name: A path, or a name of the library such as `scorers`. A file of that name comes first.
        model: Use this checkpoint instead of the one it names.
        device: Run the model there instead.
        dtype: Run the model in this number format instead.
        stack: Put so many lesions into one forward pass instead.
    Raises:
        StudyError: There is neither, or the file is not a valid study.
    """
    path = Path(name)
    if not path.exists() and path.name == str(name) and not path.suffix:
        if str(name) not in shipped_studies():
            known = shipped_studies()
            raise StudyError(
                f'no file and no shipped study "{name}"{nearest(str(name), known)}; there are {", ".join(known)}'
            )
        path = LIBRARY / f"{name}.yaml"
    return read_study(path, model=model, device=device, dtype=dtype, stack=stack)
