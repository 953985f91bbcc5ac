"""Features that are counts of words, or of other things of which an example has few: told by their values."""

from __future__ import annotations

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.schema import TableSchema

# Pictures in rows, and a few categories written as 0 and 1, have fewer columns or fewer zeros.
_COLUMNS, _ZEROS = 100, 0.9
_CHUNK = 4096


def holds_counts(domain: Domain) -> bool:
    """Whether a domain's features look like counts of words.

    That is: at least 100 columns of whole numbers ≥ 0, nine tenths of them 0, and none of its rows empty, which could
    not be scaled to length 1. A table's categories, spelt out as columns of 0 and 1, are none; neither are rows of 0
    and 1 that all have the same sum, as such columns of an array would.
    """
    if domain.kind != "features" or not len(domain) or domain.width < _COLUMNS:
        return False
    schema = domain.schema
    if isinstance(schema, TableSchema) and any(column.kind != "numeric" for column in schema.columns):
        return False
    zeros, largest, sums = 0, 0.0, set[float]()
    for rows in domain.blocks(_CHUNK):
        if (rows < 0).any() or (np.mod(rows, 1) != 0).any() or not rows.any(axis=1).all():
            return False
        zeros += int((rows == 0).sum())
        largest, sums = max(largest, float(rows.max())), sums | set(rows.sum(axis=1).tolist())
    return zeros >= _ZEROS * len(domain) * domain.width and (largest > 1 or len(sums) > 1)
