"""Images as files: what `read_images` reads back."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from acclimate.data.domain import Domain
from acclimate.types import UNLABELLED


def write_pictures(domain: Domain, folder: Path) -> None:
    """Write each image as `<folder>/<class>/<number>.png`; those without a label as `<folder>/<number>.png`.

    Args:
        domain: of images.
        folder: new or empty; made if need be.

    Raises:
        OSError: if a file cannot be written.
    """
    digits = len(str(max(0, len(domain) - 1)))
    for row, (image, label) in enumerate(zip(domain.array, domain.labels, strict=True)):
        place = folder if label == UNLABELLED else folder / domain.classes[label].replace("/", "_")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(place / f"{row:0{digits}d}.png")
