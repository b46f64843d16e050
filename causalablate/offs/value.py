"""Value: the component is frozen to given numbers."""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from causalablate.errors import LesionError
from causalablate.offs.base import Context, Off


@dataclass(frozen=True)
class Value(Off):
    """Freeze the activation to given values.

    Attributes:
        calls: One array per call of the module (bytes, shape), or a single one for all calls. Build with `Value.of`.

    A study file writes `{kind: value, value: 0.5}` or nested lists, broadcast to the activation.
    """

    calls: tuple[tuple[bytes, tuple[int, ...]], ...]
    kind: ClassVar[str] = "value"

    @classmethod
    def of(cls, *calls: Any) -> "Value":
        """Make from one array (or number) for every call of the module, or from one per call."""
        if not calls:
            raise LesionError("value: no value given; pass a number or an array")
        arrays = []
        for call in calls:
            data = call.detach().to("cpu", torch.float32).numpy() if isinstance(call, Tensor) else call
            try:
                array = np.asarray(data, dtype=np.float32)
            except (TypeError, ValueError) as error:
                raise LesionError(f"value: expected a number or a rectangular list of numbers ({error})") from None
            if not np.isfinite(array).all():
                raise LesionError("value: the values hold NaN or infinity; give finite numbers")
            arrays.append(array)
        return cls(tuple((a.tobytes(), a.shape) for a in arrays))

    def array(self, call: int) -> np.ndarray:
        """The values for one call, float32."""
        if len(self.calls) > 1 and call >= len(self.calls):
            raise LesionError(f"value: the module was called {call + 1} times, but {len(self.calls)} values were given")
        data, shape = self.calls[min(call, len(self.calls) - 1)]
        return np.frombuffer(data, dtype=np.float32).reshape(shape)

    def apply(self, x: Tensor, context: Context) -> Tensor:
        """The given values, broadcast to the activation."""
        value = torch.from_numpy(self.array(context.call).copy()).to(x)
        try:
            return value.expand_as(x).clone()  # The model may write into what it is given
        except RuntimeError:
            raise LesionError(
                f"value: shape {tuple(value.shape)} does not broadcast to the activation of "
                f"{context.component.address}, shape {tuple(x.shape)}"
            ) from None

    def to_json(self) -> dict[str, Any]:
        """`{kind, value}` for one value, `{kind, calls}` for one per call, as nested lists."""
        values = [self.array(i).tolist() for i in range(len(self.calls))]
        return {"kind": self.kind, "value": values[0]} if len(values) == 1 else {"kind": self.kind, "calls": values}

    def __str__(self) -> str:
        if len(self.calls) == 1 and self.calls[0][1] == ():
            return f"value({self.array(0):g})"
        digest = hashlib.sha256(b"".join(data for data, _ in self.calls)).hexdigest()[:8]
        return f"value({' '.join('x'.join(map(str, shape)) for _, shape in self.calls)} #{digest})"
