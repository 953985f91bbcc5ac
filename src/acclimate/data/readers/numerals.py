"""Numbers as people write them: `-13,412`, `1.234,5`, `1 000`, `12 %`.

A style is what groups thousands, what stands before the fraction, and `%`: `",."`, `".,"`, `",%"`; "" is that of
programs. It is a fact of a whole column, because `1,234` alone can be two numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

_SPACES = r"[ \u00a0\u2009\u202f]"
_ALIKE = r"^[+\-−]?\d[\d.,'’ \u00a0\u2009\u202f]*%?$"
_SAME = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "’": "'"})
_GROUPS = {",": ",", ".": r"\.", " ": _SPACES, "'": "['’]"}
PLAIN = ""
_WRITTEN = (",.", ",", ".,", " .", " ,", "'.", "',")
STYLES = (PLAIN, *_WRITTEN, "%", *(f"{style}%" for style in _WRITTEN))
# In a file whose values are separated by semicolons, a comma is the decimal one.
STYLES_WITH_COMMA = (
    PLAIN,
    ",",
    ".,",
    " ,",
    "',",
    ",.",
    " .",
    "'.",
    "%",
    ",%",
    *(f"{s}%" for s in _WRITTEN if s != ","),
)


def read_numbers(text: pl.Series, style: str) -> pl.Series:
    """Float64; null where there is no number of that style. `true` is 1 and `false` 0."""
    if style == PLAIN:
        return _plain(text.str.replace("−", "-", literal=True))
    percent = style.endswith("%")
    read = text.str.replace("−", "-", literal=True)
    if percent:
        read = read.str.extract(r"^(.*?)\s*%$", 1)
    numbers = _written(read, style.removesuffix("%"))
    return numbers / 100 if percent else numbers


def find_style(text: pl.Series, known: str = PLAIN, *, decimal_comma: bool = False) -> tuple[str, pl.Series]:
    """The style of a whole column and its numbers; where there is none, that by which most are numbers.

    Args:
        text: the values, null where there is none.
        known: the style to prefer, that of the same column in the source.
        decimal_comma: whether a comma is more likely to stand before the fraction.
    """
    present = text.len() - text.null_count()
    best, numbers = known, read_numbers(text, known)
    if numbers.len() - numbers.null_count() == present:
        return best, numbers
    for style in _possible(text, STYLES_WITH_COMMA if decimal_comma else STYLES):
        read = read_numbers(text, style)
        if read.null_count() < numbers.null_count():
            best, numbers = style, read
        if read.len() - read.null_count() == present:
            break
    return best, numbers


def _possible(text: pl.Series, styles: Sequence[str]) -> list[str]:
    """The styles of which a column shows a sign: most columns of words show none."""
    alike = text.filter(text.str.contains(_ALIKE).fill_null(value=False))
    signs = set("".join(alike.to_list()).translate(_SAME))
    percent = len(alike) > 0 and bool(text.str.ends_with("%").all())
    return [s for s in styles if (s == PLAIN or signs & set(s)) and (percent or not s.endswith("%"))]


def _plain(text: pl.Series) -> pl.Series:
    truth = text.str.to_lowercase().replace_strict({"true": 1.0, "false": 0.0}, default=None, return_dtype=pl.Float64)
    return text.cast(pl.Float64, strict=False).fill_null(truth)


def _written(text: pl.Series, style: str) -> pl.Series:
    """Numbers with these marks; without any, those of programs."""
    if len(style) < 2:
        return _plain(text.str.replace(style, ".", literal=True) if style else text)
    group, point = _GROUPS[style[0]], re.escape(style[1])
    form = rf"^[+-]?(?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d+)(?:{point}\d+)?$"
    plain = text.str.replace_all(group, "").str.replace(style[1], ".", literal=True)
    return plain.set(~text.str.contains(form).fill_null(value=False), None).cast(pl.Float64, strict=False)
