"""Keeping freed memory for the next step."""

from __future__ import annotations

import ctypes
import ctypes.util

# From malloc.h. Without mappings every block comes from the heap and goes back to it, and the end of the heap is only
# given back from 2 GiB on.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4
_TRIM_BYTES, _MAPPINGS = 2**31 - 1, 0
_LARGE, _MANY = 2**20, 2**16

_kept = False


def keep_freed_memory() -> None:
    """Ask glibc not to return freed memory to the system; does nothing where there is no glibc.

    Training frees and allocates the same large activations in every step. By default each goes back to the system and
    is faulted in again, page by page: a fifth of an MCD step, on small networks and on large ones. It affects the
    whole process, so only commands call it, never the library.
    """
    global _kept
    try:
        libc = ctypes.CDLL(ctypes.util.find_library("c"))
        libc.mallopt(_M_MMAP_MAX, _MAPPINGS)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
        _kept = True
    except (OSError, AttributeError, TypeError):
        return


def return_freed_memory() -> None:
    """Undo `keep_freed_memory` where a command asked for that: every block from 1 MiB on goes back once it is freed.

    Blocks of many sizes leave holes in a heap that keeps them: it grows to twice of what is in use and more.
    """
    global _kept
    if _kept:
        libc = ctypes.CDLL(ctypes.util.find_library("c"))
        for option, value in ((_M_MMAP_THRESHOLD, _LARGE), (_M_MMAP_MAX, _MANY), (_M_TRIM_THRESHOLD, _LARGE)):
            libc.mallopt(option, value)
        _kept = False
