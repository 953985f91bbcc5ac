"""docs/gallery.md: worked examples, each script with what it printed on real data (benchmarks/results/gallery)."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# In the order of the page, by their headings.
SHOWN = {
    "months": "Months",
    "sensors": "Sensor tables",
    "photos": "Photos",
    "reviews": "Reviews",
    "sketches": "Sketches",
}


def gallery_page() -> str:
    """The page."""
    lines = [
        "# Gallery",
        "",
        "Problems from start to end on real public data, each a script of one page. Run it as it is, or on files of",
        "your own. What it prints was recorded by `python benchmarks/gallery.py`. Labels of a target only",
        "score, but where an example says otherwise.",
    ]
    for name, heading in SHOWN.items():
        lines += ["", f"## {heading}", "", *_example(ROOT / "examples" / "gallery" / f"{name}.py")]
    return "\n".join([*lines, "", "## Smaller ones", "", "On data that they make.", "", *_smaller()]) + "\n"


def _example(script: Path) -> list[str]:
    """One of them: what it is about, how it is run, what it said, and the script."""
    title, about, typed, code = parts(script)
    path = ROOT / "benchmarks" / "results" / "gallery" / f"{script.stem}.json"
    said = _said(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else ["Not run yet."]
    link = f"[`{script.relative_to(ROOT)}`](../{script.relative_to(ROOT)})"
    return [
        *(f"**{title}**", "", *about, "", "```", *typed, "```", "", *said, ""),
        *(f"The script, {link}:", "", "```python", *code, "```"),
    ]


def _said(found: dict[str, Any]) -> list[str]:
    machine = found["hardware"]
    return [
        *("```text", *found["said"], "```", ""),
        f"{found['cpu_s']:,.0f} CPU seconds ({machine['cpu']}), with everything that it imports and reads.",
    ]


def parts(script: Path) -> tuple[str, list[str], list[str], list[str]]:
    """The first sentence of its docstring, the rest of it, the commands at its end, and the code below it."""
    text = script.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, *about = (ast.get_docstring(tree) or "").split("\n\n")
    start = tree.body[0].end_lineno or 0
    return title, "\n\n".join(about[:-1]).splitlines(), about[-1].splitlines(), text.splitlines()[start + 1 :]


def _smaller() -> list[str]:
    """The other examples, by the first line of each."""
    scripts = sorted((ROOT / "examples").glob("*.py"))
    first = [
        (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0] for path in scripts
    ]
    return [f"- [`{path.name}`](../examples/{path.name}): {line}" for path, line in zip(scripts, first, strict=True)]
