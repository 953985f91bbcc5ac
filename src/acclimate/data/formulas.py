"""Text in a CSV that no spreadsheet runs; see `acclimate.data.spreadsheets`, which tells why and how."""

from __future__ import annotations

import re

# Python and Polars have regular expressions of their own, so classes are spelled out that the two see differently.
# What some programs skip before they look at a cell:
_SKIPPED = '[ "\u00a0\ufeff]*'
BEGIN = f"((?:^|[;\t\r\n\x0b\x0c\x85\u2028\u2029]){_SKIPPED})"
# Also in the width of East Asian scripts.
SIGN = r"('*[=+\-@＝＋－＠])"
NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"


def guard(text: str) -> str:
    """Text as it may stand in a CSV."""
    return text if re.fullmatch(NUMBER, text) else re.sub(BEGIN + SIGN, r"\1'\2", text)


def unguard(text: str) -> str:
    """What `guard` was given."""
    return re.sub(f"{BEGIN}'{SIGN}", r"\1\2", text)
