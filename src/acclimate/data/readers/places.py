"""Where a user says that data lie."""

from __future__ import annotations

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
