"""What is compared: rows, each a request, over seeds, each cell of the two a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from acclimate.runs.older import renamed
from acclimate.runs.record import Run
from acclimate.runs.request import Request
from acclimate.runs.scores import scored_by

# Folders and files are called by these names, so they must not lead elsewhere.
_Name = Annotated[
    str,
    Field(
        pattern=r"^[^./\\\x00][^/\\\x00]*$", max_length=150, description="A folder's name: no slash, no dot first."
    ),
]


class Published(BaseModel):
    """A number somebody else reported for the same protocol."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    source: str


class Row(BaseModel):
    """One line of a comparison.

    Attributes:
        name: what to call it; its result is `<name>.json`.
        request: what to run; the seed is filled in for each cell.
        published: a number to stand beside it.
        seeds: how many seeds, if not the comparison's.
        baseline: name of the row that does not adapt and that this one is compared with. It is trained first, once a
            seed, and is the baseline of this row's runs; without one, their runs have none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    request: Request
    published: Published | None = None
    seeds: int | None = Field(None, ge=1)
    baseline: _Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, stored: Any) -> Any:
        """What was written while this was called the floor."""
        return renamed(stored, "floor", "baseline")


class Comparison(BaseModel):
    """Methods to compare on one task.

    Attributes:
        id: name of the comparison and of its folders.
        protocol: which data, which split, in words.
        seeds: 0, 1, … up to this many.
        rows: what to compare.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: _Name
    protocol: str = ""
    seeds: int = Field(5, ge=1)
    rows: tuple[Row, ...]

    def cells(self) -> list[tuple[Row, int]]:
        """Every (row, seed), seeds outermost, so that a stopped comparison has whole columns."""
        return [(row, s) for s in range(self.seeds) for row in self.rows if s < (row.seeds or self.seeds)]


def label_series(comparison: Comparison) -> dict[str, str]:
    """What rows that differ in nothing but their label budget are called together, by row.

    Their common name where each is that name with its budget after a hyphen (`cgt`, `cgt-5`, `cgt-10`), else the
    first one's.
    """
    groups: dict[str, list[Row]] = {}
    for row in comparison.rows:
        groups.setdefault(row.request.model_copy(update={"label_budget": ""}).model_dump_json(), []).append(row)
    series: dict[str, str] = {}
    for rows in groups.values():
        names = {row.name.removesuffix(f"-{row.request.label_budget}") for row in rows}
        together = names.pop() if len(names) == 1 else rows[0].name
        series |= {row.name: together for row in rows if len({row.request.label_budget for row in rows}) > 1}
    return series


def cell_folder(folder: Path, row: Row, seed: int) -> Path:
    """Where a cell's run lives."""
    return folder / f"{row.name}-seed{seed}"


def score_of(folder: Path) -> float | None:
    """A finished cell's score on the held-out target, or on the target itself where nothing is held out."""
    if not (folder / "config.json").is_file() or (summary := Run(folder).summary) is None:
        return None
    name = scored_by(summary["scores"])
    return float(summary["scores"][name]) if name else None
