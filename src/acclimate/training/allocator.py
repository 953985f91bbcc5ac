"""Keeping freed memory for the next step."""

from __future__ import annotations

import ctypes
import ctypes.util

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# glibc takes at most 32 MiB as mmap threshold; it covers the activations of small networks.
_MMAP_BYTES, _TRIM_BYTES = 32 << 20, 2**31 - 1


def keep_freed_memory() -> None:
    """Ask glibc not to return freed memory to the system; does nothing where there is no glibc.

    Training frees and allocates the same large activations in every step. By default each goes back to the system and
    is faulted in again, page by page: a fifth of an MCD step on small networks. It affects the whole process, so only
    commands call it, never the library.
    """
    try:
        libc = ctypes.CDLL(ctypes.util.find_library("c"))
        libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
    except (OSError, AttributeError, TypeError):
        return
