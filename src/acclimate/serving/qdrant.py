"""The nearest vectors by asking Qdrant: a server that several programs share, or its local mode for small tests."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.errors import MissingExtraError
from acclimate.serving.engine import DType, Engine, ranked, read_rows, write_rows

_AT_ONCE = 1000


class QdrantEngine(Engine):
    """A collection of its own, which `close` deletes.

    Files are the truth: Qdrant is filled from them when an index is opened. Its own local files are not used, for
    they are pickled, and an index is data, never code.

    Args:
        width: of the vectors.
        dtype: in which they are kept.
        client: a `QdrantClient` of a server; by default Qdrant's local mode in memory, which compares with all.

    Raises:
        MissingExtraError: if qdrant-client is not installed.
    """

    kind = "qdrant"
    suffix = ".npy"

    def __init__(self, width: int, dtype: DType, client: Any = None) -> None:
        super().__init__(width, dtype)
        self._qdrant = _qdrant()
        self._client = self._qdrant.QdrantClient(":memory:") if client is None else client
        self._collection = f"acclimate-{secrets.token_hex(8)}"
        models = self._qdrant.models
        # Of unit vectors the inner product is the cosine, and they are kept as they are given.
        self._client.create_collection(
            self._collection,
            vectors_config=models.VectorParams(
                size=width, distance=models.Distance.DOT, datatype=models.Datatype(dtype)
            ),
        )

    def add(self, keys: np.ndarray, units: np.ndarray) -> None:
        """Take them, in the type of the index."""
        for start in range(0, len(keys), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            # Rounded here, for the local mode keeps single precision whatever it is asked for.
            rounded = units[rows].astype(self.dtype).astype(np.float32)
            batch = self._qdrant.models.Batch(ids=keys[rows].tolist(), vectors=rounded.tolist())
            self._client.upsert(self._collection, batch, wait=True)

    def remove(self, keys: np.ndarray) -> None:
        """Forget them."""
        chosen = self._qdrant.models.PointIdsList(points=keys.tolist())
        self._client.delete(self._collection, chosen, wait=True)

    def search(self, units: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest; see `Engine.search`."""
        keys = np.empty((len(units), k), dtype=np.int64)
        similarities = np.empty((len(units), k), dtype=np.float32)
        for query, unit in enumerate(units):
            points = self._nearest(unit, k, exact=False)
            if len(points) < k:
                points = self._nearest(unit, k, exact=True)
            near = np.array([point.id for point in points], dtype=np.int64)
            cosines = np.array([point.vector for point in points], dtype=np.float64) @ unit.astype(np.float64)
            keys[query], similarities[query] = ranked(near, cosines, k)
        return keys, similarities

    def vectors(self, keys: np.ndarray) -> np.ndarray:
        """These, as float32."""
        out = np.empty((len(keys), self.width), dtype=np.float32)
        place = {key: row for row, key in enumerate(keys.tolist())}
        for start in range(0, len(keys), _AT_ONCE):
            asked = keys[start : start + _AT_ONCE].tolist()
            for point in self._client.retrieve(self._collection, asked, with_vectors=True, with_payload=False):
                out[place[point.id]] = point.vector
        return out

    def write(self, path: Path, keys: np.ndarray) -> None:
        """To one file."""
        parts = (self.vectors(keys[start : start + _AT_ONCE]) for start in range(0, len(keys), _AT_ONCE))
        write_rows(path, parts, len(keys), self.width, self.dtype)

    @classmethod
    def read(cls, path: Path, keys: np.ndarray, width: int, dtype: DType, client: Any = None) -> QdrantEngine:
        """Fill a new collection."""
        rows = read_rows(path, len(keys), width, dtype)
        engine = cls(width, dtype, client)
        for start in range(0, len(keys), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            engine.add(keys[part], rows[part].astype(np.float32))
        return engine

    def close(self) -> None:
        """Delete the collection."""
        self._client.delete_collection(self._collection)

    def _nearest(self, unit: np.ndarray, k: int, exact: bool) -> list[Any]:
        params = self._qdrant.models.SearchParams(exact=exact)
        found = self._client.query_points(
            self._collection,
            query=unit.tolist(),
            limit=k,
            search_params=params,
            with_vectors=True,
            with_payload=False,
        )
        return list(found.points)


def _qdrant() -> Any:
    try:
        import qdrant_client
    except ImportError:
        raise MissingExtraError("qdrant_client", "qdrant") from None
    return qdrant_client
