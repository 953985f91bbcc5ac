"""A part of a domain, always the same: enough for a curve, or for a share."""

from __future__ import annotations

import numpy as np

from acclimate.data.domain import Domain

_CURVE_EXAMPLES = 2_000


def thinned(domain: Domain, most: int = _CURVE_EXAMPLES) -> Domain:
    """At most so many examples, always the same ones."""
    return domain if len(domain) <= most else domain.take(some_rows(len(domain), most))


def some_rows(n: int, most: int) -> np.ndarray:
    """`most` of `n` rows, in order and always the same ones."""
    return np.sort(np.random.default_rng(0).permutation(n)[:most])
