"""Parameters that a model could do without."""

from collections.abc import Collection, Iterable, Mapping

from torch import nn


def freed_parameters(shares: Mapping[str, float], root: nn.Module, idle: Collection[int]) -> float:
    """Parameters that would not be needed: those of whole modules that no other holds, and the shares of others.

    Args:
        shares: Module path to the share of it that is taken out.
        root: The whole model.
        idle: Identities of parameters that are not needed any more in any case.
    """
    whole = [path for path, share in shares.items() if share == 1.0]
    elsewhere = {
        id(p)
        for path, module in root.named_modules(remove_duplicate=False)
        if not any(path == w or path.startswith(f"{w}.") for w in whole)
        for p in module.parameters(recurse=False)
    }
    freed = {id(p) for path in whole for p in root.get_submodule(path).parameters()} - elsewhere | set(idle)
    part = sum(
        share * _count(p for p in root.get_submodule(path).parameters() if id(p) not in freed)
        for path, share in shares.items()
        if share < 1.0
    )
    return _count(p for p in root.parameters() if id(p) in freed) + part


def idle_parameters(root: nn.Module, called: Collection[str]) -> set[int]:
    """Identities of the parameters that no module used: neither its own nor one around it that holds some itself."""
    holders = [path for path, module in root.named_modules() if list(module.parameters(recurse=False))]
    used = [path for path in holders if path in called]
    busy = {
        id(p)
        for path in holders
        if any(path == other or path.startswith(f"{other}.") for other in used)
        for p in root.get_submodule(path).parameters(recurse=False)
    }
    return {id(p) for p in root.parameters()} - busy


def _count(parameters: Iterable[nn.Parameter]) -> float:
    return float(sum(p.numel() for p in parameters))
