"""Pictures of a file, a folder or an array file, as the bytes that a model reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.data.images import resize, to_channels
from acclimate.data.ink import cut_to_ink
from acclimate.data.readers.pictures import SUFFIXES, Form, decode, read_header, reason

_SMALL, _PHOTO = 64, 256


def read(path: Path, facts: Mapping[str, Any], most: int) -> Iterator[tuple[list[str], np.ndarray]]:
    """Names and pictures uint8 `(b, h, w, c)`, at most so many at a time; what does not open is told and left out.

    Args:
        path: a picture, a folder of them with any folders in it, or an .npz with X `(n, h, w)` or `(n, h, w, c)`.
        facts: `inference.json`.
        most: pictures at a time.

    Raises:
        ValueError: if there is no picture.
    """
    if path.suffix.lower() == ".npz":
        yield from _of_arrays(path, facts["images"], most)
        return
    root, names = (path, _files(path)) if path.is_dir() else (path.parent, [path.name])
    form, opened = _form(root, names, facts["images"])
    for start in range(0, len(opened), most):
        part, pictures = [], []
        for name in opened[start : start + most]:
            try:
                pictures.append(decode(root / name, form))
                part.append(name)
            except Exception as error:  # Pillow raises errors of many types on damaged files
                _tell(name, error)
        if part:
            yield part, _stored(np.stack(pictures), facts["images"])


def _files(folder: Path) -> list[str]:
    found = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        wanted = [name for name in files if not name.startswith(".") and name.lower().endswith(SUFFIXES)]
        found += [Path(root, name).relative_to(folder).as_posix() for name in wanted]
    return sorted(found)


def _form(root: Path, names: Sequence[str], facts: Mapping[str, Any]) -> tuple[Form, list[str]]:
    """The form that all pictures of a folder are decoded to, as in training, and which of them open."""
    headers = {}
    for name in names:
        try:
            headers[name] = read_header(root / name)
        except Exception as error:  # likewise
            _tell(name, error)
    if not headers:
        raise ValueError(f"{root} holds no picture that opens ({', '.join(SUFFIXES)})")
    if facts["read_at"]:
        return Form(facts["read_at"], facts["channels"]), list(headers)
    largest = max(max(header.sides) for header in headers.values())
    grey = all(header.grey for header in headers.values())
    return Form(largest if largest <= _SMALL else _PHOTO, 1 if grey else 3), list(headers)


def _tell(name: str, error: Exception) -> None:
    print(f"Not answered: {name} ({reason(error)})", file=sys.stderr)


def _of_arrays(path: Path, facts: Mapping[str, Any], most: int) -> Iterator[tuple[list[str], np.ndarray]]:
    with np.load(path, allow_pickle=False) as file:
        images = file["X"]
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise ValueError(f"X of {path} must be bytes (n, h, w) or (n, h, w, c); got {images.dtype} {images.shape}")
    images = images if images.ndim == 4 else images[..., None]
    for start in range(0, len(images), most):
        part = images[start : start + most]
        yield [str(i) for i in range(start, start + len(part))], _stored(part, facts)


def _stored(pictures: np.ndarray, facts: Mapping[str, Any]) -> np.ndarray:
    """Pictures in the size and with the channels that the model reads."""
    if facts["drawings"]:
        pictures = np.stack([cut_to_ink(sheet[..., 0]) for sheet in to_channels(pictures, 1)])[..., None]
    return resize(to_channels(pictures, facts["channels"]), facts["stored"])
