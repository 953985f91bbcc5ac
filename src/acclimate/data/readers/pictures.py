"""One picture file: what its header says, and its pixels in the form that a data set asks for."""

from __future__ import annotations

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
# As Pillow holds a pixel; of all other modes four bytes.
_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
# Of a sample of a progressive JPEG, kept until its last scan.
_COEFFICIENT = 2
# Rows that are put on white at a time.
_BAND = 256
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


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture whose header has been read, and no pixel yet.

    Attributes:
        image: to be decoded no larger than the form needs it.
        form: what it becomes.
        pixels: that have to be unpacked.
        bytes: that the decoder unpacks them to, before any is thrown away. Pixels are no measure of that: one of 16
            bits and four channels takes eight bytes.
    """

    image: Image.Image
    form: Form
    pixels: int
    bytes: int

    def decode(self) -> np.ndarray:
        """What `decode` gives; the image is closed."""
        image = self.image
        try:
            image.load()
            _turn_upright(image)
            flat = _flatten(image, "L" if self.form.channels == 1 else "RGB")
        finally:
            image.close()  # its pixels with it, which leaving a `with` would keep
        return np.asarray(_fit(flat, self.form.size)).reshape(self.form.shape)


def open_picture(file: Path | BinaryIO, form: Form, most_pixels: int = MOST_PIXELS) -> Opened:
    """Read a picture's header and hold it against the limits; arguments and errors as for `decode`."""
    image = Image.open(file, formats=FORMATS)
    try:
        width, height = image.size
        shrink = min(width, height) // (2 * form.size)
        if shrink > 1:
            image.draft(image.mode, (width // shrink, height // shrink))
        # The decoder keeps all of a progressive JPEG, however small it is to become.
        kept = width * height if "progressive" in image.info else 0
        pixels = kept or image.width * image.height
        if pixels > most_pixels or width * height > MOST_PIXELS:
            raise TooManyPixels(most_pixels if pixels > most_pixels else MOST_PIXELS)
    except BaseException:
        image.close()
        raise
    return Opened(image, form, pixels, _unpacked(image) + kept * len(image.getbands()) * _COEFFICIENT)


def _unpacked(image: Image.Image) -> int:
    """Bytes of the pixels, as the file has them or as Pillow holds them, whichever are more."""
    each = _BYTES.get(image.mode, 4)
    deep = each == 4 and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    return image.width * image.height * each * (2 if deep else 1)


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
    opened = open_picture(file, form, most_pixels)
    if opened.pixels > LARGE_PIXELS:
        return _one_thread.submit(opened.decode).result()
    return opened.decode()


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


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    """Eight bits per channel in that mode, without alpha: what is transparent shows white."""
    if image.mode in _DEEP_MODES:
        values = np.clip(np.asarray(image), 0, 0xFFFF) >> 8
        return Image.fromarray(values.astype(np.uint8)).convert(mode)
    return _on_white(image, mode) if image.has_transparency_data else image.convert(mode)


def _on_white(image: Image.Image, mode: str) -> Image.Image:
    """Band by band: each step takes another picture's memory, which of a large one is a lot."""
    flat = Image.new(mode, image.size)
    for top in range(0, image.height, _BAND):
        box = (0, top, image.width, min(top + _BAND, image.height))
        band = image.crop(box).convert("RGBA")
        white = Image.new("RGBA", band.size, "white")
        flat.paste(Image.alpha_composite(white, band).convert("RGB").convert(mode), box)
    return flat


def _fit(image: Image.Image, size: int) -> Image.Image:
    """The middle square, resized. Cutting before resizing keeps a picture of 1 by 1,000,000 pixels harmless."""
    short = min(image.size)
    left, top = ((side - short) / 2 for side in image.size)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + short, top + short))
