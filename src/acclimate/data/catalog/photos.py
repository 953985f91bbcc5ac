"""Decoding the image files that public data sets consist of."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from acclimate.data.archives import gather, names_in
from acclimate.errors import DataError

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


def decode(name: str, content: bytes) -> Image.Image:
    """An image file's pixels as RGB.

    Args:
        name: what to call it in errors.
        content: the bytes of a PNG, JPEG, PPM, WebP or whatever else Pillow reads.

    Raises:
        DataError: if it is no image or a damaged one.
    """
    try:
        return Image.open(io.BytesIO(content)).convert("RGB")
    # Pillow's readers fail in many ways on damaged files.
    except Exception as error:
        raise DataError(
            name, "must be a readable image", f"{type(error).__name__}: {error}", "Get it again."
        ) from None


def centre_square(image: Image.Image, side: int) -> np.ndarray:
    """The middle square, resized with Pillow's antialiased bilinear filter, as for the user's own folders.

    Returns:
        A uint8 array `(side, side, c)`.
    """
    short = min(image.size)
    left, top = ((length - short) / 2 for length in image.size)
    box = (left, top, left + short, top + short)
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box=box))


def read_class_folders(
    tree: Path, folders: Sequence[str], classes: Mapping[str, int], side: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Read photos laid out as `<domain>/<class>/<file>` or `<domain>/images/<class>/<file>`.

    Args:
        tree: a folder or archive in which the layout lies, at any depth.
        folders: names the domain's folder may have.
        classes: label by name of class folder; other folders are passed over.
        side: of the square that each photo is cut to.

    Returns:
        Images `(n, side, side, 3)`, labels `(n,)` and ids `<class>/<file>`, sorted by label, then by file name.

    Raises:
        DataError: if there is no such photo or one cannot be read.
    """
    labels: dict[str, int] = {}
    for name in names_in(tree):
        parts = [part for part in PurePosixPath(name).parts if part != "images"]
        if len(parts) >= 3 and parts[-3] in folders and parts[-2] in classes and name.lower().endswith(_SUFFIXES):
            labels[name] = classes[parts[-2]]
    if not labels:
        raise DataError(
            str(tree),
            f"must contain photos as {folders[0]}/<class>/<file>.jpg",
            "none",
            f"Class folders are {', '.join(classes)}.",
        )
    names = sorted(labels, key=lambda name: (labels[name], PurePosixPath(name).name))
    rows = {name: row for row, name in enumerate(names)}
    images = gather(
        tree, rows, str, lambda name, content: centre_square(decode(name, content), side), (side, side, 3)
    )
    ids = tuple("/".join(PurePosixPath(name).parts[-2:]) for name in names)
    return images, np.array([labels[name] for name in names]), ids
