"""Columns that two tables of different columns have by one name: what ties the sides together without any label."""

from __future__ import annotations

from collections.abc import Iterator

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.data.schema import Column, TableSchema

Pairs = tuple[tuple[int, int], ...]


def shared_names(source: Domain, target: Domain) -> tuple[str, ...]:
    """Names of the columns that both sides have and mean alike, in the source's order; none of arrays.

    A column counts where both sides read it as numbers, as categories of which some are the same, or as dates.
    """
    one, two = source.schema, target.schema
    if not isinstance(one, TableSchema) or not isinstance(two, TableSchema):
        return ()
    others = {column.name: column for column in two.columns}
    return tuple(c.name for c in one.columns if c.name in others and any(_alike(c, others[c.name])))


def shared_inputs(source: Domain, target: Domain, of_source: Preprocess, of_target: Preprocess) -> Pairs:
    """Which of the source's inputs and of the target's are the same: indices after each side's preprocessing.

    Args:
        source: the source's training examples.
        target: the target's.
        of_source: the source's preprocessing, which may leave columns out that have no value.
        of_target: the target's.
    """
    one, two = source.schema, target.schema
    if not isinstance(one, TableSchema) or not isinstance(two, TableSchema):
        return ()
    theirs = {column.name: (column, start) for column, start in zip(two.columns, two.starts, strict=True)}
    places, others = _places(of_source), _places(of_target)
    pairs = []
    for column, start in zip(one.columns, one.starts, strict=True):
        if column.name in theirs:
            other, begins = theirs[column.name]
            pairs += [(start + i, begins + j) for i, j in _alike(column, other)]
    return tuple((places[i], others[j]) for i, j in pairs if i in places and j in others)


def _alike(one: Column, two: Column) -> Iterator[tuple[int, int]]:
    """Which features of two columns of one name are the same."""
    if one.kind != two.kind:
        return
    if one.kind == "categorical":
        where = {category: j for j, category in enumerate(two.categories)}
        yield from ((i, where[c]) for i, c in enumerate(one.categories) if c in where)
    elif one.parts == two.parts:
        yield from ((i, i) for i in range(one.width))


def _places(preprocess: Preprocess) -> dict[int, int]:
    """Where each feature of a table stands after preprocessing."""
    out = set(preprocess.gaps.left_out) if preprocess.gaps else set()
    return {feature: place for place, feature in enumerate(i for i in range(preprocess.width) if i not in out)}
