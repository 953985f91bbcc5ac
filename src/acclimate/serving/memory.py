"""Memory that was used once goes back to the system."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from typing import Any


def give_back() -> None:
    """Ask glibc for what has been freed; does nothing where there is no glibc.

    Each thread frees into memory of its own, which glibc keeps for it: after one large picture that is hundreds of
    megabytes that no small one needs.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    try:
        return ctypes.CDLL(ctypes.util.find_library("c")).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
