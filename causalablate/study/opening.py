"""From a study to something that runs: load the checkpoint and the examples, expand the lesions."""

from typing import TYPE_CHECKING

from causalablate.study.controls import parameters_in
from causalablate.study.plan import Plan, plan_study
from causalablate.study.spec import Study

if TYPE_CHECKING:
    from causalablate.replay import Replay


def open_study(study: Study, *, trust_remote_code: bool = False) -> tuple[Plan, "Replay"]:
    """Load what a study names.

    The reference set is made only where a lesion reads it.

    Args:
        study: A study whose paths are absolute or relative to the working directory; see `read_study`.
        trust_remote_code: Run Python code that comes with the checkpoint. A study cannot ask for it: whoever wrote the
            file is not whose machine it is.
    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        DeviceError: The study names a device that is not here.
        ExampleError: The examples cannot be made.
        ComponentNotFoundError: An address or glob matches nothing.
        LesionError: A component refuses its off.
        StudyError: Two lesions have one name, or none can have the controls asked for.
    """
    from causalablate.models import load
    from causalablate.replay import Replay  # transformers is not needed to read results

    model = load(
        study.model,
        mode=study.mode,
        dtype=study.dtype,
        device=study.device,
        trust_remote_code=trust_remote_code,
        labels=study.labels,
    )
    examples = study.examples.load()
    plan = plan_study(study, model.components, len(examples), size=parameters_in(model.module))
    reads = any(how.reads_reference for planned in plan.lesions for _, how in planned.lesion)
    reference = study.reference_examples
    replay = Replay(
        model,
        examples,
        outcomes=study.outcomes,
        reference=reference.load() if reads and reference is not None else None,
        seed=study.seed,
        batch_size=study.batch_size,
        stack=study.stack,
        compile=study.compile,
    )
    return plan, replay
