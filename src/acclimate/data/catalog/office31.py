"""Office-31: photos of 31 office objects from three places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.catalog.photos import read_class_folders
from acclimate.data.domain import Domain


class Office31(Dataset):
    """Colour photos of 31 office objects from a shop, a webcam and a camera, cut to 256×256."""

    name = "office31"
    title = "Office-31"
    licence = "for research"
    source = "Saenko, Kulis, Fritz and Darrell (2010)"
    page = "https://faculty.cc.gatech.edu/~judy/domainadapt/"
    classes = (
        "back_pack",
        "bike",
        "bike_helmet",
        "bookcase",
        "bottle",
        "calculator",
        "desk_chair",
        "desk_lamp",
        "desktop_computer",
        "file_cabinet",
        "headphones",
        "keyboard",
        "laptop_computer",
        "letter_tray",
        "mobile_phone",
        "monitor",
        "mouse",
        "mug",
        "paper_notebook",
        "pen",
        "phone",
        "printer",
        "projector",
        "punchers",
        "ring_binder",
        "ruler",
        "scissors",
        "speaker",
        "stapler",
        "tape_dispenser",
        "trash_can",
    )
    splits = ("amazon", "webcam", "dslr")
    sizes: ClassVar[Mapping[str, int]] = {"amazon": 2817, "webcam": 795, "dslr": 498}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "amazon": (("office31.tar.gz", "office31/amazon", "Original_images/amazon", "amazon"),),
        "webcam": (("office31.tar.gz", "office31/webcam", "Original_images/webcam", "webcam"),),
        "dslr": (("office31.tar.gz", "office31/dslr", "Original_images/dslr", "dslr"),),
    }
    files = (
        RemoteFile(
            "office31.tar.gz",
            ("https://cornell.box.com/shared/static/3v2ftdkdhpz1lbbr4uhu0135w7m79p7q",),
            "md5:89818e596f3cdda1d56da0f077435faa",
        ),
    )
    traps = (
        "Amazon has wrong labels and photos of several objects; published accuracies level off because of that.",
        "Webcam and dslr show the same objects, which makes these two easy for each other.",
        "The original protocol labels 20 amazon (8 webcam or dslr) photos a class, newer tables use all: compare"
        " like with like.",
    )

    def parse(self, raw: Path, split: str) -> Domain:
        """Read `<domain>/<class>/*.jpg` or `<domain>/images/<class>/*.jpg`, sorted by class and file."""
        found = self.official(raw, split)
        tree = found if found.is_file() else found.parent
        labels = {name: label for label, name in enumerate(self.classes)}
        images, targets, ids = read_class_folders(tree, (split,), labels, side=256)
        return self.domain(split, images, targets, ids)
