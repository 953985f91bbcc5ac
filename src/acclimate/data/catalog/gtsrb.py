"""GTSRB: German traffic signs, cropped from a driving car's camera."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from PIL import Image

from acclimate.data.archives import files_in, gather
from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.catalog.parsing import checked_labels
from acclimate.data.catalog.photos import decode
from acclimate.data.domain import Domain
from acclimate.errors import DataError

_FOLDER = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
_OLD_FOLDER = "https://benchmark.ini.rub.de/Dataset/"
_SIDE = 40
_MEND = "Get the official files again."


def _remote(name: str, md5: str, size: int) -> RemoteFile:
    return RemoteFile(name, (_FOLDER + name, _OLD_FOLDER + name), f"md5:{md5}", size)


class Gtsrb(Dataset):
    """Colour traffic signs of 43 kinds, cut to the sign and resized to 40×40."""

    name = "gtsrb"
    title = "GTSRB"
    licence = "free to use with citation"
    source = "Stallkamp, Schlipsing, Salmen and Igel (2012)"
    page = "https://benchmark.ini.rub.de/gtsrb_dataset.html"
    classes = (
        "speed limit 20",
        "speed limit 30",
        "speed limit 50",
        "speed limit 60",
        "speed limit 70",
        "speed limit 80",
        "end of speed limit 80",
        "speed limit 100",
        "speed limit 120",
        "no overtaking",
        "no overtaking by lorries",
        "priority at next crossing",
        "priority road",
        "give way",
        "stop",
        "no vehicles",
        "no lorries",
        "no entry",
        "danger",
        "bend to the left",
        "bend to the right",
        "double bend",
        "bumpy road",
        "slippery road",
        "road narrows on the right",
        "road works",
        "traffic lights",
        "pedestrians",
        "children",
        "cyclists",
        "ice or snow",
        "wild animals",
        "end of all limits",
        "turn right ahead",
        "turn left ahead",
        "straight on",
        "straight on or right",
        "straight on or left",
        "keep right",
        "keep left",
        "roundabout",
        "end of no overtaking",
        "end of no overtaking by lorries",
    )
    splits = ("train", "test")
    sizes: ClassVar[Mapping[str, int]] = {"train": 39209, "test": 12630}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "train": (("GTSRB_Final_Training_Images.zip", "GTSRB/Final_Training/Images", "Final_Training/Images"),),
        "test": (
            ("GTSRB_Final_Test_Images.zip", "GTSRB/Final_Test/Images", "Final_Test/Images"),
            ("GTSRB_Final_Test_GT.zip", "GT-final_test.csv", "GTSRB/GT-final_test.csv"),
        ),
    }
    files = (
        _remote("GTSRB_Final_Training_Images.zip", "f33fd80ac59bff73c82d25ab499e03a3", 276294756),
        _remote("GTSRB_Final_Test_Images.zip", "c7e4e6327067d32654124b0fe9e82185", 88978620),
        _remote("GTSRB_Final_Test_GT.zip", "fe31e9c9270bbcd7b84b7f21a9d9d9e5", 99620),
    )
    traps = (
        "Training images are runs of 30 frames of the same sign: a random split, such as the DANN paper's of"
        " 31,367 and 7,842, puts frames of one sign on both sides.",
        "Images are rectangles with a margin; here they are cut to the annotated sign before resizing.",
        "Classes are unbalanced, from 210 to 2,250 training images.",
    )

    def parse(self, raw: Path, split: str) -> Domain:
        """Read the annotations and the PPM files they name, class by class, from the zips or unpacked."""
        tree = self.official(raw, split)
        signs = _training_signs(tree) if split == "train" else _test_signs(self.official(raw, split, 1))
        rows = {key: row for row, key in enumerate(signs)}
        depth = 2 if split == "train" else 1

        def key(name: str) -> str:
            return "/".join(PurePosixPath(name).parts[-depth:])

        def cut(name: str, content: bytes) -> np.ndarray:
            return signs[name].cut_from(decode(name, content), name)

        labels = np.array([sign.label for sign in signs.values()])
        images = gather(tree, rows, key, cut, (_SIDE, _SIDE, 3))
        return self.domain(split, images, checked_labels(labels, len(self.classes), tree), tuple(signs))


def paper_split(train: Domain, seed: int) -> tuple[Domain, Domain]:
    """Divide the training images at random as the DANN paper does: 31,367 to adapt to, the others to test on.

    Args:
        train: the split `train`.
        seed: of the draw; the paper does not state its own.
    """
    order = np.random.default_rng([seed, 0x6754]).permutation(len(train))
    return train.take(np.sort(order[:31367])), train.take(np.sort(order[31367:]), name=f"{train.name} (held out)")


@dataclass(frozen=True, slots=True)
class _Sign:
    """An annotation: the class and the sign's box, whose right and lower edges are not part of it."""

    label: int
    box: tuple[int, int, int, int]

    def cut_from(self, image: Image.Image, name: str) -> np.ndarray:
        left, top, right, bottom = self.box
        if not (0 <= left < right <= image.width and 0 <= top < bottom <= image.height):
            raise DataError(name, f"must have its box within {image.width}×{image.height} pixels", self.box, _MEND)
        return np.asarray(image.crop(self.box).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))


def _training_signs(tree: Path) -> dict[str, _Sign]:
    """Annotations by `<class folder>/<file>`, in the order of the classes and, within, of the annotation files."""
    signs: dict[str, _Sign] = {}
    tables = {PurePosixPath(n).parts[-2:]: c for n, c in files_in(tree, lambda n: _is_class_table(PurePosixPath(n)))}
    for (folder, file), content in sorted(tables.items()):
        signs.update({f"{folder}/{name}": sign for name, sign in _read_table(content, file).items()})
    return _some(signs, tree)


def _is_class_table(name: PurePosixPath) -> bool:
    return len(name.parts) > 1 and name.name == f"GT-{name.parts[-2]}.csv"


def _test_signs(path: Path) -> dict[str, _Sign]:
    """Annotations by file, from `GT-final_test.csv` or the zip with it."""
    if path.suffix == ".csv":
        return _some(_read_table(path.read_bytes(), path.name), path)
    tables = [c for _, c in files_in(path, lambda n: PurePosixPath(n).name == "GT-final_test.csv")]
    return _some(_read_table(tables[0], "GT-final_test.csv") if tables else {}, path)


def _some(signs: dict[str, _Sign], path: Path) -> dict[str, _Sign]:
    if not signs:
        raise DataError(str(path), "must contain the annotations, GT-….csv", "none", _MEND)
    return signs


def _read_table(content: bytes, file: str) -> dict[str, _Sign]:
    """Annotations by file name, from semicolon-separated columns with a header."""
    signs: dict[str, _Sign] = {}
    try:
        for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"):
            left, top, right, bottom = (int(row[f"Roi.{corner}"]) for corner in ("X1", "Y1", "X2", "Y2"))
            signs[row["Filename"]] = _Sign(int(row["ClassId"]), (left, top, right, bottom))
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(
            file,
            "must have the columns Filename, Roi.X1, Roi.Y1, Roi.X2, Roi.Y2 and ClassId, separated by semicolons",
            f"{type(error).__name__}: {error}",
            _MEND,
        ) from None
    return signs
