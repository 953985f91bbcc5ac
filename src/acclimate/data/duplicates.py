"""Texts that occur more than once: left out before anything is split or scored, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.ragged import to_texts
from acclimate.data.words import text_digest

Key = Callable[[str], object]


def tail_key(text: str) -> str:
    """The last 200 letters and digits in lower case: equal for a review with and without its title."""
    return "".join(filter(str.isalnum, text.casefold()))[-200:]


def without_copies(domain: Domain, others: Iterable[Domain] = (), key: Key = text_digest) -> Domain:
    """The domain without texts that occur before in it or in others; a note says how many went.

    Args:
        domain: texts.
        others: domains of texts that stay as they are.
        key: what two copies have in common.
    """
    kept, own, elsewhere = _first_of_each(domain, others, key)
    if not own and not elsewhere:
        return domain
    whose = ([f"{own:,} repeat another one"] if own else []) + (
        [f"{elsewhere:,} stand in {' or '.join(other.name for other in others)}"] if elsewhere else []
    )
    note = f"{domain.name}: {own + elsewhere:,} of {len(domain):,} texts were left out: {' and '.join(whose)}."
    return domain.take(kept).with_notes(note)


def _first_of_each(domain: Domain, others: Iterable[Domain], key: Key) -> tuple[np.ndarray, int, int]:
    """Rows to keep, and how many were left out for standing in the domain itself and elsewhere."""
    taken = {key(text) for other in others for text in to_texts(other.rows)}
    seen: set[object] = set()
    kept, own, elsewhere = [], 0, 0
    for row, text in enumerate(to_texts(domain.rows)):
        digest = key(text)
        if digest in taken:
            elsewhere += 1
        elif digest in seen:
            own += 1
        else:
            seen.add(digest)
            kept.append(row)
    return np.array(kept, dtype=np.int64), own, elsewhere
