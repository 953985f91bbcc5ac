"""Small pieces of the sentences that readers write."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from acclimate.errors import DataError


def some(names: Sequence[str]) -> str:
    """The first five, and how many more."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def count_rows(count: int) -> str:
    """`1 row`, `2 rows`."""
    return "1 row" if count == 1 else f"{count:,} rows"


def no_such_column(option: str, file: str, asked: str, columns: Sequence[str]) -> DataError:
    """The refusal of a column that a file does not have, with those that it has."""
    folded = {column.casefold(): column for column in columns}
    close = [folded[c] for c in difflib.get_close_matches(asked.casefold(), folded, n=3, cutoff=0.5)]
    fix = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"It has {some(columns)}."
    return DataError(option, f"must be a column of {file}", repr(asked), fix)
