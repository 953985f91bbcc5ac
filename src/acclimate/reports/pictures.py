"""Target examples as pictures inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

_SIDE = 144
_PIXEL_ART = 64


@dataclass(frozen=True, slots=True)
class Picture:
    """One example: the picture, the answer and how sure the model is.

    Attributes:
        url: the picture as a data URL.
        small: True if it has so few pixels that each should show.
        predicted: the answer.
        confidence: in [0, 1].
        label: the right answer, or None if unknown.
    """

    url: str
    small: bool
    predicted: str
    confidence: float
    label: str | None

    @property
    def wrong(self) -> bool:
        """Whether the answer is known to be wrong."""
        return self.label is not None and self.label != self.predicted


def pictures(sample: Mapping[str, np.ndarray], end: str, classes: Sequence[str]) -> list[Picture]:
    """The pictures at one end of confidence, as `sample.npz` holds them; none for tables of features.

    Args:
        sample: content of `sample.npz`.
        end: `"certain"` or `"uncertain"`.
        classes: all names.
    """
    if f"{end}_images" not in sample:
        return []
    columns = [sample[f"{end}_{name}"] for name in ("images", "predicted", "confidence", "label")]
    return [
        Picture(
            picture_url(image),
            max(image.shape[:2]) <= _PIXEL_ART,
            classes[predicted],
            float(confidence),
            classes[label] if label >= 0 else None,
        )
        for image, predicted, confidence, label in zip(*columns, strict=True)
    ]


def picture_url(image: np.ndarray) -> str:
    """An image `(h, w, c)` of bytes inside an address: small ones as they are, larger ones shrunk, PNG or JPEG."""
    picture = Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image)
    exact = max(picture.size) <= _PIXEL_ART
    if not exact:
        picture.thumbnail((_SIDE, _SIDE))
    formats = {"png": {"optimize": True}} | ({} if exact else {"jpeg": {"quality": 85}})
    encoded = {kind: _encoded(picture, kind, options) for kind, options in formats.items()}
    kind = min(encoded, key=lambda k: len(encoded[k]))
    return f"data:image/{kind};base64,{base64.b64encode(encoded[kind]).decode()}"


def _encoded(picture: Image.Image, kind: str, options: Mapping[str, object]) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, **options)
    return buffer.getvalue()


def data_url(picture: Image.Image) -> str:
    """A picture as a PNG inside an address."""
    return address_of(png(picture))


def png(picture: Image.Image) -> bytes:
    """A picture as the content of a PNG file."""
    return _encoded(picture, "png", {"optimize": True})


def address_of(content: bytes) -> str:
    """The content of a PNG file inside an address."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
