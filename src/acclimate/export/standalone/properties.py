"""What the package `regex` knows of characters and Python's own `re` does not, from a table beside the model.

The table holds the characters of each property as they were when the model was trained, so that another version of
Unicode takes no word apart.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

IGNORECASE, Pattern = re.IGNORECASE, re.Pattern
escape = re.escape

_TABLE = Path(__file__).parents[1] / "characters.json"
_CLASS = r"\[(?:\\.|[^\]\\])*\]"
_PROPERTY = r"\\p\{(\w+)\}|\\(s)"


def compile(pattern: str, flags: int = 0) -> re.Pattern[str]:  # noqa: A001  stands in for regex.compile
    """The pattern, with properties of characters and white space spelled out."""
    parts = re.split(f"({_CLASS})", pattern)
    spelled = [_spelled(part, "{}" if part.startswith("[") else "[{}]") for part in parts]
    return re.compile("".join(spelled), flags)


def _spelled(part: str, form: str) -> str:
    return re.sub(_PROPERTY, lambda found: form.format(_characters()[found[1] or found[2]]), part)


@cache
def _characters() -> dict[str, str]:
    ranges = json.loads(_TABLE.read_text(encoding="utf-8"))
    return {name: "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in own) for name, own in ranges.items()}
