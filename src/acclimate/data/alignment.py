"""A domain in the features of another, by the names of the columns that both were read from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.schema import Column, TableSchema
from acclimate.errors import DataError


def aligned(domain: Domain, schema: TableSchema | None) -> Domain:
    """The domain with the features of another table's schema, in its order; one without a schema as it is.

    Columns of numbers change places, values of texts become those of the schema, ages count from its day.

    Raises:
        DataError: if a column is not there, or was read as something else.
    """
    own = domain.schema
    if schema is None or not isinstance(own, TableSchema) or own.columns == schema.columns:
        return domain
    places = {column.name: (column, start) for column, start in zip(own.columns, own.starts, strict=True)}
    missing = [column.name for column in schema.columns if column.name not in places]
    if missing:
        raise DataError(
            domain.name,
            f"must have the {len(schema.columns)} feature columns of the source",
            f"none called {', '.join(missing[:5])}",
            "Add these columns, or read the source without them: leave_out=….",
        )
    blocks = [_block(domain, column, *places[column.name]) for column in schema.columns]
    extra = [name for name in places if name not in schema.names]
    notes = (
        (f"{domain.name}: columns that the source does not have were left out: {', '.join(extra[:5])}.",)
        if extra
        else ()
    )
    schema = schema.model_copy(update={"label_column": own.label_column, "id_column": own.id_column})
    return replace(domain, inputs=np.concatenate(blocks, axis=1), schema=schema, notes=(*domain.notes, *notes))


def _block(domain: Domain, wanted: Column, own: Column, start: int) -> np.ndarray:
    """The features `(n, width)` of one column."""
    block = domain.array[:, start : start + own.width]
    if own.kind != wanted.kind or not set(wanted.parts) <= set(own.parts):
        raise DataError(
            f"column {wanted.name!r} of {domain.name}",
            f"must be {_in_words(wanted)}, as in the source",
            _in_words(own),
            "Read it like the source: read_table(path, like=source).",
        )
    if own.kind == "categorical":
        return _choices(block, wanted, own)
    if own.kind == "date" and "age" in wanted.parts:
        block = block.copy()
        block[:, 0] += own.origin - wanted.origin
    return block[:, : wanted.width]


def _choices(block: np.ndarray, wanted: Column, own: Column) -> np.ndarray:
    """One value of the source each, zeros for others, NaN for none."""
    found = np.zeros((len(block), wanted.width), dtype=np.float32)
    for place, category in enumerate(wanted.categories):
        if category in own.categories:
            found[:, place] = block[:, own.categories.index(category)]
    found[np.isnan(block).any(axis=1)] = np.nan
    return found


def _in_words(column: Column) -> str:
    words = {"numeric": "numbers", "categorical": "texts of a few values", "date": "dates"}[column.kind]
    return f"{words} with {' and '.join(column.parts)}" if column.parts else words
