"""Text in a CSV that no spreadsheet runs, and that is read here as it was.

A spreadsheet computes a cell that begins with =, +, - or @, also one that somebody else has written: of a class named
`=HYPERLINK(…)` it makes a link. Quotes around it change nothing. So acclimate puts an apostrophe before such a sign,
wherever a cell begins or would begin to a program that separates values by semicolons, tabs or line breaks; numbers
stay numbers. Where apostrophes stand there already there is one more, so that reading takes away exactly what writing
has put there.

Source: OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import polars as pl

from acclimate.data.formulas import BEGIN, NUMBER, SIGN, guard, unguard

__all__ = ["guard", "guarded", "unguard", "unguarded"]


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """A table whose texts and names may stand in a CSV."""
    text = pl.col(pl.String, pl.Categorical, pl.Enum).cast(pl.String)
    safe = pl.when(text.str.contains(NUMBER)).then(text).otherwise(text.str.replace_all(BEGIN + SIGN, "${1}'${2}"))
    return frame.with_columns(safe).rename(guard)


def unguarded(frame: pl.DataFrame) -> pl.DataFrame:
    """The values that `guarded` was given, of columns of text; names are left to `unguard`."""
    columns = [series for series in frame if series.dtype == pl.String]
    # Large tables of numbers come as text too, and hardly any text has an apostrophe.
    concerned = [series for series in columns if series.str.contains("'", literal=True).any()]
    return frame.with_columns(series.str.replace_all(f"{BEGIN}'{SIGN}", "${1}${2}") for series in concerned)
