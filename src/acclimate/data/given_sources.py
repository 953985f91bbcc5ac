"""Several sources as a program gives them: domains, or pairs of inputs and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from acclimate.data.domain import Domain
from acclimate.data.readers.arrays import from_arrays
from acclimate.data.readers.frames import Table
from acclimate.data.readers.given import split, tabled
from acclimate.data.readers.labels import read_labels
from acclimate.data.readers.tables import table_domain
from acclimate.data.sources import joined
from acclimate.errors import DataError


def join_sources(sources: Mapping[str, Any]) -> Domain:
    """Several labelled sources as one domain, for methods of several sources; any other takes it for one source.

    Args:
        sources: by name, each a labelled `Domain` or a pair `(X, y)` as `fit` takes it; all with the same classes and
            the same features. Images are brought to the largest size among them, and to colour if some are in colour.

    Raises:
        DataError: if there are fewer than two, one is empty or has no labels, classes or features differ, or two hold
            the same examples.

    Example:
        >>> shops = join_sources({"a": ([[0.0], [1.0]], ["no", "yes"]), "b": ([[2.0], [3.0]], ["yes", "no"])})
        >>> shops.origin_names, shops.origins.tolist(), shops.labels.tolist()
        (('a', 'b'), [0, 0, 1, 1], [0, 1, 1, 0])
    """
    return joined([_domain(data, name) for name, data in sources.items()])


def _domain(data: Any, name: str) -> Domain:
    if isinstance(data, Domain):
        return replace(data, name=name)
    inputs, y = split(data)
    if y is None:
        fix = "Give a pair (X, y) or a labelled Domain."
        raise DataError(name, "must come with labels", "inputs alone", fix)
    found = tabled(inputs, f"the inputs of {name}")
    made = table_domain(found, name) if isinstance(found, Table) else from_arrays(found, name=name)
    labels = read_labels(y, len(made), f"the labels of {name}")
    return replace(made, labels=labels.indices, classes=labels.classes)
