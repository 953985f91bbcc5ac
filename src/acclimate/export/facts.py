"""`inference.json` and the tables beside it: how examples reach a program, told to readers without acclimate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import regex

import acclimate
from acclimate.data.readers import dates
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.nothing import NO_NUMBER, NO_VALUE
from acclimate.data.schema import Column, Schema, TableSchema, TextSchema
from acclimate.data.text import TextPreprocess
from acclimate.export.exits import Exit
from acclimate.export.inputs import LEAST_WORDS
from acclimate.types import Side

FORMAT = 1
# What the tokeniser asks of a character (`data.words`).
_PROPERTIES = ("L", "M", "Emoji_Presentation", "Extended_Pictographic")


def inference_facts(
    exits: Sequence[Exit], classes: Sequence[str], schemas: dict[Side, Schema | None], delimiter: str | None
) -> dict[str, Any]:
    """The content of `inference.json`.

    Args:
        exits: the programs.
        classes: names, in the order of the logits.
        schemas: what columns mean, by side.
        delimiter: what separates the values of text tables, if the header does not tell.
    """
    sign = Dialect(delimiter).sign
    sides = {one.side: _facts_of(one, schemas.get(one.side), sign) for one in exits}
    return {
        "format": FORMAT,
        "made_by": f"acclimate {acclimate.__version__}",
        "classes": list(classes),
        "sides": sides,
    }


def _facts_of(one: Exit, schema: Schema | None, delimiter: str | None) -> dict[str, Any]:
    program = one.program
    facts: dict[str, Any] = {"kind": program.kind, "gives": program.gives}
    if program.kind == "images":
        return {**facts, "images": dict(one.pictures or {})}
    if isinstance(program.preprocess, TextPreprocess):
        return {**facts, "text": _text_facts(program.preprocess, schema, delimiter)}
    table = table_facts(schema, delimiter) if isinstance(schema, TableSchema) else None
    return {**facts, "width": program.width, "table": table}


def _text_facts(preprocess: TextPreprocess, schema: Schema | None, delimiter: str | None) -> dict[str, Any]:
    known = schema if isinstance(schema, TextSchema) else TextSchema()
    return {
        "text_column": known.text_column,
        "id_column": known.id_column,
        "delimiter": delimiter,
        "signs": preprocess.signs,
        "limit": preprocess.limit,
        "least": LEAST_WORDS,
    }


def table_facts(schema: TableSchema, delimiter: str | None) -> dict[str, Any]:
    """How the columns of a table are read."""
    return {
        "columns": [_column_facts(column) for column in schema.columns],
        "id_column": schema.id_column,
        "delimiter": delimiter,
        "no_value": sorted(NO_VALUE),
        "no_number": sorted(NO_NUMBER),
    }


def _column_facts(column: Column) -> dict[str, Any]:
    facts = column.model_dump(mode="json")
    if column.kind != "date":
        return facts
    # Typed columns have no form; written as text, dates are in ISO's.
    form = column.form or (dates.TIME if column.parts == ("hour",) else next(iter(dates.FORMS)))
    return {**facts, "form": form, "pattern": dates.pattern_of(form), "months": dates.MONTHS}


def characters() -> dict[str, list[list[int]]]:
    """The code points that have each property, as first and last of their runs, as `regex` knows them here."""
    points = [chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i <= 0xDFFF]
    text = "".join(points)
    found = {name: _runs(rf"\p{{{name}}}", text) for name in _PROPERTIES}
    return {**found, "s": _runs(r"\s", text)}


def _runs(pattern: str, text: str) -> list[list[int]]:
    points = [ord(one) for one in regex.findall(pattern, text)]
    starts = [points[0], *(after for before, after in pairwise(points) if after != before + 1)]
    ends = [*(before for before, after in pairwise(points) if after != before + 1), points[-1]]
    return [[low, high] for low, high in zip(starts, ends, strict=True)]
