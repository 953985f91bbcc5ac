"""A gallery that follows its index: what is indexed while it is served can be found at once."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np

from acclimate.errors import AcclimateError
from acclimate.serving.encoder import Encoder
from acclimate.serving.gallery import Gallery, Hit
from acclimate.serving.index_files import HEADER

_log = logging.getLogger(__name__)


class LiveGallery:
    """As `Gallery`, opened again by the next search after its index was saved.

    An index that cannot be opened, because it was damaged or is of another encoder by now, is told in the log once;
    the photos known before are served on.

    Args:
        folder: of the index.
        encoder: that it was made with.

    Raises:
        RequestError: if there is no index, or one of another encoder or format.
        DataError: if it is damaged.
    """

    def __init__(self, folder: Path | str, encoder: Encoder) -> None:
        self._folder, self._encoder = Path(folder), encoder
        self._seen = self._stamp()  # before opening: what is saved meanwhile is seen next time
        self._gallery = Gallery.open(folder, encoder)
        self._opening = threading.Lock()

    @property
    def root(self) -> Path:
        """The folder the photos lie in."""
        return self._gallery.root

    def __len__(self) -> int:
        return len(self._gallery)

    def search(self, pictures: np.ndarray, k: int = 10) -> list[list[Hit]]:
        """As `Gallery.search`."""
        return self._latest().search(pictures, k)

    def like(self, id: str, k: int = 10) -> list[Hit]:  # noqa: A002  # as the field of `Hit`
        """As `Gallery.like`."""
        return self._latest().like(id, k)

    def path(self, id: str) -> Path:  # noqa: A002
        """As `Gallery.path`."""
        return self._gallery.path(id)

    def _latest(self) -> Gallery:
        with self._opening:
            stamp = self._stamp()
            if stamp not in (None, self._seen):  # None while it is being built anew
                self._open_again()
                self._seen = stamp
        return self._gallery

    def _open_again(self) -> None:
        try:
            self._gallery = Gallery.open(self._folder, self._encoder)
        except AcclimateError as error:
            _log.warning("The index has changed and cannot be opened; the photos known before are served. %s", error)

    def _stamp(self) -> tuple[int, int, int] | None:
        """What every save changes: its header is written last, as a new file."""
        try:
            found = (self._folder / HEADER).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
