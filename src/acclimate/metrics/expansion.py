"""Searching again with what was found: a query drawn towards its nearest items, round after round."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from acclimate.metrics.retrieval import unit_rows

ROUNDS, POWER = 4, 3.0

Nearest = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def expanded(queries: np.ndarray, nearest: Nearest, k: int) -> np.ndarray:
    """Queries drawn towards the k items that are nearest to them (αQE, with α = 3, in four rounds).

        q ← q₀ / ‖q₀‖ + Σ_i w_i v_i / Σ_i w_i,   w_i = max(cos(q, v_i), 0)^α,   over the k nearest items v_i

    What is like many of the first hits comes nearer, and a hit like no other falls back. Finding a whole class gets
    better by that, finding one very item worse. No label is looked at.

    Source: Chum, Philbin, Sivic, Isard & Zisserman, "Total Recall", ICCV 2007; the weights as in Radenović, Tolias &
    Chum, TPAMI 2019, section 3.3.

    Args:
        queries: `(q, d)`, none of them all zeros.
        nearest: of queries `(q, d)` and k, unit vectors of the k nearest items `(q, k, d)` and cosines `(q, k)`.
        k: items to draw towards, ≥ 1; some less than the items of a class.

    Returns:
        `(q, d)`, of length at most 2.
    """
    drawn = first = unit_rows(queries)
    for _ in range(ROUNDS):
        items, cosines = nearest(drawn, k)
        weights = np.maximum(cosines, 0) ** POWER
        total = np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        drawn = first + np.einsum("qk,qkd->qd", weights / total, items)
    return np.asarray(drawn)


def nearest_in(gallery: np.ndarray) -> Nearest:
    """The nearest of a gallery `(n, d)` that lies in memory; all of it where there are fewer than k."""
    units = unit_rows(gallery)

    def nearest(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        cosines = unit_rows(queries) @ units.T
        rows = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        return units[rows], np.take_along_axis(cosines, rows, axis=1)

    return nearest
