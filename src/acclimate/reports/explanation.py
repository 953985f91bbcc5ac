"""The page of coloured texts that stands beside predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from acclimate.reports.coloured import coloured, group_title, signed
from acclimate.reports.page import render
from acclimate.runs.files import write_text
from acclimate.runs.words import WordsOfText

_SHOWN = 400


def write_explanation(path: Path, about: str, summary: str, groups: Mapping[str, Sequence[WordsOfText]]) -> None:
    """Write a page of coloured texts, atomically.

    Args:
        path: where.
        about: the line above the title: whose answers these are.
        summary: what the page shows, in a sentence or two.
        groups: texts by name of their group, see `runs.words.groups`.
    """
    page = render(
        "explanation.html.j2",
        title="Which words carried the answers",
        about=about,
        summary=summary,
        signed=signed([text for texts in groups.values() for text in texts]),
        groups=[(group_title(name), [coloured(text, _SHOWN) for text in groups[name]]) for name in groups],
    )
    write_text(path, page)
