"""Lists and pairs that arguments of commands hold."""

from causalablate.errors import EffectError


def names_from_text(text: str) -> list[str]:
    """`a, b`: names between commas; none where there is nothing."""
    return [name.strip() for name in text.split(",") if name.strip()]


def pairs_from_text(text: str, option: str) -> dict[str, str]:
    """`a=b,c=d` as a mapping.

    Raises:
        EffectError: A part is no pair, or a name occurs twice; the message names the option.
    """
    pairs: dict[str, str] = {}
    for part in names_from_text(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise EffectError(f"{option} {text}: {part!r} is not a pair; write name=value,name=value")
        if name in pairs:
            raise EffectError(f"{option} {text}: {name} occurs twice")
        pairs[name] = value
    return pairs


def amounts_from_text(text: str, option: str) -> float | dict[str, float] | None:
    """A number, or `outcome=number,...`; None where there is nothing.

    Raises:
        EffectError: Something else; the message names the option.
    """
    if not text.strip():
        return None
    try:
        if "=" not in text:
            return float(text)
        return {name: float(value) for name, value in pairs_from_text(text, option).items()}
    except ValueError:
        raise EffectError(f"{option} {text}: expected a number, or outcome=number,...") from None
