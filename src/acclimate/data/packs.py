"""Packs: folders of checked data sets in compact files, taken over without a download.

A pack folder holds `images/`, `features/`, `text/`, `sketchy/` and `encoders/`; its README may list the SHA-256 of
every file. What is stored from a pack is what the official files would give, except where the domain's notes say
otherwise.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from acclimate.data import storage
from acclimate.data.catalog import dataset
from acclimate.data.catalog.amazon_bow import AmazonBow
from acclimate.data.catalog.amazon_reviews import DOMAINS
from acclimate.data.catalog.base import Dataset
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder, encoders_folder
from acclimate.data.temporary import temporary_beside
from acclimate.errors import AcclimateError, DataError, unwritable

Outcome = Literal["imported", "already here", "not needed yet"]
Reader = Callable[[Dataset, Path, str], Domain]

_CHECKSUM_LINE = re.compile(r"^\s*([0-9a-f]{64})\s+(\S+)\s*$", re.MULTILINE)
_SHEET_COLUMNS, _SHEET_IMAGES, _MNIST_M_SIDE = 64, 4096, 32


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file of a pack folder.

    Attributes:
        file: its path within the folder.
        gives: the data set or the encoder it holds, empty if nothing here needs it.
        outcome: what was done.
    """

    file: str
    gives: str
    outcome: Outcome

    def __str__(self) -> str:
        return f"{self.file}: {self.outcome}"


@dataclass(frozen=True, slots=True)
class _Pack:
    """A file that holds splits of a data set, and how to read one of them."""

    dataset: str
    splits: tuple[str, ...]
    read: Reader


def import_folder(folder: Path, report: Callable[[Imported], None] = lambda done: None) -> list[Imported]:
    """Take over every data set and encoder in a pack folder; what is here already is left alone.

    Args:
        folder: the pack folder.
        report: called after each file.

    Returns:
        What became of each file, in the order of their names.

    Raises:
        DataError: if there is nothing to import or a file does not have the listed checksum.
        WorkError: if the data home cannot be written to.
    """
    known = {file: path for file in _PACKS if (path := folder / file).is_file()}
    encoders = sorted((folder / "encoders").glob("*"))
    if not known and not encoders:
        raise DataError(
            str(folder),
            "must be a folder of packs",
            "none of the files known here" if folder.is_dir() else "no such folder",
            f"It should contain files such as {', '.join(list(_PACKS)[:3])}.",
        )
    listed = _listed_checksums(folder)
    done = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.parent != folder):
        file = path.relative_to(folder).as_posix()
        done.append(_import_file(path, file, listed.get(file)))
        report(done[-1])
    return done


def _import_file(path: Path, file: str, listed: str | None) -> Imported:
    if file in _PACKS:
        pack = _PACKS[file]
        return Imported(file, pack.dataset, _import_pack(pack, path, _verified(path, listed)))
    if file.startswith("encoders/"):
        return Imported(file, f"encoder {path.name}", _import_encoder(path, _verified(path, listed)))
    return Imported(file, "", "not needed yet")


def _import_pack(pack: _Pack, path: Path, checksum: str) -> Outcome:
    """Store the splits of a pack that are not stored yet, from it or from official files."""
    data, origin = dataset(pack.dataset), f"sha256:{checksum}"
    wanted = [split for split in pack.splits if not _has(data, split, origin)]
    for split in wanted:
        try:
            domain = pack.read(data, path, split)
        except AcclimateError:
            raise
        except Exception as error:
            raise DataError(
                str(path), f"must be the pack of {data.name}", f"{type(error).__name__}: {error}", "Copy it again."
            ) from None
        data.check_content(domain, split)
        storage.store(domain, arrays_folder(data.name, split), origin)
    return "imported" if wanted else "already here"


def _has(data: Dataset, split: str, origin: str) -> bool:
    """True if the split is stored from this very pack, or from the official files, which hold at least as much."""
    folder = arrays_folder(data.name, split)
    return storage.is_stored(folder) and storage.about(folder).get("made_from") in (origin, "official files")


def _import_encoder(path: Path, checksum: str) -> Outcome:
    target = encoders_folder() / path.name
    if target.is_file() and _sha256(target) == checksum:
        return "already here"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(target) as temporary:
            shutil.copyfile(path, temporary)
            temporary.replace(target)
    except OSError as error:
        raise unwritable(target, error, "set ACCLIMATE_DATA to another folder") from None
    return "imported"


