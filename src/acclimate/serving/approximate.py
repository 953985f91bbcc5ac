"""The nearest vectors by walking a graph of neighbours (HNSW), as usearch builds it; for millions of vectors.

Source: Malkov & Yashunin, IEEE Transactions on Pattern Analysis and Machine Intelligence 42, 2020.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from acclimate.errors import MissingExtraError
from acclimate.serving.engine import DType, Engine, ranked

# How many candidates are kept in mind while a vector is linked, and while neighbours are looked for: few and many,
# since linking is what takes long, and what it overlooks a longer walk still finds (benchmarks/perf/index.py).
_WHILE_ADDING, _WHILE_SEARCHING = 48, 256
_SCALARS = {"float32": "f32", "float16": "f16"}


class UsearchEngine(Engine):
    """A graph in memory. Of equal vectors, those that the walk came by are in the order of their keys.

    Raises:
        MissingExtraError: if usearch is not installed.
    """

    kind = "usearch"
    suffix = ".usearch"

    def __init__(self, width: int, dtype: DType) -> None:
        super().__init__(width, dtype)
        # Of unit vectors the inner product is the cosine, without a length to compute for each pair.
        self._graph = _usearch()(
            ndim=width,
            metric="ip",
            dtype=_SCALARS[dtype],
            expansion_add=_WHILE_ADDING,
            expansion_search=_WHILE_SEARCHING,
        )

    def add(self, keys: np.ndarray, units: np.ndarray) -> None:
        """Take them, in the type of the index; by one thread, so that the graph depends on the vectors alone."""
        # Threads that add at once can leave a vector that no walk reaches: https://github.com/unum-cloud/USearch/issues/735
        self._graph.add(keys.astype(np.uint64), np.ascontiguousarray(units), threads=1)

    def remove(self, keys: np.ndarray) -> None:
        """Forget them."""
        self._graph.remove(keys.astype(np.uint64))

    def search(self, units: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Walk the graph; where that finds too few, compare with all."""
        self._graph.expansion_search = max(_WHILE_SEARCHING, 2 * k)
        keys = np.empty((len(units), k), dtype=np.int64)
        similarities = np.empty((len(units), k), dtype=np.float32)
        for query, unit in enumerate(units):
            found = self._graph.search(unit, k, threads=1)
            if len(found.keys) < k or np.isnan(found.distances).any():
                # A graph from which much was removed can have parts that no walk reaches.
                found = self._graph.search(unit, k, exact=True)
            keys[query], similarities[query] = ranked(found.keys.astype(np.int64), 1 - found.distances, k)
        return keys, similarities

    def vectors(self, keys: np.ndarray) -> np.ndarray:
        """These, as float32."""
        found = self._graph.get(keys.astype(np.uint64)) if len(keys) else np.empty((0, self.width))
        return np.asarray(found, dtype=np.float32).reshape(len(keys), self.width)

    def write(self, path: Path, keys: np.ndarray) -> None:
        """To one file."""
        self._graph.save(str(path))

    @classmethod
    def read(cls, path: Path, keys: np.ndarray, width: int, dtype: DType) -> UsearchEngine:
        """From that file."""
        engine = cls(width, dtype)
        engine._graph.load(str(path))
        found = len(engine._graph), engine._graph.ndim
        if found != (len(keys), width) or not all(engine._graph.contains(keys.astype(np.uint64))):
            raise ValueError(f"{found[0]:,} vectors of {found[1]:,} numbers, and not those that are listed")
        return engine


def _usearch() -> Any:
    try:
        from usearch.index import Index
    except ImportError:
        raise MissingExtraError("usearch", "index") from None
    return Index
