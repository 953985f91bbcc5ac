"""A vector index: unit vectors under string ids, kept in a folder that survives whatever ends the program.

A save writes vectors and ids under a new token, then puts index.json in place of the old one (`index_files.py`).
Until that moment the old index is whole, from that moment on the new one is; files that no index.json names are
removed by the next save.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from acclimate.errors import DataError, RequestError
from acclimate.runs.files import as_json, write_atomically, write_text
from acclimate.runs.lock import lock
from acclimate.serving.approximate import UsearchEngine
from acclimate.serving.engine import DType, Engine, Kind
from acclimate.serving.entries import Entries
from acclimate.serving.exact import ExactEngine
from acclimate.serving.index_files import (
    FORMAT,
    HEADER,
    Header,
    Ids,
    check_listed,
    damaged,
    described,
    fault,
    read_header,
    remove_unnamed,
)
from acclimate.serving.qdrant import QdrantEngine

# Beyond it a query takes too long to be answered while somebody draws; see docs/decisions/0014-vector-index.md.
MOST_EXACT = 200_000

_ENGINES: dict[Kind, type[Engine]] = {"exact": ExactEngine, "usearch": UsearchEngine, "qdrant": QdrantEngine}


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the ids given to `VectorIndex.add`.

    Attributes:
        new: ids that the index did not have, with content that it did not have.
        replaced: ids whose content has changed; they count as added last.
        unchanged: ids that are there with this very content.
        copies: ids left out because their content is there under another id, with that id.
    """

    new: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    copies: dict[str, str]


