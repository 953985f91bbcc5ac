"""How much memory this process may still take: what the machine has free, and what its container leaves of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

_CGROUPS = Path("/sys/fs/cgroup")
# Names of the limit, of what is used, and of what of that is a cache the system takes back; version 2, then 1.
_NAMES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def free_memory(device: torch.device) -> int | None:
    """Bytes that training on a device may still take; None where nobody tells."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    if device.type != "cpu":
        return None
    return min([int(psutil.virtual_memory().available), *left_by_containers()])


def resident_memory() -> int:
    """Bytes of memory that this process holds at present."""
    return int(psutil.Process().memory_info().rss)


def left_by_containers(root: Path = _CGROUPS, own: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """Bytes that each limit on this process, and on the groups around it, leaves.

    Args:
        root: where control groups are shown.
        own: the file that names this process's.
    """
    if not own.is_file():
        return
    for line in own.read_text(encoding="utf-8").splitlines():
        _, controllers, place = line.split(":", 2)
        if controllers in ("", "memory"):
            folder = root / controllers
            inside = folder / place.strip("/")
            # In a container the name may be one that only the system outside knows.
            for group in (inside, *inside.parents) if inside.is_dir() else (folder,):
                yield from _left(group)
                if group == folder:
                    break


def _left(group: Path) -> Iterator[int]:
    for limit, used, cache in _NAMES:
        try:
            most, now = ((group / name).read_text(encoding="ascii").strip() for name in (limit, used))
            stat = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
        except (OSError, ValueError):
            continue
        if most != "max":
            yield max(0, int(most) - int(now) + int(stat.get(cache, 0)))
