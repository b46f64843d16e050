"""How much main memory is free: of the machine, and of the control group that a container or batch job runs in."""

from collections.abc import Iterator
from pathlib import Path

import psutil

_FILES = {  # Limit, use, and what of it can be had back; version 2 has one tree for all controllers, version 1 several
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def free_memory(root: Path = Path("/")) -> int:
    """Bytes of main memory that this process may still take without swapping or being killed.

    Where the process runs in control groups with a limit (Linux containers, SLURM), the tightest of them counts.

    Args:
        root: Where `proc` and `sys` are mounted.
    """
    return min([int(psutil.virtual_memory().available), *_left_in_groups(root)])


def _left_in_groups(root: Path) -> Iterator[int]:
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in memberships:
        _, controllers, path = line.split(":", 2)
        tree = "memory" if "memory" in controllers.split(",") else controllers
        if tree in _FILES:
            top = root / "sys/fs/cgroup" / tree
            group = top / path.lstrip("/")
            # A limit may be set on any group further up. Inside a container the path may be the host's: then only the
            # top exists, and it is the container's own group.
            for folder in (group, *group.parents):
                yield from _left_in(folder, *_FILES[tree])
                if folder == top:
                    break


def _left_in(folder: Path, limit: str, used: str, reclaimable: str) -> Iterator[int]:
    try:
        most, now = (folder / limit).read_text().strip(), int((folder / used).read_text())
        cached = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return
    if most.isdigit():
        yield max(0, int(most) - now + int(cached.get(reclaimable, 0)))
