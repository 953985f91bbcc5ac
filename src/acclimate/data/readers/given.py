"""What a program hands to a model, held to the columns it was fitted on: by name where there are names."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from acclimate.data.alignment import aligned
from acclimate.data.domain import Domain
from acclimate.data.readers.cells import cells_of
from acclimate.data.readers.encode import encode
from acclimate.data.readers.frames import Table, as_table
from acclimate.data.readers.tables import table_domain
from acclimate.data.schema import Column, TableSchema
from acclimate.data.strings import as_texts
from acclimate.errors import DataError, DataWarning
from acclimate.types import Side


@dataclass(frozen=True)
class Fields:
    """The columns that a model was fitted on.

    Attributes:
        schema: what they mean; None if they have no names.
        names: all columns that were given, in their order, those that are no features too.
        named: whether the names are text, so that scikit-learn calls them feature names.
    """

    schema: TableSchema | None = None
    names: tuple[str, ...] = ()
    named: bool = False

    @classmethod
    def of(cls, inputs: Any, domain: Domain) -> Fields:
        """Those of inputs, as `tabled` gives them, that became a domain."""
        schema = domain.schema if isinstance(domain.schema, TableSchema) else None
        if schema is not None and isinstance(inputs, Table):
            return cls(schema, tuple(inputs.frame.columns), inputs.named)
        return cls(schema, schema.names if schema else (), named=schema is not None)


def split(data: Any) -> tuple[Any, Any]:
    """Inputs and labels, None where there are none. Two strings are two texts."""
    if isinstance(data, tuple) and len(data) == 2 and not isinstance(data[0], str):
        return data
    return data, None


def by_columns(source: Any, target: Any, model: str, *, apart: bool) -> tuple[Any, Any, dict[Side, Fields]]:
    """Both sides with their tables as domains without labels, and the columns that a model of them is to know.

    Args:
        source: a domain, or inputs and labels.
        target: a domain, inputs, or inputs and labels; in the columns of the source.
        model: its class, for warnings.
        apart: that the target has columns of its own instead.

    Raises:
        DataError: if a table cannot be read, or lacks a column of the source's.
    """
    source, own = _own_columns(source, "source")
    if apart:
        target, other = _own_columns(target, "target")
        return source, target, {"source": own, "target": other}
    inputs, labels = split(target)
    inputs = held_to(own, inputs, model, "target")
    return source, inputs if labels is None else (inputs, labels), {"source": own, "target": own}


def _own_columns(data: Any, name: str) -> tuple[Any, Fields]:
    """One side with its table as a domain, and its columns."""
    inputs, labels = split(data)
    found = tabled(inputs, f"the inputs of {name}")
    if isinstance(found, Domain):
        return data, Fields.of(found, found)
    if not isinstance(found, Table):
        return data, Fields()
    domain = table_domain(found, name)
    return (domain, labels) if labels is not None or name == "source" else domain, Fields.of(found, domain)


def tabled(inputs: Any, what: str) -> Any:
    """A `Table` of whatever is one; anything else, texts and domains too, as it is."""
    if isinstance(inputs, Domain | Table) or as_texts(inputs, what) is not None:
        return inputs
    table = as_table(inputs, what)
    return inputs if table is None else table


def held_to(fields: Fields, inputs: Any, model: str, name: str) -> Any:
    """Inputs as a domain with the columns that a model was fitted on; what has no columns as it is.

    A table is aligned by name. An array has places: it is taken for the columns in their order, with the warning that
    scikit-learn gives. A table for a model of an array is taken by place, with that warning.

    Args:
        fields: of the model.
        inputs: what a caller gave.
        model: its class, for the warnings.
        name: what to call the inputs.

    Raises:
        DataError: if a column is missing, or there is another number of columns without names.
    """
    what = f"the inputs of {name}"
    if isinstance(inputs, Domain):
        return aligned(inputs, fields.schema)
    if fields.schema is None:
        found = tabled(inputs, what)
        return _by_place(found, model, name) if isinstance(found, Table) else found
    found = as_table(inputs, what)  # one column of words is a table here, and texts elsewhere
    table = _of_places(inputs) if found is None else found
    if table is None or (
        not table.named and table.frame.width not in _widths(fields) and table.frame.width == fields.schema.width
    ):
        return inputs  # no table, or the features that one became
    if not table.named and not set(fields.schema.names) <= set(table.frame.columns):
        table = _under_names(table, fields, model, name)
    return table_domain(table, name, fields.schema)


def tell(*notes: str) -> None:
    """Warn of what commands print as notes."""
    if notes:
        warnings.warn("\n".join(dict.fromkeys(notes)), DataWarning, stacklevel=3)


def _widths(fields: Fields) -> tuple[int, ...]:
    return len(fields.names), len(fields.schema.names if fields.schema else ())


def _of_places(inputs: Any) -> Table | None:
    """An array of numbers as columns without names; None for anything else."""
    array = inputs.toarray() if hasattr(inputs, "toarray") else inputs
    array = array.detach().cpu().numpy() if hasattr(array, "detach") else array
    try:
        array = np.asarray(array)
    except ValueError:  # rows of different lengths, which is said where arrays are read
        return None
    if array.ndim != 2 or array.dtype.kind not in "buif":
        return None
    return Table(pl.DataFrame(array, schema=[f"x{i}" for i in range(array.shape[1])]), named=False)


def _under_names(table: Table, fields: Fields, model: str, name: str) -> Table:
    """Columns without names under those that a model was fitted on."""
    assert fields.schema is not None
    width = table.frame.width
    if width not in _widths(fields):
        raise DataError(
            name,
            f"must have the {len(fields.names)} columns that the model was fitted on",
            width,
            f"They are {', '.join(fields.names[:10])}{', …' * (len(fields.names) > 10)}.",
        )
    if fields.named:
        _warn(f"X does not have valid feature names, but {model} was fitted with feature names")
    names = fields.names if width == len(fields.names) else fields.schema.names
    return Table(table.frame.rename(dict(zip(table.frame.columns, names, strict=True))))


def _by_place(table: Table, model: str, name: str) -> np.ndarray:
    """The numbers `(n, d)` of a table whose names mean nothing to the model."""
    if table.named:
        _warn(f"X has feature names, but {model} was fitted without feature names")
    schema = TableSchema(columns=tuple(Column(name=column, kind="numeric") for column in table.frame.columns))
    return encode(cells_of(table, name), schema, None)[0]


def _warn(sentence: str) -> None:
    warnings.warn(sentence, UserWarning, stacklevel=5)
