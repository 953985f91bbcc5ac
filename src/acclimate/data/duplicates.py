"""Texts that occur more than once: left out before anything is split or scored, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.words import text_digest
from acclimate.types import UNLABELLED

Key = Callable[[str], object]


def tail_key(text: str) -> str:
    """The last 200 letters and digits in lower case: equal for a review with and without its title."""
    return "".join(filter(str.isalnum, text.casefold()))[-200:]


def without_copies(domain: Domain, others: Iterable[Domain] = (), key: Key = text_digest) -> Domain:
    """The domain with each text once and without those of others; notes say how many went.

    Of copies the first one that has a label stays, or the first. Copies whose labels contradict it are counted.

    Args:
        domain: texts.
        others: domains of texts that stay as they are.
        key: what two copies have in common.
    """
    others = list(others)
    taken = {key(text) for other in others for text in to_texts(other.rows)}
    groups: dict[object, list[int]] = {}
    for row, text in enumerate(to_texts(domain.rows)):
        groups.setdefault(key(text), []).append(row)
    elsewhere = sum(len(rows) for common, rows in groups.items() if common in taken)
    own = [rows for common, rows in groups.items() if common not in taken]
    repeated = len(domain) - elsewhere - len(own)
    if not repeated and not elsewhere:
        return domain
    whose = ([f"{repeated:,} repeat another one"] if repeated else []) + (
        [f"{elsewhere:,} stand in {' or '.join(other.name for other in others)}"] if elsewhere else []
    )
    notes = [
        f"{domain.name}: {repeated + elsewhere:,} of {len(domain):,} texts were left out: {' and '.join(whose)}."
    ]
    if torn := sum(_contradict(domain.labels[rows]) for rows in own):
        notes.append(f"{domain.name}: texts whose copies have different labels: {torn:,}; the first label was kept.")
    kept = sorted(_first_labelled(rows, domain.labels) for rows in own)
    return domain.take(np.array(kept, dtype=np.int64)).with_notes(*notes)


def _first_labelled(rows: list[int], labels: np.ndarray) -> int:
    return next((row for row in rows if labels[row] != UNLABELLED), rows[0])


def _contradict(labels: np.ndarray) -> bool:
    return len(np.unique(labels[labels != UNLABELLED])) > 1
