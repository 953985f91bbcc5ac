"""A folder of photos that can be searched: an index of their vectors, kept up to date with what lies on the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acclimate.errors import RequestError
from acclimate.metrics.expansion import expanded
from acclimate.runs.lock import lock
from acclimate.serving.encoder import Encoder
from acclimate.serving.engine import Kind
from acclimate.serving.index import VectorIndex
from acclimate.serving.ledger import LOCK, Ledger, has_index, refuse_used
from acclimate.serving.photos import photo_folder
from acclimate.serving.sync import Progress, Sync, Update, has_direction, open_for

__all__ = ["Gallery", "Hit", "Progress", "Update", "is_blank"]

# Differences of grey that nobody sees, such as a scanner's.
_BLANK = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """A photo that was found.

    Attributes:
        id: its path relative to the gallery's root, with `/`.
        similarity: cosine of the angle between its vector and the query's, in [−1, 1].
    """

    id: str
    similarity: float


class Gallery:
    """Photos of a folder by the vectors of an encoder; made by `build` or `open`.

    Args:
        index: of the photos, by their paths.
        encoder: that it was made with.
        root: the folder of photos, absolute and without links.
    """

    def __init__(self, index: VectorIndex, encoder: Encoder, root: Path) -> None:
        self._index, self._encoder, self.root = index, encoder, root

    @classmethod
    def build(
        cls,
        photos: Path | str,
        folder: Path | str,
        encoder: Encoder,
        *,
        kind: Kind | None = None,
        rebuild: bool = False,
        progress: Progress = lambda phase, done, total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> tuple[Gallery, Update]:
        """Index a folder of photos, or bring its index up to date.

        Photos are told apart by their content: one that was moved keeps its vector, one that lies there twice is
        indexed once, under the path that comes first in the alphabet. So the index depends on what is in the folder
        and on nothing that happened before. It is saved now and then; interrupted in whatever way, the next call
        goes on.

        Args:
            photos: their folder, with as many folders below it as you like.
            folder: of the index; a new or empty one, or that of an index of these photos.
            encoder: the photos are encoded as pictures of the target.
            kind: of the index; by default exact up to `MOST_EXACT` photos, usearch above. Given or outgrown, an
                index that is there is converted.
            rebuild: drop the index that is there, whatever it is.
            progress: is called with the phase, how much of it is done, and how much there is.
            stopped: is asked between blocks of some 250 photos; what has been done is saved then.

        Returns:
            The gallery, and what became of each photo.

        Raises:
            RequestError: if there is no such folder, the index is of another encoder or of other photos, or another
                process is writing it.
            DataError: if no photo opens, or the index is damaged. Then the index is as it was.
            MissingExtraError: if there are too many photos for an exact index and usearch is not installed.
            WorkError: if the disk cannot be written; what was saved before is still there.
        """
        root = photo_folder(Path(photos))
        folder = Path(folder).absolute()
        refuse_used(folder)
        held = lock(folder, "index", LOCK, option="index")
        try:
            index, update = Sync(root, folder, encoder, kind, rebuild, progress, stopped).run()
        finally:
            held.release()
        return cls(index, encoder, root), update

    @classmethod
    def open(cls, folder: Path | str, encoder: Encoder) -> Gallery:
        """The gallery whose index lies in a folder.

        Raises:
            RequestError: if there is none, or one of another encoder or format.
            DataError: if it is damaged.
        """
        folder = Path(folder).absolute()
        if not has_index(folder):
            fix = "Index your photos first: acclimate index RUN PHOTOS/"
            raise RequestError("index", "must be a folder where photos have been indexed", repr(str(folder)), fix)
        index = open_for(folder, encoder, "Build it again: acclimate index RUN PHOTOS/ --rebuild")
        return cls(index, encoder, Path(Ledger.read(folder).root))

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        return f"Gallery({len(self):,} photos of {self.root})"

    @property
    def ids(self) -> tuple[str, ...]:
        """All photos, in the order of adding."""
        return self._index.ids

    def search(self, pictures: np.ndarray, k: int = 10, *, expand: int = 0) -> list[list[Hit]]:
        """The k photos most similar to each picture, or all if there are fewer.

        Args:
            pictures: uint8 `(q, h, w, c)` in the encoder's form of the source.
            k: 1 or more.
            expand: search again, drawn towards so many of the photos found first (`metrics.expansion`); 0 for not.

        Returns:
            For each picture its hits, the most similar first.

        Raises:
            RequestError: if k, expand or the pictures are not such, or the encoder sees nothing in one of them.
        """
        _check_k(k)
        if expand < 0:
            raise RequestError("expand", "must be at least 0", expand, "Leave it out, or ask for 20.")
        wanted = self._encoder.form("source").shape
        if pictures.dtype != np.uint8 or pictures.shape[1:] != wanted:
            raise RequestError(
                "pictures",
                f"must be uint8 of shape (q, {', '.join(map(str, wanted))})",
                f"{pictures.dtype} of shape {pictures.shape}",
                "Decode them with acclimate.data.readers.pictures.decode in the encoder's form.",
            )
        if not len(pictures):
            return []
        vectors = self._encoder.encode(pictures, "source")
        blind = np.flatnonzero(~has_direction(vectors))
        if len(blind):
            raise RequestError(
                f"picture {blind[0] + 1}",
                "must show something that the run can tell from nothing",
                "a vector without a direction",
                "Draw with stronger strokes, or train the run for longer.",
            )
        return self._hits(expanded(vectors, self._nearest, expand) if expand else vectors, k)

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Vectors and cosines of the k nearest photos, or of all if there are fewer."""
        ids, cosines = self._index.search(queries, min(k, len(self)))
        return np.stack([self._index.vectors(row) for row in ids]), cosines

    def like(self, id: str, k: int = 10) -> list[Hit]:  # noqa: A002  # as the field of `Hit`
        """The k photos most similar to one of the gallery, itself left out.

        Raises:
            RequestError: if there is no such photo, or k is not positive.
        """
        _check_k(k)
        self._check_id(id)
        found = self._hits(self._index.vectors([id]), k + 1)[0]
        return [hit for hit in found if hit.id != id][:k]

    def path(self, id: str) -> Path:  # noqa: A002
        """The file of an indexed photo, without links; it is there, and lies below the root.

        Raises:
            RequestError: if there is no such photo in the index, or its file is gone or lies elsewhere by now.
        """
        self._check_id(id)
        found = (self.root / id).resolve()
        if not found.is_relative_to(self.root) or not found.is_file():
            raise RequestError(
                "photo",
                f"must still lie in {self.root}",
                f"{id!r:.200}, which does not",
                "Bring the index up to date: acclimate index RUN PHOTOS/",
            )
        return found

    def _hits(self, vectors: np.ndarray, k: int) -> list[list[Hit]]:
        ids, similarities = self._index.search(vectors, min(k, len(self)))
        return [
            [Hit(name, float(value)) for name, value in zip(row, values, strict=True)]
            for row, values in zip(ids, similarities, strict=True)
        ]

    def _check_id(self, name: str) -> None:
        if name not in self._index:
            raise RequestError(
                "photo", "must be one of the gallery", f"{name!r:.200}", "Take an id that a search has given."
            )


def is_blank(picture: np.ndarray) -> bool:
    """Whether a picture uint8 `(h, w, c)` shows nothing at all: one colour everywhere."""
    flat = picture.reshape(-1, picture.shape[-1]).astype(np.int16)
    return bool((np.ptp(flat, axis=0) <= _BLANK).all())


def _check_k(k: int) -> None:
    if k < 1:
        raise RequestError("k", "must be at least 1", k, "Ask for one photo or more.")
