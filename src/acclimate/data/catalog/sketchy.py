"""The Sketchy database: photos of 125 categories and sketches, each drawn from one of the photos."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from PIL import Image

from acclimate.data.archives import files_in, gather, names_in
from acclimate.data.catalog.base import Dataset
from acclimate.data.catalog.parsing import checked_labels
from acclimate.data.catalog.photos import centre_square, decode
from acclimate.data.domain import Domain
from acclimate.errors import DataError

_PACK, _FEATURES = "sketchy_subset.tar", "sketchy_mobilenetv2_1280.npz"
_ARCHIVES = ("sketchy.tar", "sketchy.tar.gz", "sketchy.zip", "rendered_256x256.tar", "rendered_256x256.zip", _PACK)
# Of the eight ways the photos and sketches were placed, the first: as they are, resized without a crop.
_PLACEMENT = "tx_000000000000"
_SIDE = 256
_SUFFIXES = (".jpg", ".jpeg", ".png")
_SKETCH = re.compile(r".+-\d+", re.DOTALL)
_FORMS = {"photo": "<id>.jpg, without -<number>", "sketch": "<photo's id>-<number>.png"}
_PLURAL = {"photo": "photos", "sketch": "sketches"}
_OFFICIAL = {"photo": 12_500, "sketch": 75_471}


class Sketchy(Dataset):
    """Photos and sketches of 125 categories; every sketch was drawn from memory of one of the photos."""

    name = "sketchy"
    title = "Sketchy"
    licence = "for research; the photos are ImageNet's and belong to their owners"
    source = "Sangkloy, Burnell, Ham and Hays (2016)"
    page = "https://sketchy.eye.gatech.edu"
    classes = (
        "airplane",
        "alarm_clock",
        "ant",
        "ape",
        "apple",
        "armor",
        "axe",
        "banana",
        "bat",
        "bear",
        "bee",
        "beetle",
        "bell",
        "bench",
        "bicycle",
        "blimp",
        "bread",
        "butterfly",
        "cabin",
        "camel",
        "candle",
        "cannon",
        "car_(sedan)",
        "castle",
        "cat",
        "chair",
        "chicken",
        "church",
        "couch",
        "cow",
        "crab",
        "crocodilian",
        "cup",
        "deer",
        "dog",
        "dolphin",
        "door",
        "duck",
        "elephant",
        "eyeglasses",
        "fan",
        "fish",
        "flower",
        "frog",
        "geyser",
        "giraffe",
        "guitar",
        "hamburger",
        "hammer",
        "harp",
        "hat",
        "hedgehog",
        "helicopter",
        "hermit_crab",
        "horse",
        "hot-air_balloon",
        "hotdog",
        "hourglass",
        "jack-o-lantern",
        "jellyfish",
        "kangaroo",
        "knife",
        "lion",
        "lizard",
        "lobster",
        "motorcycle",
        "mouse",
        "mushroom",
        "owl",
        "parrot",
        "pear",
        "penguin",
        "piano",
        "pickup_truck",
        "pig",
        "pineapple",
        "pistol",
        "pizza",
        "pretzel",
        "rabbit",
        "raccoon",
        "racket",
        "ray",
        "rhinoceros",
        "rifle",
        "rocket",
        "sailboat",
        "saw",
        "saxophone",
        "scissors",
        "scorpion",
        "sea_turtle",
        "seagull",
        "seal",
        "shark",
        "sheep",
        "shoe",
        "skyscraper",
        "snail",
        "snake",
        "songbird",
        "spider",
        "spoon",
        "squirrel",
        "starfish",
        "strawberry",
        "swan",
        "sword",
        "table",
        "tank",
        "teapot",
        "teddy_bear",
        "tiger",
        "tree",
        "trumpet",
        "turtle",
        "umbrella",
        "violin",
        "volcano",
        "wading_bird",
        "wheelchair",
        "windmill",
        "window",
        "wine_bottle",
        "zebra",
    )
    packed = True
    splits = ("photo", "sketch")
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "photo": (("photo", "256x256/photo", *_ARCHIVES),),
        "sketch": (("sketch", "256x256/sketch", *_ARCHIVES),),
    }
    traps = (
        "Several sketches show one photo: a split of the sketches at random puts the same photo on both sides. "
        "acclimate.data.sketches splits by photo.",
        "The usual zero-shot split (100 categories seen, 25 not) has unseen categories that are classes of ImageNet, "
        "which a pretrained encoder has seen.",
        "About one sketch in twenty was flagged by its authors as wrong, ambiguous or in another pose; all are here.",
        "Papers that say Sketchy often mean Sketchy-Extended, with 60,502 further photos, and other splits.",
    )

    def parse(self, raw: Path, split: str) -> Domain:
        """Read `<split>/tx_000000000000/<category>/*`, at any depth of a folder or archive.

        Returns:
            Colour photos `(n, s, s, 3)` or grey sketches `(n, s, s, 1)`, sorted by category, then by id; s is 256, or
            what the first picture has if that is less. Ids are `<category>/<photo>` and, for sketches of it,
            `<category>/<photo>-<number>`; `acclimate.data.sketches.own_photo` leads back.
        """
        found = self.official(raw, split)
        tree = found if found.is_file() else found.parent
        rows = {name: row for row, name in enumerate(_in_order(tree, split, self.classes))}
        side, mode, channels = _side(tree, next(iter(rows))), *(("RGB", 3) if split == "photo" else ("L", 1))

        def picture(name: str, content: bytes) -> np.ndarray:
            return centre_square(decode(name, content).convert(mode), side).reshape(side, side, channels)

        images = gather(tree, rows, str, picture, (side, side, channels))
        labels = np.array([self.classes.index(PurePosixPath(name).parts[-2]) for name in rows])
        ids = tuple(_identity(name) for name in rows)
        return self.domain(split, images, labels, ids, tuple(_notes(split, len(ids))))


class SketchyEncoded(Dataset):
    """1280 pooled features of an ImageNet MobileNetV2 for 25 photos and 25 sketches of each category."""

    name = "sketchy_encoded"
    title = "Sketchy, MobileNetV2"
    licence = "for research"
    source = "Sangkloy, Burnell, Ham and Hays (2016); features computed for acclimate with an ImageNet MobileNetV2"
    page = "the packs"
    classes = Sketchy.classes
    packed = only_packed = True
    splits = ("photo", "sketch")
    sizes: ClassVar[Mapping[str, int]] = {"photo": 3_125, "sketch": 3_125}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = dict.fromkeys(splits, ((_FEATURES,),))
    traps = (
        "Computed from pictures of 256 pixels. The pack's pictures have 128: encoded here, they give other features "
        "(cosine 0.84 for photos); do not mix the two.",
        "Photos and sketches lie apart, so without adaptation one sketch in eighteen finds its category first.",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "photo": "a0d2a91224bf3e321d63f45fff2bb67618c8915632aeed36a8fa14e5c2d4775e",
        "sketch": "cb2c65816ba41717020b7bd72ddee9d6d7ee28408600b47787f010b1c0546fd0",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read `<split>_X`, `<split>_y`, `<split>_id` and the classes."""
        path, mend = self.official(raw, split), "Import the pack again."
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                features, labels, ids = (arrays[f"{split}_{part}"] for part in ("X", "y", "id"))
                classes = tuple(str(name) for name in arrays["classes"].tolist())
            ids = tuple(str(name) for name in ids.tolist())
            features = np.ascontiguousarray(features, dtype=np.float32)
        except Exception as error:
            rule, got = f"must hold {split}_X, {split}_y, {split}_id and classes", f"{type(error).__name__}: {error}"
            raise DataError(str(path), rule, got, mend) from None
        if classes != self.classes:
            raise DataError(str(path), f"must have the {len(self.classes)} classes of Sketchy", classes, mend)
        labels = checked_labels(labels, len(classes), path)
        return self.domain(split, features, labels, ids)


