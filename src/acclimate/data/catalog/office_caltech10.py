"""Office-Caltech-10: the ten classes that Office-31 and Caltech-256 share, as photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from acclimate.data.catalog.base import Dataset
from acclimate.data.catalog.photos import read_class_folders
from acclimate.data.domain import Domain

_OTHER_NAMES = {"back_pack": 0, "laptop_computer": 5}
_ARCHIVE, _PACK = "office_caltech_10.zip", "office_caltech10_jpg256.tar"
_COPIES = {
    "amazon": "Of the amazon photos 25 are exact copies of another.",
    "caltech": "Of the caltech photos 1 is an exact copy of another.",
}


class OfficeCaltech10(Dataset):
    """Colour photos of ten office objects from four places, cut to 256×256."""

    name = "office_caltech10"
    title = "Office-Caltech-10"
    licence = "for research"
    source = "Gong, Shi, Sha and Grauman (2012)"
    page = "https://github.com/jindongwang/transferlearning/tree/master/data"
    classes = (
        "backpack",
        "bike",
        "calculator",
        "headphones",
        "keyboard",
        "laptop",
        "monitor",
        "mouse",
        "mug",
        "projector",
    )
    packed = True
    splits = ("amazon", "caltech", "webcam", "dslr")
    sizes: ClassVar[Mapping[str, int]] = {"amazon": 958, "caltech": 1123, "webcam": 295, "dslr": 157}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "amazon": (("amazon", "office_caltech_10/amazon", _ARCHIVE, _PACK),),
        "caltech": (
            ("caltech", "caltech10", "office_caltech_10/caltech", "office_caltech_10/caltech10", _ARCHIVE, _PACK),
        ),
        "webcam": (("webcam", "office_caltech_10/webcam", _ARCHIVE, _PACK),),
        "dslr": (("dslr", "office_caltech_10/dslr", _ARCHIVE, _PACK),),
    }
    traps = (
        "Of the amazon photos 25 are byte for byte copies of another, of caltech's 1: a random split puts the same"
        " photo on both sides.",
        "Webcam and dslr show the same objects, which makes these two easy for each other.",
        "Tables of SURF, DeCAF and deep features are not comparable with one another.",
    )

    def parse(self, raw: Path, split: str) -> Domain:
        """Read `<domain>/<class>/*.jpg`, sorted by class and file, as the feature files are."""
        found = self.official(raw, split)
        labels = {name: label for label, name in enumerate(self.classes)} | _OTHER_NAMES
        tree = found if found.is_file() else found.parent
        images, targets, ids = read_class_folders(tree, (split, f"{split}10"), labels, side=256)
        return self.domain(split, images, targets, ids, tuple(_notes(split, found.name)))


def _notes(split: str, file: str) -> Iterator[str]:
    if split in _COPIES:
        yield _COPIES[split]
    if file == _PACK:
        yield (
            f"The {split} photos are from the pack, where most were reduced and stored again as JPEG: they differ a"
            " little from the official files."
        )
