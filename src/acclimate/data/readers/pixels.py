"""Images of numbers as bytes: which number is white is a fact of a data set, found once."""

from __future__ import annotations

import numpy as np

from acclimate.errors import DataError

_CHUNK = 4096
_DARK = 64
# Enlarging and sharpening leave pixels a little outside the range of an image. Floats that are black up to here,
# seen from 0 to 255, would be nothing but black.
_BEYOND = 0.1
_LEAST_OF_BYTES = 2
_WHITES = (1, 255)


def pixels(images: np.ndarray, what: str, white: float | None = None) -> tuple[np.ndarray, list[str], float | None]:
    """Images as uint8, what was done to get there, and what float pixels had for white.

    Whole numbers are bytes. Floats lie between 0 and 1, or 0 and 255: which, is told by `white`, else by their
    values. Of floats from 0 to 1, a tenth beyond either end is cut off.

    Args:
        images: `(n, h, w, c)` of any real numbers.
        what: what to call them in messages.
        white: what float pixels have for white, 1 or 255, where it is known from training.

    Raises:
        DataError: if they lie in neither range, or not in the one that is known, or white is neither.
    """
    if white not in (None, *_WHITES):
        raise DataError(
            "white", "must be 1 or 255", f"{white!r:.60}", "Leave white out to have it told by the values."
        )
    # Comparisons are also false for NaN.
    low, high = float(images.min()), float(images.max())
    if images.dtype.kind != "f":
        if images.dtype.kind == "b" or not (low >= 0 and high <= 255):
            raise _refusal(what, images, low, high)
        return _bytes(images, 1), _dark(high), None
    found = white or _white(low, high)
    fits = low >= -_BEYOND and high <= 1 + _BEYOND if found == 1 else low >= 0 and high <= 255
    if found is None or not fits:
        raise _refusal(what, images, low, high, white)
    notes = []
    if found == 1:
        notes.append("images were floats from 0 to 1; they were scaled by 255 and rounded.")
        if outside := int(((images < 0) | (images > 1)).sum()):
            notes.append(f"pixels outside 0 to 1, from {low:g} to {high:g}, were cut off: {outside:,}.")
    return _bytes(images, 255 / found), [*notes, *_dark(min(high, found) * 255 / found)], found


def _white(low: float, high: float) -> float | None:
    if low >= -_BEYOND and high <= 1 + _BEYOND:
        return 1.0
    return 255.0 if high >= _LEAST_OF_BYTES else None


def _bytes(images: np.ndarray, scale: float) -> np.ndarray:
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    whole = np.empty(images.shape, dtype=np.uint8)
    for start in range(0, len(images), _CHUNK):
        part = images[start : start + _CHUNK].astype(np.float64) * scale
        whole[start : start + _CHUNK] = np.rint(part.clip(0, 255))
    return whole


def _dark(high: float) -> list[str]:
    if high >= _DARK:
        return []
    return [f"the brightest pixel is {high:g} of 255; if that should be white, scale the images first."]


def _refusal(what: str, images: np.ndarray, low: float, high: float, white: float | None = None) -> DataError:
    got = f"{images.dtype} from {low:g} to {high:g}"
    if white is not None:
        rule = f"must be whole numbers from 0 to 255, or floats from 0 to {white:g} as in training"
        fix = f"Scale them to 0…{white:g}, or convert them to bytes with .astype('uint8')."
        return DataError(what, rule, got, fix)
    rule = "must be whole numbers from 0 to 255, or floats from 0 to 1 or from 0 to 255"
    return DataError(what, rule, got, "Scale them to 0…255 and convert with .astype('uint8').")
