"""Names of lesions as tables hold them, read back."""


def addresses_of(name: str) -> list[str] | None:
    """Addresses in the name of a lesion, `a=mean & b=zero`; None for text that is no such name, such as an address.

    What stands in brackets belongs to an off, whatever it holds.
    """
    parts, depth, start = [], 0, 0
    for i, character in enumerate(name):
        depth += (character in "([{") - (character in ")]}")
        if character == "&" and depth == 0:
            parts.append(name[start:i])
            start = i + 1
    parts.append(name[start:])
    pairs = [part.partition("=") for part in parts]
    return [address.strip() for address, _, _ in pairs] if all(equals for _, equals, _ in pairs) else None
