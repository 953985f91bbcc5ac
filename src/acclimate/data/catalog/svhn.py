"""SVHN: house numbers from street photographs, cropped to one digit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.catalog.parsing import checked_labels, mat_digits
from acclimate.data.domain import Domain

_PAGE = "http://ufldl.stanford.edu/housenumbers/"


class Svhn(Dataset):
    """Colour 32×32 crops of house numbers; the digit in the middle counts, neighbours may show."""

    name = "svhn"
    title = "SVHN"
    licence = "for non-commercial use"
    source = "Netzer, Wang, Coates, Bissacco, Wu and Ng (2011)"
    page = "http://ufldl.stanford.edu/housenumbers/"
    classes = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    splits = ("train", "test", "extra")
    sizes: ClassVar[Mapping[str, int]] = {"train": 73257, "test": 26032, "extra": 531131}
    optional = ("extra",)
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "train": (("train_32x32.mat",),),
        "test": (("test_32x32.mat",),),
        "extra": (("extra_32x32.mat",),),
    }
    files = (
        RemoteFile(
            "train_32x32.mat", (_PAGE + "train_32x32.mat",), "md5:e26dedcc434d2e4c54c9b2d4a06d8373", 182040794
        ),
        RemoteFile("test_32x32.mat", (_PAGE + "test_32x32.mat",), "md5:eb5a983be6a315427106f1b164d9cef3", 64275384),
        RemoteFile(
            "extra_32x32.mat", (_PAGE + "extra_32x32.mat",), "md5:a93ce644f1a588dc4d68dda5feec44a7", 1329278602
        ),
    )
    traps = (
        "In the official files label 10 is the digit 0; here labels are the digits.",
        "Classes are unbalanced: the digit 1 is about three times as frequent as 9.",
        "The extra split is easier and seven times as large; published tables differ in whether they use it.",
    )

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one MATLAB file."""
        path = self.official(raw, split)
        images, labels = mat_digits(path)
        labels = checked_labels(labels, 10, path, first=1) + 1
        return self.domain(split, images, np.where(labels == 10, 0, labels))
