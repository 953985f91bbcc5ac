"""Public data sets, one file each: origin, licence, checksums, parsing and known traps.

A file here that holds a class derived directly from `Dataset` is found by name; there is no list to keep.
"""

from __future__ import annotations

from acclimate.data.catalog.base import Dataset
from acclimate.data.domain import Domain
from acclimate.discovery import datasets, find


def dataset(name: str) -> Dataset:
    """The data set of that name.

    Raises:
        UnknownNameError: if there is none.
    """
    found: Dataset = find("data set", name, datasets()).load()()
    return found


def load(name: str, split: str) -> Domain:
    """One split of a public data set, memory-mapped; see `Dataset.load`."""
    return dataset(name).load(split)