class VectorIndex:
    """Vectors of one encoder by id, and the nearest of them to a query, by cosine.

    Vectors are brought to length 1 on the way in, and queries too. Of equally similar ones (to 1e-6) the one added
    first comes first. An index is changed in memory; `save` makes it last.

    Args:
        encoder: name of what made the vectors, with its version; an index opens for no other.
        width: numbers in each vector, 1 or more.
        kind: `"exact"`, `"usearch"` (approximate) or `"qdrant"`; by default what suits `expected`.
        expected: how many vectors it is to hold.
        dtype: how numbers are kept. float16 halves file and memory and moves cosines by less than 1e-3.
        client: for Qdrant, the `QdrantClient` of a server.

    Raises:
        RequestError: if one of these is out of range.
        MissingExtraError: if the kind's library is not installed.
    """

    def __init__(
        self,
        encoder: str,
        width: int,
        *,
        kind: Kind | None = None,
        expected: int = 0,
        dtype: DType = "float32",
        client: Any = None,
    ) -> None:
        kind = kind or ("exact" if expected <= MOST_EXACT else "usearch")
        for name, value, known in (("kind", kind, tuple(_ENGINES)), ("dtype", dtype, ("float32", "float16"))):
            if value not in known:
                raise RequestError(name, f"must be one of {', '.join(known)}", repr(value), f"Take {known[0]}.")
        if width < 1:
            raise RequestError("width", "must be at least 1", width, "Give the number of the encoder's features.")
        self.encoder, self.width, self.dtype, self.kind = encoder, width, dtype, kind
        extra = {"client": client} if kind == "qdrant" else {}
        self._engine: Engine = _ENGINES[kind](width, dtype, **extra)
        self._entries = Entries()
        self._tokens: dict[Path, str] = {}

    def __len__(self) -> int:
        return len(self._entries.keys)

    def __contains__(self, name: object) -> bool:
        return name in self._entries.keys

    def __repr__(self) -> str:
        return f"VectorIndex({self.kind}: {len(self):,} vectors of {self.width:,} numbers by {self.encoder})"

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids in the order of adding."""
        return tuple(self._entries.keys)

    @property
    def hashes(self) -> Mapping[str, str]:
        """The content hash of every id, in the order of adding; it follows the index as that changes."""
        return MappingProxyType(self._entries.hashes)

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 `(n, width)` of n ids.

        Raises:
            RequestError: if one of them is not there.
        """
        self._check_there(ids)
        return self._engine.vectors(self._entries.keys_of(ids))

    def holds(self, name: str, content_hash: str) -> bool:
        """True if that id is there with that content, so that there is no need to encode and add it again."""
        return self._entries.hashes.get(name) == content_hash

    def add(self, ids: Sequence[str], vectors: np.ndarray, hashes: Sequence[str] | None = None) -> Added:
        """Put vectors in, or new ones in place of old; the same content twice is kept once.

        Args:
            ids: n different ones.
            vectors: `(n, width)` finite numbers, none of them all zeros.
            hashes: a hash of each item's content, such as of a picture's bytes; by default of its vector.

        Returns:
            What became of each.

        Raises:
            RequestError: if the above does not hold. Then nothing has changed.
        """
        units = self._units("vectors", vectors)
        ids = list(ids)
        hashes = [_vector_hash(unit) for unit in units] if hashes is None else list(hashes)
        for name, values in (("ids", ids), ("hashes", hashes)):
            if len(values) != len(units):
                rule = f"must be one for each of the {len(units):,} vectors"
                raise RequestError(name, rule, f"{len(values):,}", "Give as many of both.")
        if len(set(ids)) < len(ids):
            repeated = next(name for i, name in enumerate(ids) if name in ids[:i])
            raise RequestError("ids", "must all be different", f"{repeated!r} twice", "Leave one of the two out.")
        # First, for what has left one id may come under another, before it or after it.
        changed = {
            n for n, content in zip(ids, hashes, strict=True) if self._entries.hashes.get(n, content) != content
        }
        self._forget(sorted(changed))
        rows, unchanged, copies = [], [], {}
        for row, (name, content) in enumerate(zip(ids, hashes, strict=True)):
            first = self._entries.id_of_hash.get(content)
            if first is None:
                self._entries.note(name, content)
                rows.append(row)
            elif first == name:
                unchanged.append(name)
            else:
                copies[name] = first
        if rows:
            self._engine.add(self._entries.keys_of([ids[row] for row in rows]), units[rows])
        taken = [ids[row] for row in rows]
        return Added(
            tuple(name for name in taken if name not in changed),
            tuple(name for name in taken if name in changed),
            tuple(unchanged),
            copies,
        )

    def remove(self, ids: Iterable[str]) -> None:
        """Take vectors out; copies of them that were left out when added can be added from then on.

        Raises:
            RequestError: if an id is not there. Then nothing has changed.
        """
        ids = list(dict.fromkeys(ids))
        self._check_there(ids)
        self._forget(ids)

    def rename(self, names: Mapping[str, str]) -> None:
        """Give ids new names; content, vectors and order stay. Two may trade theirs.

        Raises:
            RequestError: if an id is not there, or two would have one name. Then nothing has changed.
        """
        self._check_there(names)
        self._entries.rename(names)

    def search(self, queries: np.ndarray, k: int = 10) -> tuple[list[list[str]], np.ndarray]:
        """The k most similar of each query, the most similar first.

        Args:
            queries: `(q, width)` finite numbers, none of them all zeros.
            k: 1 to the number of vectors.

        Returns:
            For each query its k ids, and their cosines, float32 `(q, k)`, descending.

        Raises:
            RequestError: if the index is empty, or the above does not hold.
        """
        if not len(self):
            raise RequestError("the index", "must hold vectors to search in", "an empty one", "Add some first.")
        if not 1 <= k <= len(self):
            fix = "Ask for fewer, or add more."
            raise RequestError("k", f"must lie in 1…{len(self):,}, the vectors of the index", k, fix)
        units = self._units("queries", queries)
        if not len(units):
            return [], np.empty((0, k), dtype=np.float32)
        keys, similarities = self._engine.search(units, k)
        return [[self._entries.id_of_key[key] for key in row] for row in keys.tolist()], similarities

    def converted(self, kind: Kind, *, dtype: DType | None = None, client: Any = None) -> VectorIndex:
        """The same vectors under the same ids in an index of another kind, which may take this one's place."""
        other = VectorIndex(self.encoder, self.width, kind=kind, dtype=dtype or self.dtype, client=client)
        names = list(self._entries.keys)
        for start in range(0, len(names), 4096):
            part = names[start : start + 4096]
            hashes = [self._entries.hashes[name] for name in part]
            other.add(part, self._engine.vectors(self._entries.keys_of(part)), hashes)
        other._tokens = dict(self._tokens)
        return other

    def close(self) -> None:
        """Let go of what is held outside of this process; the index is of no use afterwards."""
        self._engine.close()

    def save(self, folder: Path | str) -> None:
        """Write everything to a folder; until the last step what was saved there before stays what is opened.

        Raises:
            RequestError: if another process is writing there, or the folder holds an index that this one was neither
                opened from nor saved as, or that has changed since.
            WorkError: if the disk cannot be written; what was saved before is still there.
        """
        folder = Path(folder).absolute()
        held = lock(folder, "index", option="index")
        try:
            self._check_owner(folder)
            remove_unnamed(folder)
            token = secrets.token_hex(8)
            names = list(self._entries.keys)
            keys = self._entries.keys_of(names)
            vectors = folder / f"vectors-{token}{self._engine.suffix}"
            write_atomically(vectors, lambda path: self._engine.write(path, keys))
            hashes = list(self._entries.hashes.values())
            listed = Ids(next_key=self._entries.next_key, keys=keys.tolist(), ids=names, hashes=hashes)
            written_ids = folder / f"ids-{token}.json"
            write_text(written_ids, listed.model_dump_json())
            header = Header(
                format=FORMAT,
                kind=self.kind,
                encoder=self.encoder,
                width=self.width,
                dtype=self.dtype,
                count=len(self),
                token=token,
                vectors=described(vectors),
                ids=described(written_ids),
            )
            write_text(folder / HEADER, as_json(header.model_dump()))
            self._tokens[folder] = token
            remove_unnamed(folder)
        finally:
            held.release()

    @classmethod
    def open(
        cls, folder: Path | str, *, encoder: str | None = None, width: int | None = None, client: Any = None
    ) -> VectorIndex:
        """The index saved in a folder; an exact one is memory-mapped.

        Args:
            folder: where it was saved.
            encoder: what queries are encoded with; None to take whatever the index was made with.
            width: of these queries; None likewise.
            client: as for the class.

        Raises:
            RequestError: if there is no index, or one of another encoder, width or format.
            DataError: if it is damaged.
            MissingExtraError: if its kind's library is not installed.
        """
        folder = Path(folder).absolute()
        header = read_header(folder)
        for what, asked, there in (("encoder", encoder, header.encoder), ("width", width, header.width)):
            if asked is not None and asked != there:
                raise RequestError(
                    f"the index in {folder}",
                    f"must be made with the {what} {asked!r} that encodes the queries",
                    f"one made with {there!r}",
                    "Build the index again with this encoder, or search with the one it was made with.",
                )
        for file in (header.vectors, header.ids):
            if wrong := fault(folder, file):
                raise damaged(folder, f"{file.name}, which {wrong}")
        index = cls(header.encoder, header.width, kind="exact", dtype=header.dtype)
        try:
            listed = Ids.model_validate_json((folder / header.ids.name).read_bytes())
            keys = np.array(listed.keys, dtype=np.int64)
            check_listed(listed, keys, header.count)
            extra = {"client": client} if header.kind == "qdrant" else {}
            index.kind, read = header.kind, _ENGINES[header.kind].read
            index._engine = read(folder / header.vectors.name, keys, header.width, header.dtype, **extra)
        except (ValueError, OSError, EOFError, RuntimeError) as error:
            if isinstance(error, RequestError):  # a missing extra is one, and a ValueError too
                raise
            raise damaged(folder, str(error)) from None
        for name, content, key in zip(listed.ids, listed.hashes, listed.keys, strict=True):
            index._entries.note(name, content, key)
        index._entries.next_key, index._tokens = listed.next_key, {folder: header.token}
        return index

    def _check_there(self, ids: Iterable[str]) -> None:
        unknown = [name for name in ids if name not in self._entries.keys]
        if unknown:
            more = f" and {len(unknown) - 1:,} more that are not" if len(unknown) > 1 else ""
            fix = "Look at the index's ids; an id is the name it was added under."
            raise RequestError("ids", "must be in the index", f"{unknown[0]!r}{more}", fix)

    def _forget(self, ids: list[str]) -> None:
        if keys := self._entries.forget(ids):
            self._engine.remove(np.array(sorted(keys), dtype=np.int64))

    def _units(self, name: str, vectors: np.ndarray) -> np.ndarray:
        vectors = np.asarray(vectors)
        if vectors.ndim != 2 or vectors.shape[1] != self.width or vectors.dtype.kind not in "fiu":
            raise RequestError(
                name,
                f"must be numbers of shape (n, {self.width}), as {self.encoder} gives them",
                f"{vectors.dtype} of shape {vectors.shape}",
                "Encode them with the encoder of the index.",
            )
        # In double precision and first by the largest number, so that no square leaves the range.
        vectors = vectors.astype(np.float64)
        scale = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
        wrong = np.flatnonzero(~(np.isfinite(scale[:, 0]) & (scale[:, 0] > 0)))
        if len(wrong):
            what = "zeros only" if scale[wrong[0], 0] == 0 else "others"
            raise RequestError(
                name, "must be finite numbers, not all 0", f"{what} in row {wrong[0]}", "Leave these rows out."
            )
        vectors = vectors / scale
        units: np.ndarray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return units

    def _check_owner(self, folder: Path) -> None:
        """Never write over what somebody else has saved."""
        try:
            there = read_header(folder).token if (folder / HEADER).exists() else None
        except DataError:
            there = "damaged"
        if there is not None and there != self._tokens.get(folder):
            changed = "that another process has saved meanwhile" if folder in self._tokens else "already"
            raise RequestError(
                str(folder),
                "must not hold another index",
                f"one {changed}",
                "Choose another folder, or open the index that is there and add to it.",
            )


def recall_against(index: VectorIndex, exact: VectorIndex, queries: np.ndarray, k: int = 10) -> float:
    """Share of the k truly nearest vectors that an approximate index finds (recall@k), in [0, 1].

    Args:
        index: to judge.
        exact: the same vectors under the same ids in an index of kind `"exact"`.
        queries: `(q, width)`, q ≥ 1.
        k: as for `VectorIndex.search`.

    Raises:
        RequestError: as for `VectorIndex.search`.
    """
    (found, _), (truth, _) = (one.search(queries, k) for one in (index, exact))
    return sum(len(set(a) & set(b)) for a, b in zip(found, truth, strict=True)) / (k * len(truth))


def _vector_hash(unit: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(unit).data, digest_size=20).hexdigest()
