"""Office-Caltech-10 as feature tables, with rows in the order of the photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data.catalog.base import Dataset
from acclimate.data.catalog.office_caltech10 import OfficeCaltech10
from acclimate.data.catalog.parsing import checked_labels
from acclimate.data.domain import Domain
from acclimate.errors import DataError


class OfficeCaltech10Surf(Dataset):
    """800 counts of quantised SURF descriptors for each photo, as in the GFK paper's tables."""

    name = "office_caltech10_surf"
    title = "Office-Caltech-10, SURF"
    licence = "for research"
    source = "Gong, Shi, Sha and Grauman (2012)"
    page = "https://github.com/jindongwang/transferlearning/tree/master/data"
    classes = OfficeCaltech10.classes
    packed = only_packed = True
    splits = ("amazon", "caltech", "webcam", "dslr")
    sizes = OfficeCaltech10.sizes
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = dict.fromkeys(
        splits, (("office_caltech10_surf800.npz",),)
    )
    traps = (
        "These are raw counts: the literature divides each row by its sum, then z-scores each column by domain.",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "amazon": "dce9fc4cb282df13bf94b2f6192ab20eb9d61e4be9430c6bcc6a1dc59fd4edec",
        "caltech": "08e452914536d6aeafada7feafdcb3fa4a1493ce6ed4dfb3ce78db750a49b48b",
        "webcam": "2f2a6bc0a4cfcb8d65fc8f2356575e7843bdafd042cb8e415208de2435afb514",
        "dslr": "34d07870899cb3a459a56de19e485666946d9ea40eac6c552ba8f410e77353c1",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one domain from the feature file."""
        return _read_features(self, self.official(raw, split), split)


class OfficeCaltech10Decaf6(Dataset):
    """4096 activations of AlexNet's sixth layer (DeCAF6) for each photo, webcam and dslr only."""

    name = "office_caltech10_decaf6"
    title = "Office-Caltech-10, DeCAF6"
    licence = "for research"
    source = "Donahue et al. (2014)"
    page = "https://github.com/jindongwang/transferlearning/tree/master/data"
    classes = OfficeCaltech10.classes
    packed = only_packed = True
    splits = ("webcam", "dslr")
    sizes: ClassVar[Mapping[str, int]] = {"webcam": 295, "dslr": 157}
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = dict.fromkeys(
        splits, (("office_caltech10_decaf6_webcam_dslr.npz",),)
    )
    traps = ("Webcam and dslr show the same objects, which makes these two easy for each other.",)
    content_hashes: ClassVar[Mapping[str, str]] = {
        "webcam": "941a71be222d1dc58945aa27d0860345384c3576457d2306aa597df4a1b0081d",
        "dslr": "032d14e6170596b39141c468d8ba4f236067eee85e70ab507e091d5a9b242147",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one domain from the feature file."""
        return _read_features(self, self.official(raw, split), split)


class OfficeCaltech10MobileNetV2(Dataset):
    """1280 pooled features of an ImageNet MobileNetV2 for each photo."""

    name = "office_caltech10_mobilenetv2"
    title = "Office-Caltech-10, MobileNetV2"
    licence = "for research"
    source = "Gong, Shi, Sha and Grauman (2012); features computed for acclimate with an ImageNet MobileNetV2"
    page = "the packs"
    classes = OfficeCaltech10.classes
    packed = only_packed = True
    splits = ("amazon", "caltech", "webcam", "dslr")
    sizes = OfficeCaltech10.sizes
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = dict.fromkeys(
        splits, (("office_caltech10_mobilenetv2_1280.npz",),)
    )
    traps = ("Results are not comparable with published DeCAF or ResNet tables.",)
    content_hashes: ClassVar[Mapping[str, str]] = {
        "amazon": "6170ee095017e10931e2a227fb5840fe20ada6c68bd886a2c07ef42b2cb0fc16",
        "caltech": "eaf02a3da3aa88331b46072ffa51147a1424adb3ba91998193cfa2dc03538ba3",
        "webcam": "50d379ed8985852dcf7318e1f82fdf1b1cbaa49dbb52d8f5945120d2bf5f92a5",
        "dslr": "e5310a78cef2e43e0a96d68353444f458368fd1e3b00d14a53d0f5863aa851f4",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one domain from the feature file."""
        return _read_features(self, self.official(raw, split), split)


class OfficeCaltech10Encoded(Dataset):
    """1280 pooled features of each photo, computed on this machine with an ImageNet MobileNetV2."""

    name = "office_caltech10_encoded"
    title = "Office-Caltech-10, encoded here"
    licence = "for research"
    source = "Gong, Shi, Sha and Grauman (2012); features computed here"
    page = "the photos"
    classes = OfficeCaltech10.classes
    splits = ("amazon", "caltech", "webcam", "dslr")
    sizes = OfficeCaltech10.sizes
    traps = (
        "Made from smaller photos, they have a cosine of 0.93 to 0.98 with those of a pack; do not mix the two.",
    )

    def missing(self, split: str) -> tuple[str, ...]:
        """Nothing official to read: features are stored arrays or are not here."""
        return () if self.stored_examples(split) else ("features",)

    def how_to_get(self, *splits: str) -> str:
        """The command that computes them."""
        return "Compute them with: acclimate data encode"

    def parse(self, raw: Path, split: str) -> Domain:
        """Never a file; see `how_to_get`."""
        raise self._not_here(split)


def _read_features(dataset: Dataset, path: Path, split: str) -> Domain:
    """The arrays `<split>_X` and `<split>_y`, and file names from `<split>_file` where there are any."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            features, labels, classes = arrays[f"{split}_X"], arrays[f"{split}_y"], arrays["classes"]
            files = arrays[f"{split}_file"] if f"{split}_file" in arrays else np.array([], dtype=str)
    except Exception as error:
        raise DataError(
            str(path),
            f"must hold {split}_X, {split}_y and classes",
            f"{type(error).__name__}: {error}",
            "Import the pack again.",
        ) from None
    if tuple(classes.tolist()) != dataset.classes:
        raise DataError(
            str(path), f"must have the classes {dataset.classes}", tuple(classes.tolist()), "Import the pack again."
        )
    ids = tuple(str(file).partition("/")[2] for file in files.tolist())
    labels = checked_labels(labels, len(classes), path)
    return dataset.domain(split, np.ascontiguousarray(features, dtype=np.float32), labels, ids)


def scaled_surf(split: str) -> Domain:
    """A domain of SURF counts as published tables have it: rows divided by their sums, columns z-scored.

    The z-scores are by the domain's own mean and deviation (n − 1 in the denominator): where it is the target, its
    inputs are used before any is answered. A word that the domain never has stays 0.
    """
    domain = OfficeCaltech10Surf().load(split)
    shares = domain.array.astype(np.float64)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    spread = shares.std(axis=0, ddof=1)
    scores = (shares - shares.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return replace(domain, inputs=scores.astype(np.float32))
