"""Dates and times as numbers of meaning: the age in days, the weekday, the hour.

Age counts from the source's median day. Weekday and hour are points on a circle, (sin 2πt, cos 2πt) with t the share
of the week or of the day, because Sunday is beside Monday and 23 o'clock beside midnight. Time zones are dropped: the
hour is the one that was written.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from acclimate.data.schema import Column, Part

_DAY = 86_400_000_000  # µs
_TIME = (
    r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?(?:\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
)
_YEAR, _MONTH, _DAY_OF_MONTH = r"(?P<y>\d{4})", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})"
_ANY_YEAR, _NAME = r"(?P<y>\d{4}|\d{2})", r"(?P<name>[A-Za-zä]{3,9})\.?"
# By what messages call them, the sure ones first; of day and month in doubt, the day stands first.
FORMS = {
    "year-month-day": rf"{_YEAR}-{_MONTH}-{_DAY_OF_MONTH}",
    "year/month/day": rf"{_YEAR}[/.]{_MONTH}[/.]{_DAY_OF_MONTH}",
    "day.month.year": rf"{_DAY_OF_MONTH}\.\s?{_MONTH}\.\s?{_ANY_YEAR}",
    "day/month/year": rf"{_DAY_OF_MONTH}[/-]{_MONTH}[/-]{_ANY_YEAR}",
    "month/day/year": rf"{_MONTH}[/-]{_DAY_OF_MONTH}[/-]{_ANY_YEAR}",
    "day month year": rf"{_DAY_OF_MONTH}\.?[ -]{_NAME}[ -]{_ANY_YEAR}",
    "month day, year": rf"{_NAME} {_DAY_OF_MONTH}(?:st|nd|rd|th)?,? {_YEAR}",
    "year-month": rf"{_YEAR}-(?P<m>\d{{2}})",
}
TIME = "hour:minute"
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {**{name: str(i) for i, name in enumerate(_NAMES, 1)}, "mär": "3", "mai": "5", "okt": "10", "dez": "12"}
_CENTURY = 69  # two digits below it are of this century, as POSIX has it


def is_temporal(series: pl.Series) -> bool:
    """True for columns of dates, of dates with times, and of times."""
    return series.dtype.is_temporal() and series.dtype != pl.Duration


def read_days(series: pl.Series, form: str) -> pl.Series:
    """Days since 1970, or the share of the day for times alone, Float64; null where there is no date of that form."""
    if series.dtype == pl.Time:
        return series.cast(pl.Int64) // 1000 / _DAY
    if series.dtype == pl.Date:
        return series.cast(pl.Int64).cast(pl.Float64)
    if series.dtype != pl.String:
        return series.dt.replace_time_zone(None).dt.epoch("us") / _DAY
    parts = series.str.extract_groups(pattern_of(form))
    frame = parts.struct.unnest()
    if form == TIME:
        return frame.select(_time()).to_series() / _DAY
    at = pl.when(pl.col("H").is_null()).then(0).otherwise(_time())
    return frame.select(_day(FORMS[form]) * _DAY + at).to_series() / _DAY


def pattern_of(form: str) -> str:
    """The regular expression of a date of that form with or without a time behind it, or of a time alone."""
    return rf"^{_TIME}$" if form == TIME else rf"^{FORMS[form]}(?:[T ,]+{_TIME})?$"


def find_form(text: pl.Series, known: str = "") -> str:
    """The form in which every value of a column is written; "" if there is none."""
    present = text.drop_nulls()
    if not present.len() or not present.str.contains(r"^\w").all() or not present.str.contains(r"\d[\d:/.-]").any():
        return ""
    forms = dict.fromkeys((*((known,) if known in (*FORMS, TIME) else ()), *FORMS, TIME))
    return next((form for form in forms if not read_days(present, form).null_count()), "")


def parts_of(days: pl.Series, form: str, dtype: pl.DataType) -> tuple[Part, ...]:
    """What a column's features are: the age and the weekday, and the hour where one is not midnight."""
    if form == TIME or dtype == pl.Time:
        return ("hour",)
    return ("age", "weekday", "hour") if (days % 1 > 0).any() else ("age", "weekday")


def fill(column: Column, days: np.ndarray, block: np.ndarray) -> None:
    """Write the features of dates into `block` `(n, width)`; `days` `(n,)` since 1970, NaN where there is none."""
    values: list[np.ndarray] = []
    for part in column.parts:
        if part == "age":
            values.append(days - column.origin)
            continue
        share = days % 1 if part == "hour" else (np.floor(days) + 3) % 7 / 7  # 1970 began on a Thursday
        values += [np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)]
    block[:] = np.stack(values, axis=1)


def _time() -> pl.Expr:
    """The microseconds of the day that stand in the groups of `_TIME`, whole as typed columns have them."""
    hour, minute, second = (pl.col(name).cast(pl.Int64, strict=False) for name in "HMS")
    half = pl.col("half").str.to_lowercase()
    hour = pl.when(half.is_null()).then(hour).otherwise(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
    fraction = pl.col("f").str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64, strict=False).fill_null(0)
    time = (hour * 3600 + minute * 60 + second.fill_null(0)) * 1_000_000 + fraction
    return pl.when((hour < 24) & (minute < 60) & (second.fill_null(0) < 60)).then(time)


def _day(pattern: str) -> pl.Expr:
    """Days since 1970 of what stands in the groups of one of `FORMS`; null on the 30th of February."""
    year = pl.col("y").cast(pl.Int64, strict=False)
    century = pl.when(year < _CENTURY).then(2000).otherwise(1900)
    year = pl.when(pl.col("y").str.len_chars() == 2).then(year + century).otherwise(year)
    name = pl.col("name").str.to_lowercase().str.slice(0, 3) if "<name>" in pattern else None
    month = pl.col("m") if name is None else name.replace_strict(MONTHS, default=None, return_dtype=pl.String)
    written = pl.concat_str(year, month, pl.col("d") if "<d>" in pattern else pl.lit("1"), separator="-")
    return written.str.to_date("%Y-%m-%d", strict=False).cast(pl.Int64)