def _in_order(tree: Path, split: str, classes: tuple[str, ...]) -> list[str]:
    """Names of a split's pictures in the order of their categories and ids.

    Raises:
        DataError: if a category has none, one is not named as the authors name them, or one occurs twice.
    """
    found: dict[str, str] = {}
    others, folder = set(), f"{split}/{_PLACEMENT}"
    for name in names_in(tree):
        path = PurePosixPath(name)
        if path.parts[-4:-2] != (split, _PLACEMENT) or path.suffix.lower() not in _SUFFIXES:
            continue
        if path.parent.name not in classes:
            others.add(path.parent.name)
            continue
        # A photo's name must not look like a sketch's, or nobody could tell whose sketch `x-1-2` is.
        if bool(_SKETCH.fullmatch(path.stem)) != (split == "sketch"):
            rule = f"must have its {_PLURAL[split]} named {_FORMS[split]}"
            raise DataError(str(tree), rule, f"{'/'.join(path.parts[-2:])!r}", "Get the official files again.")
        if found.setdefault(_identity(name), name) != name:
            got = f"{found[_identity(name)]} and {name}"
            raise DataError(str(tree), f"must hold each {split} once", got, "Remove one of the two.")
    missing = sorted(set(classes) - {identity.partition("/")[0] for identity in found})
    if missing:
        none = f"none of {_some(missing)}" if found else "none at all"
        got = f"{none}{f', and folders of other names: {_some(sorted(others))}' if others else ''}"
        rule = f"must hold {_PLURAL[split]} of all {len(classes)} categories as {folder}/<category>/{_FORMS[split]}"
        raise DataError(str(tree), rule, got, "Get the official files again, whole.")
    return [found[identity] for identity in sorted(found, key=_sort_key)]


def _identity(name: str) -> str:
    """`<category>/<file without suffix>`."""
    path = PurePosixPath(name)
    return f"{path.parent.name}/{path.stem}"


def _sort_key(identity: str) -> tuple[str, str]:
    category, _, stem = identity.partition("/")
    return category, stem


def _side(tree: Path, first: str) -> int:
    """What all pictures are cut to; the authors' pictures are all of one size."""
    _, content = next(files_in(tree, lambda name: name == first))
    decode(first, content)  # says it well if that is no picture
    return min(_SIDE, *Image.open(io.BytesIO(content)).size)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def _notes(split: str, count: int) -> Iterator[str]:
    if count < _OFFICIAL[split]:
        yield (
            f"These are {count:,} of Sketchy's {_OFFICIAL[split]:,} {_PLURAL[split]}; scores are not comparable with "
            "those on all."
        )
