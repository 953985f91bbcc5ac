"""Keeping freed memory for the next step."""

from __future__ import annotations

import ctypes
import ctypes.util

# From malloc.h. Without mappings every block comes from the heap and goes back to it, and the end of the heap is only
# given back from 2 GiB on.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_TRIM_BYTES, _MAPPINGS = 2**31 - 1, 0


def keep_freed_memory() -> None:
    """Ask glibc not to return freed memory to the system; does nothing where there is no glibc.

    Training frees and allocates the same large activations in every step. By default each goes back to the system and
    is faulted in again, page by page: a fifth of an MCD step, on small networks and on large ones. It affects the
    whole process, so only commands call it, never the library.
    """
    try:
        libc = ctypes.CDLL(ctypes.util.find_library("c"))
        libc.mallopt(_M_MMAP_MAX, _MAPPINGS)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
    except (OSError, AttributeError, TypeError):
        return
