"""Tables of models that adapt while they answer, from benchmarks/results/test_time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cells import table

Row = dict[str, Any]
_NONE = "Not measured yet."


def stream_parts(results: Path) -> dict[str, str]:
    """The generated parts of docs/test-time.md."""
    path = results / "test_time" / "streams.json"
    if not path.is_file():
        return {"streams": _NONE, "worst": _NONE}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {"streams": "\n".join(_streams(found)), "worst": _worst(found)}


def _streams(found: dict[str, Any]) -> list[str]:
    """A task, a stream and a batch size a line, a method a column."""
    rows = found["rows"]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cells = {(r["task"], r["stream"], r["batch_size"], r["method"]): r for r in rows}
    lines = [
        [f"`{task}`", stream, str(size), f"{100 * cells[task, stream, size, methods[0]]['as_it_is']:.1f}"]
        + [_cell(cells[task, stream, size, method]) for method in methods]
        for task, stream, size in dict.fromkeys(key[:3] for key in cells)
    ]
    return table(["task", "stream", "batch", "as it is", *methods], lines)


def _cell(row: Row) -> str:
    """With the guard, and without it where that differs."""
    guarded, free = (f"{100 * row[name]:.1f}" for name in ("guarded", "unguarded"))
    return guarded if guarded == free else f"{guarded} ({free})"


def _worst(found: dict[str, Any]) -> str:
    """The largest losses, with the guard and without, as sentences."""
    told = []
    for name in ("guarded", "unguarded"):
        row = min(found["rows"], key=lambda row: row[name] / row["as_it_is"])
        lost = 1 - row[name] / row["as_it_is"]
        told.append(
            f"{100 * lost:.0f} % of right answers ({row['method']} on `{row['task']}`, {row['stream']}, "
            f"{row['batch_size']} a batch: {100 * row['as_it_is']:.1f} to {100 * row[name]:.1f})"
        )
    gains = [row["guarded"] - row["as_it_is"] for row in found["rows"]]
    of = f"Of {len(gains)} streams, {sum(gain > 0.01 for gain in gains)} gained more than a point with the guard and"
    return (
        f"{of} {sum(gain < -0.01 for gain in gains)} lost more than one. The most that was lost with the guard is "
        f"{told[0]}, where {100 * found['guard']:.0f} % were allowed; without it {told[1]}."
    )
