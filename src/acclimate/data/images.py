"""Arrays of images: resizing and channels, the one way for every reader and every method."""

from __future__ import annotations

import numpy as np
from PIL import Image

# ITU-R 601 luma in the 16-bit fixed point that Pillow uses for convert("L"), so both routes give equal bytes.
_LUMA = np.array([19595, 38470, 7471], dtype=np.uint32)


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Resize uint8 `(n, h, w, c)` images to `(n, size, size, c)` with Pillow's (antialiased) bilinear filter."""
    if images.shape[1:3] == (size, size):
        return images
    out = np.empty((len(images), size, size, images.shape[3]), dtype=np.uint8)
    for i, image in enumerate(images):
        picture = Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image)
        resized = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
        out[i] = resized.reshape(size, size, -1)
    return out


def to_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Repeat grey into three channels, or weigh colour into one (ITU-R 601 luma, as Pillow's mode "L")."""
    have = images.shape[-1]
    if have == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=-1)
    luma = (images.astype(np.uint32) @ _LUMA + 0x8000) >> 16
    return luma.astype(np.uint8)[..., None]


def thumbnails(images: np.ndarray, size: int = 64) -> np.ndarray:
    """Small copies of uint8 `(n, h, w, c)` images to show them by, of at most `size` pixels a side."""
    return resize(images, min(size, *images.shape[1:3]))
