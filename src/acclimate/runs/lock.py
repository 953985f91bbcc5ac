"""One writer for a run folder at a time."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from acclimate.errors import RequestError, WorkError

NAME = ".lock"


def lock(folder: Path, what: str = "run", name: str = NAME, option: str | None = None) -> FileLock:
    """Take the lock of a run folder, without waiting; the folder is made if it is missing.

    The operating system keeps the lock for as long as its owner lives: `release` it, or end in whatever way. The file
    stays; only the lock on it means something.

    Args:
        folder: what one process at a time may write.
        what: to call it in errors.
        name: of the file; locks of other names in one folder have nothing to do with each other.
        option: that chooses another folder, for the error that says it cannot be written; None if there is no choice.

    Raises:
        RequestError: if another process holds it, or the folder cannot be written.
        WorkError: if the file system knows no locks.
    """
    found = FileLock(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found.acquire(blocking=False)
    except Timeout:
        fix = "Wait for it or stop it; or choose another folder."
        raise RequestError(what, "must not be written by two processes", f"{folder}, which one holds", fix) from None
    except NotImplementedError:
        raise WorkError(f"{folder} lies on a file system without locks: choose another one") from None
    except OSError as error:
        raise unusable(folder, error, option or what, option is not None) from None
    return found


def unusable(folder: Path, error: OSError, argument: str = "out", is_choice: bool = True) -> RequestError:
    """What to tell of a folder that cannot be made or written.

    Args:
        folder: that one.
        error: what the system says.
        argument: that names it.
        is_choice: whether any other folder would do.
    """
    reason = f"{str(folder)!r:.120} ({error.strerror})"
    fix = f"Choose another with --{argument}." if is_choice else "Copy it to a disk that can be written."
    return RequestError(argument, "must be a folder that can be written", reason, fix)
