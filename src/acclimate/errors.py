"""What can go wrong, said so that the reader knows the next move.

    AcclimateError
    ├── RequestError           the request was wrong; the user can mend it        exit code 2
    │   ├── UnknownNameError   a name nothing answers to; close matches offered
    │   ├── DataError          the data break a rule
    │   ├── AbsentError        files that acclimate knows how to get are not on this machine
    │   └── MissingExtraError  an optional dependency is not installed
    └── WorkError              the request was fine but the work failed           exit code 1

Every `RequestError` states four things: which argument, what rule, what was received, what to do.
"""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable
from pathlib import Path

# The commands that list names of a kind.
_LISTS = {"task": "acclimate tasks --json", "method": "acclimate methods", "data set": "acclimate data list"}
_MOST_NAMES = 8
# What to do where the system will not write, by its reason.
_DISK = {
    errno.ENOSPC: "Free some space, or {elsewhere}.",
    errno.EDQUOT: "Your quota is used up: free some space, or {elsewhere}.",
    errno.EROFS: "It can be read only: mount it for writing, or {elsewhere}.",
    errno.EACCES: "You may not write there: have its permissions changed, or {elsewhere}.",
    errno.EPERM: "You may not write there: have its permissions changed, or {elsewhere}.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


class DataWarning(UserWarning):
    """What a user should know of data that a program handed over: the notes that commands print."""


class AcclimateError(Exception):
    """Base of every error that acclimate raises on purpose."""

    exit_code = 1


class WorkError(AcclimateError):
    """The request was in order, yet the work could not be finished."""


class RequestError(AcclimateError, ValueError):
    """The request breaks a rule that the user can mend.

    Args:
        argument: the option, argument, file or column at fault.
        rule: what it must be, as the end of a sentence that starts with the argument.
        got: what was received instead.
        fix: the next move, as a full sentence.
    """

    exit_code = 2

    def __init__(self, argument: str, rule: str, got: object, fix: str = "") -> None:
        self.argument, self.rule, self.got, self.fix = argument, rule, got, fix
        super().__init__(f"{argument} {rule}; got {got}.{' ' + fix if fix else ''}")

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip between processes: rebuilt from the four parts, not from the sentence."""
        return type(self), (self.argument, self.rule, self.got, self.fix)


class DataError(RequestError):
    """The data break a rule."""


class AbsentError(RequestError):
    """Public data or weights are not on this machine; the fix says how to get them."""


class UnknownNameError(RequestError):
    """A name that nothing answers to.

    Offers close matches; where there are none, the names there are, or, of many that a command lists, the first few.

    Args:
        kind: what was being looked up, for example `"method"`.
        name: the name that was given.
        known: every name that would have been right.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, list(known)
        close = difflib.get_close_matches(name, self.known, n=3, cutoff=0.5)
        fix = f"Did you mean {' or '.join(map(repr, close))}?" if close else self._overview()
        super().__init__(kind, "must be a known name", repr(name), fix)

    def _overview(self) -> str:
        command = _LISTS.get(self.kind)
        if command is None or len(self.known) <= _MOST_NAMES:
            return f"Known: {', '.join(sorted(self.known))}."
        shown = ", ".join(self.known[:_MOST_NAMES])
        return f"There are {len(self.known):,}, such as {shown}; all of them: {command}"

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuilt from its own three arguments."""
        return type(self), (self.kind, self.name, self.known)


class MissingExtraError(RequestError, ImportError):
    """An optional dependency is needed and not installed.

    Args:
        package: the module that could not be imported.
        extra: the name of acclimate's extra that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(
            f"the package {package!r}",
            "must be installed for this",
            "no such module",
            f"Run: pip install 'acclimate[{extra}]'",
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuilt from its own two arguments."""
        return type(self), (self.package, self.extra)


def unwritable(path: Path, error: Exception, elsewhere: str = "choose another disk") -> WorkError:
    """The error for a file or folder that could not be written, with what helps against that reason.

    Args:
        path: what should have been written.
        error: what the system says, by Python or through a library in Rust.
        elsewhere: how to write to another place.
    """
    reason = getattr(error, "strerror", None) or str(error).partition(" (os error")[0]
    return WorkError(f"Cannot write {path}: {reason}. {disk_advice(error, elsewhere)}")


def disk_advice(error: Exception, elsewhere: str) -> str:
    """The next move where the system will not read or write, as a sentence."""
    number = getattr(error, "errno", None)
    if number is None and (said := re.search(r"\(os error (\d+)\)", str(error))):
        number = int(said[1])
    advice = _DISK.get(number or 0, "Check the path and the disk, or {elsewhere}.")
    return advice.format(elsewhere=elsewhere)
