"""MNIST-M: MNIST digits blended into colour photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np

from acclimate.data.archives import files_in, gather
from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.catalog.parsing import checked_labels
from acclimate.data.catalog.photos import decode
from acclimate.data.domain import Domain
from acclimate.errors import DataError

_BORDER = 2  # pixels of photograph around the 28×28 ones of MNIST


class MnistM(Dataset):
    """Colour 32×32 images: a digit of MNIST inverted against patches of BSDS500 photographs."""

    name = "mnist_m"
    title = "MNIST-M"
    licence = "not stated by its authors; MNIST is CC BY-SA 3.0, BSDS500 for research"
    source = "Ganin et al. (2016), Domain-Adversarial Training of Neural Networks"
    page = "http://yaroslav.ganin.net"
    classes = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    packed = True
    splits = ("train", "test")
    sizes: ClassVar[Mapping[str, int]] = {"train": 59001, "test": 9001}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        "train": (("mnist_m.tar.gz", "mnist_m/mnist_m_train", "mnist_m_train"),),
        "test": (("mnist_m.tar.gz", "mnist_m/mnist_m_test", "mnist_m_test"),),
    }
    files = (
        RemoteFile(
            "mnist_m.tar.gz",
            (
                "https://cornell.box.com/shared/static/jado7quprg6hzzdubvwzh9umr75damwi",
                "https://drive.usercontent.google.com/download?id=0B_tExHiYS-0veklUZHFYT19KYjg&confirm=t",
            ),
            "md5:859df31c91afe82e80e5012ba928f279",
        ),
    )
    traps = (
        "Each image is made from one MNIST image, its id: source and target show the same digits by the same hands.",
        "There are 59,001 and 9,001 images, not 60,000 and 10,000; re-made versions have other photographs behind.",
        "MNIST's 28×28 pixels lie inside a border of 2; shrunk to 28, digits would be too small. It is cut off.",
        "The pack holds the first 45,056 training images only; the download holds all.",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "train[:45056]": "9d2a4307b39e02b00454a83c732da9f1803b565abb823ea21fc633a997c09537",
        "test": "bc23efbc28f1aa79294d3bfd897310108a81fd7e27263ef66ea77b2477c4c0b2",
    }

    def load(self, split: str) -> Domain:
        """One split, cut to MNIST's 28×28 pixels; the release's 32×32 are what is stored and checked."""
        return _without_border(super().load(split))

    def parse(self, raw: Path, split: str) -> Domain:
        """Read the labels file and the PNG files it names, in its order, from the archive or unpacked."""
        found = self.official(raw, split)
        tree = found if found.is_file() else found.parent
        names, labels = _read_labels(tree, f"mnist_m_{split}_labels.txt")
        rows = {f"mnist_m_{split}/{name}": row for row, name in enumerate(names)}
        images = gather(tree, rows, _last_two, _decode, (32, 32, 3))
        ids = tuple(str(int(name[:-4])) for name in names)
        return self.domain(split, images, checked_labels(labels, 10, f"mnist_m_{split}_labels.txt"), ids)


def _without_border(domain: Domain) -> Domain:
    """The release's images cut to their middle 28×28 pixels, where each digit lies as in MNIST.

    Resized from 32 to 28 pixels instead, the digits are an eighth smaller than the ones a network was trained on: a
    shift that the paper's images, made at 28×28, do not have.

    Args:
        domain: 32×32×3 images of MNIST-M.
    """
    inner = domain.array[:, _BORDER:-_BORDER, _BORDER:-_BORDER]
    note = "MNIST-M's images are cut to their middle 28×28 pixels, where the digits have MNIST's size and place."
    return replace(domain, inputs=np.ascontiguousarray(inner)).with_notes(note)


def _last_two(name: str) -> str:
    return "/".join(PurePosixPath(name).parts[-2:])


def _decode(name: str, content: bytes) -> np.ndarray:
    pixels = np.asarray(decode(name, content))
    if pixels.shape != (32, 32, 3):
        raise DataError(
            name, "must be an image of 32×32 pixels", "×".join(map(str, pixels.shape[:2])), "Get the file again."
        )
    return pixels


def _read_labels(tree: Path, labels_file: str) -> tuple[list[str], np.ndarray]:
    """File names and labels, from lines of the form `00000000.png 5`."""
    content = next((c for _, c in files_in(tree, lambda n: PurePosixPath(n).name == labels_file)), None)
    if content is None:
        raise DataError(str(tree), f"must contain {labels_file}", "no such file", "Get the whole archive again.")
    names, labels = [], []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            name, label = line.decode("ascii").split()
            if not (name.endswith(".png") and name[:-4].isdigit()):
                raise ValueError(name)
            names.append(name)
            labels.append(int(label))
        except ValueError:
            raise DataError(
                f"{labels_file}, line {number},",
                "must be a file name like 00000000.png and a label",
                repr(line[:40]),
                "Get the whole archive again.",
            ) from None
    if not names or len(set(names)) != len(names):
        raise DataError(labels_file, "must name every image once", f"{len(names)} lines", "Get the archive again.")
    return names, np.array(labels)