def _listed_checksums(folder: Path) -> dict[str, str]:
    """SHA-256 by file, from lines `<sha256>  <file>` of the folder's README."""
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
    return {file: checksum for checksum, file in _CHECKSUM_LINE.findall(text)}


def _verified(path: Path, listed: str | None) -> str:
    checksum = _sha256(path)
    if listed is not None and checksum != listed:
        raise DataError(str(path), f"must have the listed SHA-256 {listed}", checksum, "Copy the file again.")
    return checksum


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_grey(data: Dataset, path: Path, split: str) -> Domain:
    """`<split>_images` of `(n, h, w)` bytes and `<split>_labels`."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return data.domain(split, arrays[f"{split}_images"][..., None], arrays[f"{split}_labels"])


def _read_mnist_m(data: Dataset, path: Path, split: str) -> Domain:
    """`<split>_webp_NN`: sheets of 64 images a row, 4,096 a sheet, the last one padded."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        labels, ids = arrays[f"{split}_labels"], arrays[f"{split}_ids"]
        sheets = sorted(name for name in arrays if name.startswith(f"{split}_webp_"))
        images = np.empty((len(labels), _MNIST_M_SIDE, _MNIST_M_SIDE, 3), dtype=np.uint8)
        for number, name in enumerate(sheets):
            part = images[number * _SHEET_IMAGES : (number + 1) * _SHEET_IMAGES]
            part[:] = _cut_sheet(arrays[name])[: len(part)]
    notes: tuple[str, ...] = ()
    if len(labels) < data.sizes[split]:
        notes = (
            f"MNIST-M's {split} split here is the first {len(labels):,} of {data.sizes[split]:,} images, as in the"
            f" pack; `acclimate data get {data.name}` brings all.",
        )
    return data.domain(split, images, labels, tuple(str(i) for i in ids.tolist()), notes)


def _cut_sheet(webp: np.ndarray) -> np.ndarray:
    """Images `(4096, 32, 32, 3)` of a sheet, row by row."""
    sheet = np.asarray(Image.open(io.BytesIO(webp.tobytes())).convert("RGB"))
    side, columns = _MNIST_M_SIDE, _SHEET_COLUMNS
    return sheet.reshape(-1, side, columns, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)


def _read_official(data: Dataset, path: Path, split: str) -> Domain:
    """A file that the data set reads by itself."""
    return data.parse(path.parent, split)


_PLACES = ("amazon", "caltech", "webcam", "dslr")
_PACKS = {
    "images/mnist.npz": _Pack("mnist", ("train", "test"), _read_grey),
    "images/kannada_mnist.npz": _Pack("kannada_mnist", ("train", "test", "dig"), _read_grey),
    "images/usps.npz": _Pack("usps", ("train", "test"), _read_grey),
    "images/mnist_m.npz": _Pack("mnist_m", ("train", "test"), _read_mnist_m),
    "images/office_caltech10_jpg256.tar": _Pack("office_caltech10", _PLACES, _read_official),
    "features/office_caltech10_surf800.npz": _Pack("office_caltech10_surf", _PLACES, _read_official),
    "features/office_caltech10_mobilenetv2_1280.npz": _Pack("office_caltech10_mobilenetv2", _PLACES, _read_official),
    "features/office_caltech10_decaf6_webcam_dslr.npz": _Pack(
        "office_caltech10_decaf6", ("webcam", "dslr"), _read_official
    ),
    "features/office31_surf_amazon800_dslr600.npz": _Pack(
        "office31_surf", ("amazon", "dslr_labelled", "dslr_unlabelled"), _read_official
    ),
    "text/amazon_reviews_5domains.jsonl.gz": _Pack("amazon_reviews", DOMAINS, _read_official),
    "text/amazon_unlabelled_5domains.jsonl.gz": _Pack(
        "amazon_reviews", tuple(f"{domain}_unlabelled" for domain in DOMAINS), _read_official
    ),
    "features/amazon_bow5000_dann.npz": _Pack("amazon_bow", AmazonBow.splits, _read_official),
    "features/reuters1200_5lang_2000.npz": _Pack("reuters", ("en", "fr", "gr", "sp", "it"), _read_official),
    "sketchy/sketchy_subset.tar": _Pack("sketchy", ("photo", "sketch"), _read_official),
    "sketchy/sketchy_mobilenetv2_1280.npz": _Pack("sketchy_encoded", ("photo", "sketch"), _read_official),
}
