"""Windows: the same part of several neighbouring layers off together, one lesion per place of the window."""

from causalablate.errors import LesionError
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.patching.layers import in_window, layers_with, window


def windows(
    model: Model, part: str, width: int, *, off: OffSpec = "knockout", tower: str = "lm", each: int = 1
) -> dict[str, Lesion]:
    """One lesion per window of layers: `windows(model, "edges.image.answer", 5)`.

    Information that travels at several layers survives a cut at one of them; a window closes them together, and the
    place of the window says where it travels.

    Args:
        model: Its components are looked up, nothing runs.
        part: What of a layer is off: `edges.image.answer` (attention of the answer to the image),
            `edges.image.question`, `edges.question.answer`, `mlp`, `heads.*`, or nothing for whole layers, which `zero`
            skips.
        width: Layers per window, around each layer that holds the part; cut at both ends of the tower.
        off: How it is off.
        tower: `lm` or `vision`.
        each: Layers that hold the part, from one window to the next.
    Returns:
        Lesions by name, e.g. `lm.layers.{3..7}.edges.image.answer=knockout`; windows that are equal come once.
    Raises:
        ComponentNotFoundError: The tower or the part is not there.
        LesionError: `width` or `each` is below 1.

    Source: Geva et al. (2023), Dissecting Recall of Factual Associations, EMNLP (windows of attention knockout);
    Basu et al. (2024), Understanding Information Storage and Transfer in Multi-modal Large Language Models, NeurIPS.
    """
    if each < 1:
        raise LesionError(f"each is {each}; windows are at least 1 layer apart")
    layers = layers_with(model.components, tower, part)
    spans = dict.fromkeys(window(layer, width, layers[-1]) for layer in layers[::each])
    lesions = [do(in_window(tower, first, last, part), off=off) for first, last in spans]
    for lesion in lesions:
        lesion.resolve(model.components)
    return {lesion.name: lesion for lesion in lesions}
