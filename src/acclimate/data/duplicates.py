"""Texts that occur more than once: left out before anything is split or scored, and counted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.words import text_digest
from acclimate.types import UNLABELLED

Key = Callable[[str], object]

# Letters and digits. A tail of fewer is no sign that two texts are one: "I love it" ends many reviews.
_TAIL, _SHORTEST_TAIL = 200, 20


def tail_key(text: str) -> str:
    """The last 200 letters and digits in lower case.

    Equal for a review with and without its title where the review alone has as many; `without_endings` sees the
    shorter ones too.
    """
    return _letters(text)[-_TAIL:]


def without_endings(domain: Domain, others: Iterable[Domain]) -> Domain:
    """The domain without texts that a text of `others` ends with, as a review with its title ends with the review.

    Compared are letters and digits in lower case, the last 200 where there are more; a text with fewer than 20 stays.
    A note says how many went.

    Args:
        domain: texts.
        others: domains of texts that stay as they are.
    """
    others = list(others)
    reversed_others = sorted(_letters(text)[::-1] for other in others for text in to_texts(other.rows))
    stays = np.array([not _ends_one(tail_key(text), reversed_others) for text in to_texts(domain.rows)], dtype=bool)
    if stays.all():
        return domain
    whose, gone = " or ".join(other.name for other in others), np.count_nonzero(~stays)
    return domain.take(np.flatnonzero(stays)).with_notes(
        f"{domain.name}: {gone:,} of {len(domain):,} texts were left out: texts of {whose} end with them."
    )


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _ends_one(tail: str, reversed_texts: list[str]) -> bool:
    """Whether one of the texts, sorted and each written backwards, ends with `tail`."""
    if len(tail) < _SHORTEST_TAIL:
        return False
    place = bisect_left(reversed_texts, tail[::-1])
    return place < len(reversed_texts) and reversed_texts[place].startswith(tail[::-1])


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
