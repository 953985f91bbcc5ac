"""A run's model as serving sees it: pictures in, vectors or probabilities out."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.data.readers.pictures import Form
from acclimate.data.trim import trimmed
from acclimate.errors import RequestError
from acclimate.inputs.encode import PICTURE, encode
from acclimate.networks.encoder import PhotoEncoder, add_weights
from acclimate.networks.photo_encoder import load_photo_encoder
from acclimate.running.adaptation import load
from acclimate.running.photos import width
from acclimate.runs.record import Run
from acclimate.training.fitted import Fitted, softmax
from acclimate.types import Side


class RunEncoder:
    """The features of a run's model, as `serving.encoder.Encoder` asks for them.

    Photos of a run for retrieval first go through the frozen encoder that the run was trained on.

    Args:
        fitted: a model of images.

    Raises:
        RequestError: if it reads something else.
    """

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted
        of_images(fitted, "source")
        self._photos: PhotoEncoder | None = None
        if fitted.plan.method.problem == "retrieval":
            self._photos = load_photo_encoder(fitted.plan.options.photo_encoder)
            _check_width(fitted, self._photos)
        else:
            of_images(fitted, "target")

    @cached_property
    def name(self) -> str:
        """The method's name and a digest of weights and preprocessing."""
        plan = self._fitted.plan
        digest = hashlib.blake2b(plan.preprocess.model_dump_json().encode(), digest_size=8)
        photos = {} if self._photos is None else {"photo encoder": self._photos.network}
        for net_name, net in sorted({**self._fitted.nets, **photos}.items()):
            add_weights(digest, net, f"{net_name}/")
        return f"{plan.method.name}-{digest.hexdigest()}"

    @cached_property
    def width(self) -> int:
        """d, the numbers of a vector, found by encoding a white picture."""
        return int(self.encode(np.full((1, *self.form("target").shape), 255, dtype=np.uint8), "target").shape[1])

    def form(self, side: Side) -> Form:
        """The size and channels that the run stores pictures in, or that it was trained on."""
        if side == "target" and self._photos is not None:
            return Form(PICTURE, 3)
        if self._photos is not None:
            return Form(PICTURE, 1)
        preprocess = of_images(self._fitted, side)
        return Form(preprocess.stored, preprocess.channels)

    def encode(self, pictures: np.ndarray, side: Side) -> np.ndarray:
        """Features float32 `(n, d)` of pictures uint8 `(n, h, w, c)` in the side's form."""
        domain = Domain(pictures, name="pictures")
        if self._photos is not None:
            domain = trimmed(domain) if side == "source" else encode(domain, encoder=self._photos)
        return self._fitted.codes(domain, side)


class RunClassifier:
    """The answers of a run and of the baseline in its folder, as `serving.encoder.Classifier` asks for them.

    Args:
        run: the run's folder.

    Raises:
        RequestError: if it is unfinished, has no weights, or reads something else than images.
        WorkError: if it is damaged.
    """

    def __init__(self, run: Path | str) -> None:
        self._after = load(run)
        baseline = Run(run).baseline
        self._before = None if baseline is None else load(baseline.folder)
        of_images(self._after, "target")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in index order."""
        return self._after.plan.classes

    @property
    def before_name(self) -> str | None:
        """The baseline's method."""
        return None if self._before is None else self._before.plan.method.name

    def form(self, side: Side) -> Form:
        """The size and channels that the run stores pictures in."""
        preprocess = of_images(self._after, side)
        return Form(preprocess.stored, preprocess.channels)

    def after(self, pictures: np.ndarray) -> np.ndarray:
        """Probabilities float64 `(n, k)` of pictures uint8 `(n, h, w, c)` in the target's form."""
        return _probabilities(self._after, pictures)

    def before(self, pictures: np.ndarray) -> np.ndarray | None:
        """The same of the baseline."""
        return None if self._before is None else _probabilities(self._before, pictures)


def _probabilities(fitted: Fitted, pictures: np.ndarray) -> np.ndarray:
    return softmax(fitted.outputs(Domain(pictures, name="pictures"), keep_features=False).logits)


def _check_width(fitted: Fitted, photos: PhotoEncoder) -> None:
    """Refuse a run trained on other features than those of the encoder that its options name."""
    found = width(photos)
    expected = fitted.plan.preprocess.of("target").channels
    if found != expected:
        raise RequestError(
            "run",
            f"must have been trained on the {found:,} features of {photos.name!r}, which photos are encoded with",
            f"one trained on {expected:,} features",
            "Name the encoder that they came from when you train: --set photo_encoder=NAME.",
        )


def of_images(fitted: Fitted, side: Side) -> Preprocess:
    """The preprocessing of a side that holds images.

    Raises:
        RequestError: if it holds something else.
    """
    preprocess = fitted.plan.preprocess.of(side)
    if isinstance(preprocess, Preprocess) and preprocess.kind == "images":
        return preprocess
    raise RequestError(
        "run",
        "must be one that reads images",
        f"one that reads {preprocess.kind}",
        "Train it on folders of pictures.",
    )
