"""Kannada-MNIST: handwritten digits of the Kannada script, in MNIST's form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.catalog.parsing import idx_pair
from acclimate.data.domain import Domain

_FOLDER = "https://raw.githubusercontent.com/vinayprabhu/Kannada_MNIST/master/data/output_tensors/MNIST_format/"


def _remote(name: str, md5: str) -> RemoteFile:
    return RemoteFile(name, (_FOLDER + name,), f"md5:{md5}")


class KannadaMnist(Dataset):
    """Grey 28×28 digits of the Kannada script; the classes are MNIST's, the shapes are not."""

    name = "kannada_mnist"
    title = "Kannada-MNIST"
    licence = "CC BY-SA 4.0"
    source = "Prabhu (2019), arXiv:1908.01242"
    page = "https://github.com/vinayprabhu/Kannada_MNIST"
    classes = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    packed = True
    splits = ("train", "test", "dig")
    sizes: ClassVar[Mapping[str, int]] = {"train": 60000, "test": 10000, "dig": 10240}
    optional = ("dig",)
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "train": (
            ("X_kannada_MNIST_train-idx3-ubyte.gz", "X_kannada_MNIST_train-idx3-ubyte"),
            ("y_kannada_MNIST_train-idx1-ubyte.gz", "y_kannada_MNIST_train-idx1-ubyte"),
        ),
        "test": (
            ("X_kannada_MNIST_test-idx3-ubyte.gz", "X_kannada_MNIST_test-idx3-ubyte"),
            ("y_kannada_MNIST_test-idx1-ubyte.gz", "y_kannada_MNIST_test-idx1-ubyte"),
        ),
        "dig": (
            ("X_dig_MNIST-idx3-ubyte.gz", "X_dig_MNIST-idx3-ubyte"),
            ("y_dig_MNIST-idx1-ubyte.gz", "y_dig_MNIST-idx1-ubyte"),
        ),
    }
    files = (
        _remote("X_kannada_MNIST_train-idx3-ubyte.gz", "db2cd247b479801b3a882ab980b340c3"),
        _remote("y_kannada_MNIST_train-idx1-ubyte.gz", "f1f06031670554894b697988b906b036"),
        _remote("X_kannada_MNIST_test-idx3-ubyte.gz", "8682876e8fbc8cd0e7bb07fc2f502335"),
        _remote("y_kannada_MNIST_test-idx1-ubyte.gz", "b426d27d50a5fd8411b9e5838868be4b"),
    )
    traps = (
        "Apart from 0, its digits do not look like the Latin digits of the same value: adapting from MNIST shares"
        " strokes, not shapes, and low accuracy is to be expected.",
        "The split `dig` was written by other people, in another country, and is harder.",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "train": "93d4726fffc247eae01360c6e936512f9cfd8fc4744ef8f65239ffc4bc67eb29",
        "test": "d2abd7d9d4fc4211e8900b8fca15876204190c8ffea226be5eb410857823344c",
        "dig": "6243b7107f2f007a678dbabbec0c6cbe7c6a18ee4d3c97661f157f5a38a7d8bd",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read the two idx files of a split, gzipped or not."""
        return idx_pair(self, raw, split)
