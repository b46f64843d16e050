"""One entry of a study's `lesions`: a joint lesion (`do`) or one lesion per matching component (`each`)."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from causalablate.component import ComponentMap
from causalablate.intervention import Lesion, do
from causalablate.offs import Off
from causalablate.offs.field import OffField


def _as_tuple(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


def _one_or_many(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else list(values)


Offs = Annotated[
    tuple[OffField, ...], BeforeValidator(_as_tuple), PlainSerializer(lambda v: _one_or_many([o.to_json() for o in v]))
]
Globs = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), PlainSerializer(_one_or_many)]


class LesionEntry(BaseModel):
    """A joint lesion, or a family of lesions.

    Attributes:
        do: Addresses or globs and how each is off, all off together: one lesion.
        each: Address, glob or list of them: one lesion per matching component and off.
        off: With `each`: how; a list tries each in turn.
        name: With `do`: the name in tables and figures; by default the canonical text of the lesion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    do: dict[str, OffField] | None = Field(default=None, min_length=1)
    each: Globs | None = Field(default=None, min_length=1)
    off: Offs | None = Field(default=None, min_length=1)
    name: str | None = Field(default=None, min_length=1, max_length=120)

    @model_validator(mode="before")
    @classmethod
    def _from_lesion(cls, value: Any) -> Any:
        return {"do": dict(value.parts)} if isinstance(value, Lesion) else value

    @model_validator(mode="after")
    def _one_of_both(self) -> "LesionEntry":
        if (self.do is None) == (self.each is None):
            raise ValueError("give exactly one of do (a joint lesion) or each (one lesion per matching component)")
        if self.do is not None and self.off is not None:
            raise ValueError("with do, write the off beside each component, e.g. do: {passes.fine: mean}")
        if self.each is not None and self.off is None:
            raise ValueError("each needs off: how the components are off, e.g. off: mean")
        if self.each is not None and self.name is not None:
            raise ValueError("name is for do; lesions of each are named by their component and off")
        return self

    @model_serializer(mode="wrap")
    def _without_absent_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}

    @property
    def offs(self) -> list[Off]:
        """Every off it uses."""
        return list((self.do or {}).values()) + list(self.off or ())

    def lesions(self, components: ComponentMap) -> Iterator[tuple[str, Lesion]]:
        """Names and lesions in one model: `each` by off, then by component in model order.

        Raises:
            ComponentNotFoundError: An address or glob matches nothing.
            LesionError: A component refuses its off.
        """
        if self.do is not None:
            lesion = do(self.do)
            lesion.resolve(components)
            yield self.name or lesion.name, lesion
            return
        matches = dict.fromkeys(c.address for glob in self.each or () for c in components.select(glob))
        for how in self.off or ():
            for address in matches:
                lesion = do(address, off=how)
                lesion.resolve(components)
                yield lesion.name, lesion
