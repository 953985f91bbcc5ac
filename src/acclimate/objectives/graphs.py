"""Label spreading over graphs of nearest neighbours."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, diags, identity
from scipy.sparse.linalg import cg

_BLOCK = 2048
_TINY = 1e-12


def nearest(rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k most similar other rows of each of the unit rows `(n, d)`: indices and cosines, both `(n, k)`."""
    indices, cosines = [], []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK] @ rows.T
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        index = np.argpartition(-block, k - 1, axis=1)[:, :k]
        indices.append(index)
        cosines.append(np.take_along_axis(block, index, axis=1))
    return np.concatenate(indices), np.concatenate(cosines)


def spread_labels(rows: np.ndarray, labels: np.ndarray, k: int, alpha: float, sharpness: float) -> np.ndarray:
    """Labels spread along a graph of neighbours, in closed form.

        F = (1 − α S)⁻¹ Y,    S = D^−½ W D^−½,    W_ij = ½ (w_ij + w_ji),    w_ij = max(cos_ij, 0)^s if j is near i

    Source: Zhou et al., "Learning with Local and Global Consistency", NIPS 2003, equation 4; the weights are ours.

    Args:
        rows: unit rows `(n, d)`.
        labels: Y `(n, c)`, rows of zeros where there is no label.
        k: neighbours of each row.
        alpha: α in (0, 1), how much a row takes from its neighbours.
        sharpness: s > 0, how much more a nearer neighbour counts.

    Returns:
        `(n, c)`, rows that add up to 1.
    """
    n = len(rows)
    k = max(1, min(k, n // 2))
    index, cosine = nearest(rows, k)
    weights = np.maximum(cosine, 0) ** sharpness
    graph = csr_matrix((weights.ravel(), (np.repeat(np.arange(n), k), index.ravel())), shape=(n, n))
    graph = (graph + graph.T) / 2
    scale = diags(1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel() + 1e-9))
    system = (identity(n) - alpha * (scale @ graph @ scale)).tocsr()
    # Symmetric, with eigenvalues in [1 − α, 1 + α]: a few dozen steps reach the last digits that matter.
    columns = [cg(system, column, rtol=1e-8, maxiter=1000)[0] for column in labels.T]
    found = np.maximum(np.stack(columns, axis=1), _TINY)
    return found / found.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]
