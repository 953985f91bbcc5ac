"""Reuters news in five languages, as weights of words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data.catalog.base import Dataset
from acclimate.data.catalog.parsing import checked_labels
from acclimate.data.domain import Domain
from acclimate.errors import DataError


class Reuters(Dataset):
    """1,200 news stories of 6 topics as weights of 2,000 words, in English and in four machine translations."""

    name = "reuters"
    title = "Reuters RCV1/RCV2 multilingual, 1,200 documents"
    licence = "for research"
    source = "Amini, Usunier and Goutte (2009)"
    page = "https://archive.ics.uci.edu/dataset/259"
    classes = ("0", "1", "2", "3", "4", "5")
    packed = only_packed = True
    splits = ("en", "fr", "gr", "sp", "it")
    sizes: ClassVar[Mapping[str, int]] = {"en": 1200, "fr": 1200, "gr": 1200, "sp": 1199, "it": 1200}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = dict.fromkeys(
        splits, (("reuters1200_5lang_2000.npz",),)
    )
    traps = (
        "The languages are translations of the same stories: tasks keep those of source and target apart.",
        "One Spanish story has none of the 2,000 words and is left out.",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "en": "9985d805641ae7564e9d8739a44ee0d77bf28b947efab03a4b6eee12a908c1d0",
        "fr": "fae919455f117c20aaef7d87d7ef74f3cf16cee980ca893ab6e02c754446ff8f",
        "gr": "b840293ffd7e5771548c11efc5de87ff43b0092ca0fa943a5fef2c656c24624b",
        "sp": "f56e5ad6feeb1f23cafe6afdb2cb0f1a4d950e18edc4931798eaeec6d1ebba66",
        "it": "2f2b751a97b11660d22e35ce54bd92deecb35daff463df1d7d0cc2c3aaa82ce0",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one language from the feature file; ids are the numbers of the stories."""
        path, view = self.official(raw, split), self.splits.index(split)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                features, labels = arrays[f"view{view}_X"], arrays["y"]
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
            raise DataError(str(path), f"must hold view{view}_X and y", got, "Import it again.") from None
        labels = checked_labels(labels, len(self.classes), path)
        told = np.flatnonzero(features.any(axis=1))
        ids = tuple(f"story {row}" for row in told.tolist())
        return self.domain(split, np.ascontiguousarray(features[told], dtype=np.float32), labels[told], ids)
