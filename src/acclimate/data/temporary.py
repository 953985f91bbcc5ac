"""Temporary files and folders beside what they are to become; those of writers that were killed go with the next.

A writer holds a lock of the operating system's on its own, which ends with it in whatever way it ends. So the next
writer of that name can tell what is abandoned from what another one is filling at this moment. Windows has no such
locks: there, what was abandoned stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_SUFFIX = ".part"


@contextlib.contextmanager
def temporary_beside(path: Path, make: Callable[[Path], object] = Path.touch) -> Iterator[Path]:
    """A new file, or whatever `make` makes, in the folder of `path`; it is removed afterwards if it is still there.

    Args:
        path: what it is to become.
        make: such as `Path.mkdir`, for a folder.

    Raises:
        OSError: if nothing can be made there.
    """
    _remove_abandoned(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_SUFFIX}")
    with contextlib.ExitStack() as held:
        try:
            make(temporary)
            while not _is_held(temporary, held):  # between the two, it was taken for abandoned
                make(temporary)
            yield temporary
        finally:
            remove(temporary)


def is_temporary(path: Path) -> bool:
    """Whether a path is a temporary file or folder of ours."""
    return path.name.startswith(".") and path.name.endswith(_SUFFIX)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, as far as the system lets us."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    own = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}{re.escape(_SUFFIX)}")
    with contextlib.suppress(OSError):
        for other in [other for other in path.parent.iterdir() if own.fullmatch(other.name)]:
            _remove_if_abandoned(other)


def _remove_if_abandoned(temporary: Path) -> None:
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), _opened(temporary) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(temporary)


def _is_held(temporary: Path, held: contextlib.ExitStack) -> bool:
    """Hold a temporary file until `held` ends; False if it is gone."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(held.enter_context(_opened(temporary)), fcntl.LOCK_EX)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without locks
        return True
    return temporary.exists()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
