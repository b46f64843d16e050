"""One module whose forward is the loss of a step: what accelerate prepares, so that it sees every parameter."""

from collections.abc import Sequence

from torch import Tensor, nn

from causalablate.engine.hooks import intercepted
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.output import FoveatedOutput
from causalablate.training.objectives import Task, WarmupHeads, answers_loss, warmup_loss
from causalablate.training.without import Without


class Objective(nn.Module):
    """The model, what only its training needs, and the loss of a task under the components that are held off."""

    def __init__(self, model: FoveatedVLM, heads: WarmupHeads, without: Without) -> None:
        super().__init__()
        self.model, self.heads, self.without = model, heads, without

    def forward(self, task: Task, keys: Sequence[str]) -> Tensor:
        """Mean loss over the rows of a task.

        Args:
            task: What to learn, on the model's device.
            keys: Names of its rows.
        """
        if task.kind == "warmup":
            return self._warmup(task, keys)
        frames = task.inputs["pixel_values"].shape[1]

        def forward() -> FoveatedOutput:
            return self.model(**task.inputs, mode=task.mode)

        output = self.without.run(self.model, forward, case=(task.mode, frames), keys=keys)
        return answers_loss(output, self.heads, task, self.model.config, self.without.addresses)

    def _warmup(self, task: Task, keys: Sequence[str]) -> Tensor:
        if not self.without.parts:
            return warmup_loss(self.model, self.heads, task)

        # Lesions act on forwards of the whole model, and this one runs parts of it.
        def forward() -> Tensor:
            with intercepted({self.model: lambda *_: warmup_loss(self.model, self.heads, task)}):
                return self.model(**task.inputs)

        return self.without.run(self.model, forward, case="encoder_warmup", keys=keys)
