"""MNIST: handwritten digits from American census staff and pupils."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.catalog.parsing import idx_pair
from acclimate.data.domain import Domain

_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def _remote(name: str, md5: str, size: int) -> RemoteFile:
    return RemoteFile(name, tuple(mirror + name for mirror in _MIRRORS), f"md5:{md5}", size)


class Mnist(Dataset):
    """Grey 28×28 handwritten digits, white on black, centred by mass."""

    name = "mnist"
    title = "MNIST"
    licence = "CC BY-SA 3.0"
    source = "LeCun, Bottou, Bengio and Haffner (1998)"
    page = "https://ossci-datasets.s3.amazonaws.com/mnist/"
    classes = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    packed = True
    splits = ("train", "test")
    sizes: ClassVar[Mapping[str, int]] = {"train": 60000, "test": 10000}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "train": (
            ("train-images-idx3-ubyte.gz", "train-images-idx3-ubyte", "train-images.idx3-ubyte"),
            ("train-labels-idx1-ubyte.gz", "train-labels-idx1-ubyte", "train-labels.idx1-ubyte"),
        ),
        "test": (
            ("t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"),
            ("t10k-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"),
        ),
    }
    files = (
        _remote("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9912422),
        _remote("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28881),
        _remote("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1648877),
        _remote("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4542),
    )
    traps = (
        "Values are 0…255, while many copies of its usual partner USPS are −1…1 or 0…1; here both are bytes.",
        "Early papers adapt between 2,000 MNIST and 1,800 USPS images, later ones use all: compare like with like.",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "train": "b328d7e2727c1b9ec218f97c4040371c7a9feae14e638c91fa9193a032c2a5d7",
        "test": "1153a1cd436486415ca2af9273c0df1f674a99071cb96d2acafc148b96c23677",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read the two idx files of a split, gzipped or not."""
        return idx_pair(self, raw, split)
