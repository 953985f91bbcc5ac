"""What was met in a column while it was encoded: adds up over the parts of a table, and is told once of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from acclimate.data.readers.wording import count_rows, some


@dataclass(frozen=True, slots=True)
class Met:
    """What was met in the cells of a column.

    Attributes:
        rows: how many cells there are.
        first: the features `(width,)` of the first of them; None if there is none.
        constant: whether all have those.
        signs: what stands for no value, and how often, where it might be one.
        unseen: values that the source does not have, and how often.
        form: how the whole column is written, where that is not as in the source; None where it is.
        written: what there is to tell of that.
    """

    rows: int = 0
    first: np.ndarray | None = None
    constant: bool = False
    signs: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    form: str | None = None
    written: tuple[str, ...] = ()

    def __add__(self, after: Met) -> Met:
        """Of both parts, this one's rows first; how a column is written, only its whole can tell."""
        if self.first is None or after.first is None:
            return after if self.first is None else self
        alike = self.constant and after.constant and bool((self.first == after.first).all())
        signs, unseen = self.signs + after.signs, self.unseen + after.unseen
        return Met(self.rows + after.rows, self.first, alike, signs, unseen, self.form, self.written)

    def notes(self, name: str) -> list[str]:
        """What a user should know of it, in plain sentences."""
        return [*self.written, *self._notes(name)]

    def _notes(self, name: str) -> Iterator[str]:
        if self.signs:
            shown, rows = some(sorted(map(repr, self.signs))), count_rows(self.signs.total())
            yield (
                f"column {name!r} has {shown} in {rows}, which means no value; if it is one, give it another name."
            )
        if self.unseen:
            shown, rows = some([repr(value) for value in sorted(self.unseen)]), count_rows(self.unseen.total())
            yield (
                f"column {name!r} has values that the source does not have ({shown}) in {rows}; they are encoded as "
                "zeros."
            )
        if self.rows > 1 and self.constant:
            yield f"column {name!r} has the same value in every row."


def counted(values: pl.Series) -> Counter[str]:
    """How often each text occurs; nulls are none."""
    return Counter(dict(values.drop_nulls().value_counts().iter_rows()))
