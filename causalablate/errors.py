"""The exception tree: everything raised on purpose derives from `CausalAblateError`.

Each message says what was asked, what exists, and what to do next.
"""

import difflib
from collections.abc import Iterable


class CausalAblateError(Exception):
    """Base of every error that causalablate raises on purpose."""


class ComponentNotFoundError(CausalAblateError):
    """An address or glob matches no component of the model."""


class LesionError(CausalAblateError):
    """A lesion is not well formed, or a component does not admit that kind of off."""


class InertLesionError(CausalAblateError):
    """A lesion never acted: its site was not reached by the forward pass."""


class CheckpointError(CausalAblateError):
    """A checkpoint is missing, corrupt, truncated, or does not match its config."""


class DeviceError(CausalAblateError):
    """A device or a number format is not there."""


class ExampleError(CausalAblateError):
    """An example set is empty or malformed, or one of its images cannot be read."""


class OutcomeError(CausalAblateError):
    """An outcome is unknown, undefined for the example, or not finite."""


class StudyError(CausalAblateError):
    """A declarative file (study, sweep, training config) is invalid."""


class StorageError(CausalAblateError):
    """Activations fit neither into memory nor onto the disk."""


class WorkerError(CausalAblateError):
    """A process that shared a sweep died, or raised what cannot be passed on."""


class LedgerError(CausalAblateError):
    """A results directory cannot be written, or a stored part is damaged."""


class TrainingError(CausalAblateError):
    """A training run cannot start, resume, or go on."""


class EffectError(CausalAblateError):
    """A table of counterfactuals does not support the requested estimate."""


def nearest(name: str, known: Iterable[str], n: int = 3) -> str:
    """Return ` (did you mean a, b?)` for the known names closest to `name`, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=n, cutoff=0.5)
    return f" (did you mean {', '.join(close)}?)" if close else ""


class GraphError(CausalAblateError):
    """A graph over components cannot be made, or a question about it has no answer."""
