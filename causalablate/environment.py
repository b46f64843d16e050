"""What this machine and this installation are, as far as results depend on it."""

import importlib.metadata
import platform

import torch

PACKAGES = (
    "causalablate",
    "torch",
    "transformers",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "matplotlib",
)


def versions() -> dict[str, str]:
    """Installed version of each package that results depend on."""
    return {package: importlib.metadata.version(package) for package in PACKAGES}


def devices() -> list[str]:
    """Devices that a model can be put on: `cpu`, then `cuda:0` and so on."""
    return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]


def environment() -> dict[str, str]:
    """Versions, devices, and whether a forward computation gives the same bytes twice."""
    cuda = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return {
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        **versions(),
        "threads": str(torch.get_num_threads()),
        "devices": ", ".join(["cpu", *cuda]),
        "deterministic": "yes: the same matrix product gives the same bytes twice" if _deterministic() else "NO",
    }


def _deterministic() -> bool:
    a = torch.randn(257, 257, generator=torch.Generator().manual_seed(0))
    return (a @ a).numpy().tobytes() == (a @ a).numpy().tobytes()
