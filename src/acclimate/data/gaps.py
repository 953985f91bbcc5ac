"""Missing values: what stands in their place is decided once, by the source, and kept with the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from acclimate.data.block_statistics import medians
from acclimate.data.domain import Domain
from acclimate.data.schema import Column, Schema, TableSchema
from acclimate.errors import DataError

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class _Span:
    """The features of one column, which miss a value together.

    Attributes:
        name: what messages call it.
        features: where they stand.
        is_choice: whether one of them is 1 and the others 0.
    """

    name: str
    features: slice
    is_choice: bool = False


@dataclass(frozen=True)
class Missing:
    """What a domain lacks.

    Attributes:
        name: of the domain.
        rows: how many examples it has.
        schema: what its features mean, if anybody knows.
        counts: how many examples lack each feature, `(d,)`.
    """

    name: str
    rows: int
    schema: Schema | None
    counts: np.ndarray

    @classmethod
    def of(cls, domain: Domain) -> Self:
        """That of features."""
        counts = sum((np.isnan(block).sum(axis=0) for block in domain.blocks()), np.zeros(domain.width, np.int64))
        return cls(domain.name, len(domain), domain.schema, counts)

    @property
    def spans(self) -> list[_Span]:
        """The columns; of arrays, each feature."""
        return _spans(self.schema, len(self.counts))

    def count(self, span: _Span) -> int:
        """How many examples lack a column."""
        return int(self.counts[span.features.start])

    def lacks(self, span: _Span) -> bool:
        """Whether no example has a value in a column."""
        return bool((self.counts[span.features] == self.rows).all())


class Gaps(BaseModel):
    """What becomes of missing values, which are NaN.

    x ↦ (x with `fill` where it is NaN, without `left_out`; 1 for each of `marked` where x is NaN, else 0).

    Attributes:
        fill: for each feature, what stands in for it: the source's median, or of texts its most frequent value.
        marked: the first feature of each column whose gaps are a feature themselves: those that have some in the
            source. Where only the target has them there is no label to learn from what they mean.
        left_out: the features of columns that one side lacks altogether.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fill: tuple[float, ...]
    marked: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()

    @classmethod
    def of(cls, domains: Sequence[Domain], *, refuse: bool = False) -> Self:
        """Decide for the training domains, the source first.

        Args:
            domains: features of equal width.
            refuse: whether a missing value is an error.

        Raises:
            DataError: if a value is missing and that is an error, or one side lacks every column.
        """
        spans, missing = _spans(domains[0].schema, domains[0].width), list(map(Missing.of, domains))
        if not any(gaps.counts.any() for gaps in missing):
            return cls(fill=_fill(domains[0], spans))
        if refuse:
            raise _refusal(missing)
        lacking = [span for span in spans if any(gaps.lacks(span) for gaps in missing)]
        if len(lacking) == len(spans):
            raise DataError(
                " and ".join(domain.name for domain in domains),
                "must have a column that has values on both sides",
                "none",
                "Check that both hold the same columns.",
            )
        kept = [span for span in spans if span not in lacking]
        return cls(
            fill=_fill(domains[0], spans),
            marked=tuple(s.features.start for s in kept if missing[0].count(s)),
            left_out=tuple(i for span in lacking for i in range(span.features.start, span.features.stop)),
        )

    @property
    def width(self) -> int:
        """How many features go in."""
        return len(self.fill)

    @property
    def channels(self) -> int:
        """How many come out."""
        return self.width - len(self.left_out) + len(self.marked)

    @cached_property
    def _tensors(self) -> tuple[Tensor, Tensor]:
        kept = np.setdiff1d(np.arange(self.width), np.array(self.left_out, dtype=np.int64))
        return torch.tensor(self.fill), torch.from_numpy(kept)

    def close(self, x: Tensor) -> Tensor:
        """Features `(b, channels)` without NaN of features `(b, width)`."""
        missing = x.isnan()
        if not self.marked and not self.left_out and not missing.any():
            return x
        fill, kept = self._tensors
        filled = torch.where(missing, fill, x)
        return torch.cat([filled[:, kept], missing[:, list(self.marked)].to(x.dtype)], dim=1)

    def notes(self, missing: Missing) -> list[str]:
        """What was filled in a domain in raw form, column by column, and what it lacks altogether."""
        out, told, lacking, rows = set(self.left_out), [], [], missing.rows
        for span in missing.spans:
            count = missing.count(span)
            if span.features.start in out:
                lacking += [span.name] if count == rows else []
            elif count:
                told.append(f"{span.name} {'in every row' if count == rows else f'in {count:,}'}")
        notes = []
        if lacking:
            notes.append(
                f"{missing.name}: LEFT OUT on both sides, as there is no value at all here: {_listed(lacking)}."
            )
        if told:
            notes.append(
                f"{missing.name}: missing values were filled with the source's median or most frequent value: "
                f"{_listed(told)} of {rows:,} rows."
            )
        return notes


