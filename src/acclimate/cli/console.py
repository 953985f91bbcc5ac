"""Printing for people and for machines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


class _PlainTable(Table):
    """A table whose cells are shown as they are: `[b]` in a class name is no markup."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*(Text(c) if isinstance(c, str) else c for c in cells), **options)


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table in the house style, whose cells are plain text.

    Args:
        columns: headings.
        numbers: those of them to align to the right.
    """
    made = _PlainTable(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return made


def print_notes(notes: Iterable[str]) -> None:
    """Print what the user should know beside a result, a line each; nothing under --quiet."""
    if not err.quiet:
        for note in notes:
            out.print(f"Note: {note}", markup=False)


def finite(value: float) -> float | None:
    """The number, or None for NaN, which JSON does not know."""
    return None if math.isnan(value) else value


def percent(value: float | None) -> str:
    """`"93.1 %"`, or a dash where there is no number."""
    return "–" if value is None or math.isnan(value) else f"{100 * value:.1f} %"


def duration(seconds: float) -> str:
    """`"45 s"`, `"12 min"`, `"3.4 h"`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
