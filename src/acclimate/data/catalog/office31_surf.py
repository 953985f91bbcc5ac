"""Office-31 as SURF counts of two codebooks, with the official split for few labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data.catalog.base import Dataset
from acclimate.data.catalog.office31 import Office31
from acclimate.data.catalog.parsing import checked_labels
from acclimate.data.domain import Domain
from acclimate.errors import DataError


class Office31Surf(Dataset):
    """SURF descriptors of photos, quantised and counted: 800 counts for amazon, 600 others for dslr.

    The split is the official one: 20 photos a class of amazon; of dslr 3 a class with labels, and all others without.
    """

    name = "office31_surf"
    title = "Office-31, SURF"
    licence = "for research"
    source = "Saenko, Kulis, Fritz and Darrell (2010)"
    page = "https://faculty.cc.gatech.edu/~judy/domainadapt/"
    classes = Office31.classes
    packed = only_packed = True
    splits = ("amazon", "dslr_labelled", "dslr_unlabelled")
    sizes: ClassVar[Mapping[str, int]] = {"amazon": 620, "dslr_labelled": 93, "dslr_unlabelled": 405}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = dict.fromkeys(
        splits, (("office31_surf_amazon800_dslr600.npz",),)
    )
    traps = ("The two sides have different codebooks: no column of one means what a column of the other does.",)
    content_hashes: ClassVar[Mapping[str, str]] = {
        "amazon": "9cc407a9e6d3f08aeff44d23bfd47ed807096849c1acda9e585c88334edaa2f7",
        "dslr_labelled": "9d34936c60b0c907137872003f890fd968605d7adddd1addf041b6bf91e196fb",
        "dslr_unlabelled": "318a172e777d7be71478542a6ceb0b40c6802396f7b1e8511c35a9207e9d8b40",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one part of the split from the feature file."""
        path = self.official(raw, split)
        index = {
            "amazon": "source_index",
            "dslr_labelled": "target_training_index",
            "dslr_unlabelled": "target_test_index",
        }[split]
        place = split.partition("_")[0]
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                rows = arrays[index]
                features, labels, classes = arrays[f"{place}_X"][rows], arrays[f"{place}_y"][rows], arrays["classes"]
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
            raise DataError(
                str(path), f"must hold {place}_X, {place}_y and {index}", got, "Import it again."
            ) from None
        if tuple(classes.tolist()) != self.classes:
            raise DataError(
                str(path), f"must have the classes {self.classes}", tuple(classes.tolist()), "Import it again."
            )
        ids = tuple(f"{place} {row}" for row in rows.tolist())
        labels = checked_labels(labels, len(self.classes), path)
        return self.domain(split, np.ascontiguousarray(features, dtype=np.float32), labels, ids)