def refuse_gaps(missing: Missing) -> None:
    """Refuse missing values, for a model that was trained without knowing what to put there.

    A text without a value is none to it.

    Raises:
        DataError: listing the columns that miss values.
    """
    if any(missing.count(span) for span in missing.spans if not span.is_choice):
        raise _refusal([missing], choices=False)


def without_gaps(domain: Domain) -> np.ndarray:
    """The features of a domain as runs had them before missing values were filled: a text without a value is zeros.

    Raises:
        DataError: if a number is missing.
    """
    array, choices = domain.array, [s.features for s in _spans(domain.schema, domain.width) if s.is_choice]
    if choices and np.isnan(array).any():
        array = array.copy()
        for features in choices:
            array[:, features] = np.nan_to_num(array[:, features], nan=0.0)
    return array


def _spans(schema: Schema | None, width: int) -> list[_Span]:
    if not isinstance(schema, TableSchema) or schema.width != width:
        return [_Span(f"feature {i}", slice(i, i + 1)) for i in range(width)]
    return [_span(column, start) for column, start in zip(schema.columns, schema.starts, strict=True)]


def _span(column: Column, start: int) -> _Span:
    return _Span(repr(column.name), slice(start, start + column.width), column.kind == "categorical")


def _fill(domain: Domain, spans: Sequence[_Span]) -> tuple[float, ...]:
    """The median of each feature; of a choice, 1 for the most frequent and 0 for the others."""
    found = medians(domain.blocks, domain.width) if domain.is_on_disk else _medians(domain.array)
    fill = np.where(np.isnan(found), 0.0, found.astype(np.float64))
    sums = sum(np.nansum(block, axis=0, dtype=np.float64) for block in domain.blocks())
    for span in spans:
        if span.is_choice:
            frequent = int(np.asarray(sums)[span.features].argmax())
            fill[span.features] = np.arange(span.features.stop - span.features.start) == frequent
    return tuple(fill.tolist())


def _medians(array: np.ndarray) -> np.ndarray:
    """The median of each feature; NaN where none has a value."""
    known = ~np.isnan(array).all(axis=0)
    found = np.full(array.shape[1], np.nan, array.dtype)
    found[known] = (np.nanmedian if np.isnan(array).any() else np.median)(array[:, known], axis=0)
    return found


def _refusal(sides: Sequence[Missing], *, choices: bool = True) -> DataError:
    """The error that lists every column with a gap; without `choices`, those of texts are none."""
    told = []
    for missing in sides:
        spans = [span for span in missing.spans if missing.count(span) and (choices or not span.is_choice)]
        if spans:
            columns = [f"{span.name} in {missing.count(span):,} rows" for span in spans]
            told.append(f"none for {_listed(columns)} of {missing.name}")
    fix = "Fill these cells or leave the columns out; new runs fill them unless --missing refuse is given."
    return DataError(" and ".join(d.name for d in sides), "must have a value in every cell", "; ".join(told), fix)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
