"""What a run shows, as data: the same for the terminal, the page, `--json` and Python."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """One number to see first: its name, its value, and what qualifies it."""

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out: a headline, the sentences under it, and the numbers to see first."""

    headline: str
    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
