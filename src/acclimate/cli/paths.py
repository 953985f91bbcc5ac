"""Where a command may write; refused before anything is read."""

from __future__ import annotations

from pathlib import Path

from acclimate.errors import RequestError


def check_parent(argument: str, path: Path) -> None:
    """Refuse a path whose folder is not there.

    Raises:
        RequestError: if so, naming the argument.
    """
    if not path.absolute().parent.is_dir():
        fix = "Make the folder first, or choose another."
        raise RequestError(argument, "must lie in a folder that exists", repr(str(path)), fix)


def check_new_file(argument: str, path: Path, suffix: str) -> None:
    """Refuse a file that is there already, ends otherwise, or lies in no folder.

    Raises:
        RequestError: if so, naming the argument.
    """
    if path.suffix != suffix:
        fix = f"For example: features{suffix}"
        raise RequestError(argument, f"must end in {suffix}", repr(str(path)), fix)
    if path.exists():
        raise RequestError(argument, "must not exist yet", repr(str(path)), "Remove it or choose another name.")
    check_parent(argument, path)


def check_new_folder(argument: str, folder: Path) -> None:
    """Refuse a folder that holds anything, or that cannot be made.

    Raises:
        RequestError: if so, naming the argument.
    """
    try:
        free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    except OSError:
        free = False
    if not free:
        fix = "Choose another, or empty it."
        raise RequestError(argument, "must be a new or empty folder", repr(str(folder)), fix)
    check_parent(argument, folder)
