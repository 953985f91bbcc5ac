"""Texts as programs hold them: lists, arrays and columns of strings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from acclimate.errors import DataError

_KINDS = "OSTU"  # of arrays that may hold strings


def as_texts(values: Any, what: str) -> list[str] | None:
    """The strings in a list, a tuple, an array `(n,)` or `(n, 1)`, or a column of a data frame.

    Args:
        values: whatever a caller gave.
        what: what to call it in messages.

    Returns:
        The strings, or None if there is none among the values.

    Raises:
        DataError: if it is a single string, or holds strings and something else, or bytes.
    """
    if isinstance(values, str):
        raise DataError(what, "must be a list of texts", "a single one", "Put it into a list: [text].")
    found = _listed(values)
    if found is None or not any(isinstance(value, str | bytes) for value in found):
        return None
    for place, value in enumerate(found):
        if not isinstance(value, str):
            raise DataError(
                what,
                "must be texts throughout",
                f"{value!r:.60} in place {place}",
                "Leave that example out, or give '' for a text that is missing and .decode() bytes.",
            )
    return found


def text_notes(texts: Sequence[str]) -> Iterator[str]:
    """What a user should know about texts, in plain sentences."""
    if empty := sum(not text.strip() for text in texts):
        yield f"empty texts: {empty:,} of {len(texts):,}; they stay, and are answered like any other."
    if zeros := sum("\0" in text for text in texts):
        yield f"texts with zero bytes: {zeros:,}; if that is UTF-16, save it again as UTF-8."
    if halves := sum(not is_unicode(text) for text in texts):
        yield f"texts with halves of characters, each of which became a question mark: {halves:,}."


def is_unicode(text: str) -> bool:
    """False for halves of surrogate pairs, which JSON can spell and nothing can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _listed(values: Any) -> list[Any] | None:
    """The values one after the other, where they are such that strings may be among them."""
    if isinstance(values, list | tuple):
        return list(values)
    shape: Any = getattr(values, "shape", ())
    if len(shape) != 1 and not (len(shape) == 2 and shape[1] == 1):
        return None
    array = values.to_numpy() if hasattr(values, "to_numpy") else values
    is_array = isinstance(array, np.ndarray) and array.dtype.kind in _KINDS
    return array.ravel().tolist() if is_array else None
