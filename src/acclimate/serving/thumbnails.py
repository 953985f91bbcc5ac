"""Photos as small as a page shows them, kept in memory up to a limit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from acclimate.data.readers.pictures import MOST_PIXELS

_SIDE = 320
# Pictures this small are data in themselves: they are shown to the pixel.
_TINY = 96


class Thumbnails:
    """The least recently seen go first when there are too many bytes; a file that has changed is read again.

    Args:
        most_bytes: to keep.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[tuple[str, int, int], tuple[bytes, str]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._bytes

    def of(self, path: Path) -> tuple[bytes, str]:
        """The thumbnail's content and media type.

        Raises:
            OSError: if the file cannot be read as a picture.
        """
        stat = path.stat()
        key = (str(path), stat.st_mtime_ns, stat.st_size)
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
        made = _small(path)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made[0])
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1][0])
        return made


def _small(path: Path) -> tuple[bytes, str]:
    with Image.open(path) as image:
        if image.width * image.height > MOST_PIXELS:
            raise OSError(f"{path.name} has too many pixels")
        tiny = max(image.size) <= _TINY
        image.draft("RGB", (2 * _SIDE, 2 * _SIDE))
        # Pillow raises errors of many types on odd metadata, while the pixels are sound.
        with suppress(Exception):
            ImageOps.exif_transpose(image, in_place=True)
        if not tiny:
            image.thumbnail((_SIDE, _SIDE))
        flat = _on_white(image)
    file = BytesIO()
    flat.save(file, "PNG" if tiny else "JPEG", quality=85)
    return file.getvalue(), "image/png" if tiny else "image/jpeg"


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    picture = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
