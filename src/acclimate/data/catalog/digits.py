"""The digits that come with scikit-learn: real handwriting without a download."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data.catalog.base import Dataset
from acclimate.data.domain import Domain

_TRAINING = 1437


class Digits(Dataset):
    """Grey 8×8 handwritten digits, white on black; they come with scikit-learn."""

    name = "digits"
    title = "Digits (scikit-learn)"
    licence = "CC BY 4.0"
    source = "Alpaydin and Kaynak (1998); bundled with scikit-learn"
    page = "https://archive.ics.uci.edu/dataset/80"
    classes = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    splits = ("train", "test", "all")
    sizes: ClassVar[Mapping[str, int]] = {"train": 1437, "test": 360, "all": 1797}
    traps = (
        "These 1,797 images are the test set of the original release; there is no official split of them."
        " Here `train` is the first 1,437 and `test` the last 360, `all` is both.",
        "Images come in runs by the same writer: a random split puts writers on both sides, the split here hardly.",
        "Values are 0…16 in scikit-learn; here they are bytes, round(value · 255 / 16).",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "train": "d4bf3c20b410febdcb60a65e90e113eb56e57c53c817c596de84db0deb057181",
        "test": "b5e54fad5df4651866bbc5638b4e94a5a8676bd95a65e2281a5c0c1b57c80d67",
        "all": "ebecda1be494c8317af2fcb5cf3dd954ffb4935cb724195ac497b5239f0a5948",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Take the images from scikit-learn, in its order."""
        from sklearn.datasets import load_digits

        bundled = load_digits()
        part = {"train": slice(_TRAINING), "test": slice(_TRAINING, None), "all": slice(None)}[split]
        images = np.rint(bundled.images[part] * (255 / 16)).astype(np.uint8)
        return self.domain(split, images[..., None], bundled.target[part])
