"""Where a user says that data lie."""

from __future__ import annotations

import difflib
from pathlib import Path

from acclimate.errors import RequestError


def place(path: Path | str, what: str) -> Path:
    """A path as the user typed it, with `~` resolved; it may name nothing.

    Args:
        path: what was typed.
        what: what to call it in messages.

    Raises:
        RequestError: if it is empty, or nothing can ever be found under it.
    """
    if not str(path):
        raise RequestError(what, "must be a path", "nothing", "Give a folder of images, a table or an .npz file.")
    try:
        found = Path(path).expanduser()
        found.exists()
    # Unknown users are a RuntimeError, zero bytes a ValueError, names of too many letters an OSError.
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        got = f"{str(path)!r:.120} ({reason.rstrip('.')})"
        raise RequestError(what, "must be a path that can be looked up", got, "Check the spelling.") from None
    return found


def check_there(path: Path, what: str) -> None:
    """Refuse a path under which there is nothing.

    Raises:
        RequestError: if so, with what lies there under a similar name.
    """
    if path.exists():
        return
    near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, near, n=1)
    fix = f"Did you mean {str(path.parent / close[0])!r}?" if close else "Check the spelling and the current folder."
    raise RequestError(what, "must be a folder or file that exists", repr(str(path)), fix)
