"""One picture file: what its header says, and its pixels in the form that a data set asks for."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
MOST_PIXELS = 100_000_000
# Of pictures that anybody may hand in, or that come by the hundred thousand.
MOST_UNPACKED = 40_000_000
LARGE_PIXELS = 10_000_000
# Pixels differ in their last bits between versions of the decoder, so the cache asks for it.
DECODER = f"pillow {PIL.__version__}"

# A picture of 100 megapixels takes up to a gigabyte while it is decoded. Several threads would take several at once,
# and keep them: an allocator gives each thread memory of its own.
_one_thread = ThreadPoolExecutor(1)
# What the suffixes stand for. Pillow knows more formats, some of which start other programs.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
_GREY_MODES = ("1", "L", "LA")
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a picture before its pixels are decoded.

    Attributes:
        sides: width and height in pixels, as stored.
        grey: True if no pixel can have a colour.
        deep: True if it has one channel of 16 bits.
    """

    sides: tuple[int, int]
    grey: bool
    deep: bool


@dataclass(frozen=True, slots=True)
class Form:
    """What a picture becomes: uint8 `(size, size, channels)`."""

    size: int
    channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return (self.size, self.size, self.channels)


class TooManyPixels(Image.DecompressionBombError):
    """A picture would take more memory than it is allowed to.

    Args:
        most: pixels that it may have.
    """

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most // 10**6} megapixels")


def read_header(path: Path) -> Header:
    """Read a picture's header.

    Raises:
        Exception: whatever Pillow raises on a damaged file, or on one that is too large to decode; see `reason`.
    """
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise TooManyPixels(MOST_PIXELS)
        return Header(image.size, _is_grey(image), image.mode in _DEEP_MODES)


def decode(file: Path | BinaryIO, form: Form, most_pixels: int = MOST_PIXELS) -> np.ndarray:
    """The pixels: upright, on white, the middle square resized to `form.size`.

    A large JPEG is decoded at a half, a quarter or an eighth, as long as its short side keeps twice the size asked
    for; resizing is bilinear, antialiased. Of an animation the first frame is taken; of 16 bits the upper eight.

    Args:
        file: a path, or a binary file that can be sought in.
        form: what is asked for.
        most_pixels: that may have to be unpacked; of a JPEG that is decoded smaller, those that are left.

    Returns:
        uint8 `(size, size, channels)`.

    Raises:
        TooManyPixels: if there are more; no pixel has been decoded then.
        Exception: whatever Pillow raises on a damaged file; see `reason`.
    """
    with Image.open(file, formats=FORMATS) as image:
        width, height = image.size
        shrink = min(width, height) // (2 * form.size)
        if shrink > 1:
            image.draft(image.mode, (width // shrink, height // shrink))
        # The decoder keeps all of a progressive JPEG, however small it is to become.
        pixels = width * height if "progressive" in image.info else image.width * image.height
        if pixels > most_pixels or width * height > MOST_PIXELS:
            raise TooManyPixels(most_pixels if pixels > most_pixels else MOST_PIXELS)
        if pixels > LARGE_PIXELS:
            return _one_thread.submit(_pixels, image, form).result()
        return _pixels(image, form)


def decode_bytes(content: bytes, form: Form, most_pixels: int = MOST_UNPACKED) -> np.ndarray:
    """`decode` for a file that is in memory, such as an upload; with its arguments, results and errors."""
    return decode(io.BytesIO(content), form, most_pixels)


def _pixels(image: Image.Image, form: Form) -> np.ndarray:
    with image:
        image.load()
        _turn_upright(image)
        flat = _flatten(image).convert("L" if form.channels == 1 else "RGB")
        return np.asarray(_fit(flat, form.size)).reshape(form.shape)


def reason(error: Exception) -> str:
    """Why a picture could not be had, in a few words."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image of a known format"
    if isinstance(error, Image.DecompressionBombError) and not isinstance(error, TooManyPixels):
        return f"more than {MOST_PIXELS // 10**6} megapixels"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _is_grey(image: Image.Image) -> bool:
    if image.mode == "P":
        palette = np.array(image.getpalette() or [0, 0, 0]).reshape(-1, 3)
        return bool((palette == palette[:, :1]).all())
    return image.mode in _GREY_MODES or image.mode in _DEEP_MODES


def _turn_upright(image: Image.Image) -> None:
    """Turn the picture as its EXIF orientation says; leave it as stored if that cannot be understood."""
    # Pillow raises errors of many types on odd metadata, while the pixels are sound.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _flatten(image: Image.Image) -> Image.Image:
    """Eight bits per channel, without alpha: what is transparent shows white."""
    if image.mode in _DEEP_MODES:
        values = np.clip(np.asarray(image), 0, 0xFFFF) >> 8
        return Image.fromarray(values.astype(np.uint8))
    if not image.has_transparency_data:
        return image
    picture = image.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def _fit(image: Image.Image, size: int) -> Image.Image:
    """The middle square, resized. Cutting before resizing keeps a picture of 1 by 1,000,000 pixels harmless."""
    short = min(image.size)
    left, top = ((side - short) / 2 for side in image.size)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + short, top + short))
