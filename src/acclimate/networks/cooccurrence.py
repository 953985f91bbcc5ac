"""Word vectors in closed form: which words stand near which, or in which texts, and the largest singular vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array
from torch import Tensor

from acclimate.data.text import SENTENCE_END, UNKNOWN
from acclimate.networks.ngrams import count_ngrams

_LEAST = 4  # occurrences of a word that has a vector
_SMOOTHING = 0.75


def cooccurrence_vectors(
    batches: Sequence[Tensor], vocabulary: int, width: int, window: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of words by the positive pointwise mutual information with their neighbours.

        M_uv = max(0, log (#(u, v) Σ_w #(w)^¾ / (#(u) #(v)^¾)))
        M ≈ U S Vᵀ,   the vector of u is a row of U S^½, of length 1

    Pairs count by how near they stand: (window + 1 − distance) / window.

    Source: Levy & Goldberg (NIPS 2014) for the matrix and the square root of S; Levy, Goldberg & Dagan (TACL 2015)
    for the power ¾ on the context's side.

    Args:
        batches: numbers of words `(b, n)` each, with full stops as the number 2.
        vocabulary: how many numbers there are.
        width: numbers for each word; fewer where there are fewer words.
        window: the farthest neighbours.

    Returns:
        The numbers `(m,)` of the words that occur four times or more, rising, and their vectors `(m, width)`.
    """
    line = _one_line(batches, window)
    counts = np.bincount(line[line >= 0], minlength=vocabulary)
    frequent = np.flatnonzero(counts >= _LEAST)
    width = min(width, len(frequent) - 1)
    if width < 1:
        return np.empty(0, dtype=np.int64), np.empty((0, 0))
    places = np.full(vocabulary + 1, -1)
    places[frequent] = np.arange(len(frequent))
    left, sizes, _ = _svd(_information(_near(places[line], len(frequent), window)), width)
    vectors = left * np.sqrt(sizes)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return frequent, vectors / np.where(lengths > 0, lengths, 1)


def topic_vectors(
    batches: Sequence[Tensor], vocabulary: int, width: int, idf: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of words by the texts they stand in: latent semantic analysis.

        X_tw = #(w in t) idf_w / ‖·‖₂,   X ≈ U S Vᵀ,   the vector of w is a row of V

    A text's coordinates in U S are the sum of its words' vectors, weighted by idf, but for its length.

    Source: Deerwester, Dumais, Furnas, Landauer & Harshman, JASIS 1990.

    Args:
        batches: numbers of words `(b, n)` each.
        vocabulary: how many numbers there are.
        width: numbers for each word; fewer where there are fewer words or texts.
        idf: weight of each word `(vocabulary,)`.

    Returns:
        The numbers `(m,)` of the words that occur, rising, and their vectors `(m, width)`.
    """
    numbers, counts = count_ngrams(batches, vocabulary, longest=1)
    width = min(width, len(numbers) - 1, counts.shape[0] - 1)
    if width < 1:
        return np.empty(0, dtype=np.int64), np.empty((0, 0))
    from sklearn.preprocessing import normalize

    weighted = normalize(counts @ diags_array(idf[numbers].astype(np.float64), format="csr"))
    return numbers, _svd(weighted, width)[2].T


def _svd(matrix: csr_array, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The leading part of U S Vᵀ."""
    # Networks of images need none of it, and it takes a second to import.
    from sklearn.utils.extmath import randomized_svd

    left, sizes, right = randomized_svd(matrix, width, n_iter=2, random_state=0)
    return left, sizes, right


def _one_line(batches: Sequence[Tensor], window: int) -> np.ndarray:
    """All texts one after the other, too far apart to be neighbours; −1 where there is no known word."""
    parts = []
    for batch in batches:
        numbers = batch.cpu().numpy()
        gap = np.zeros((len(numbers), window), dtype=numbers.dtype)
        parts.append(np.concatenate([numbers, gap], axis=1).ravel())
    line = np.concatenate(parts)
    line = line[line != SENTENCE_END]
    return np.where(line > UNKNOWN, line, -1)


def _near(line: np.ndarray, size: int, window: int) -> csr_array:
    """How often words stand near each other, `(size, size)`, symmetric."""
    near = csr_array((size, size))
    for distance in range(1, window + 1):
        one, other = line[:-distance], line[distance:]
        both = (one >= 0) & (other >= 0)
        weights = np.full(both.sum(), (window + 1 - distance) / window)
        near = near + coo_array((weights, (one[both], other[both])), shape=(size, size)).tocsr()
    return near + near.T


def _information(near: csr_array) -> csr_array:
    """Positive pointwise mutual information."""
    pairs = near.tocoo()
    totals = np.asarray(near.sum(axis=1)).ravel()
    contexts = totals**_SMOOTHING / (totals**_SMOOTHING).sum()
    values = np.log(pairs.data / (totals[pairs.coords[0]] * contexts[pairs.coords[1]]))
    kept = values > 0
    rows, columns = (side[kept] for side in pairs.coords)
    return coo_array((values[kept], (rows, columns)), shape=near.shape).tocsr()
