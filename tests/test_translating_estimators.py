"""Translating from Python: shapes, ranges and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

import acclimate as ac
from acclimate.errors import RequestError

DIGITS, LABELS = load_digits(return_X_y=True)
IMAGES = (DIGITS.reshape(-1, 8, 8) * 15.9375).round().astype(np.uint8)
SOURCE, TARGET = IMAGES[:80], 255 - IMAGES[80:160]


@pytest.fixture(scope="module")
def model() -> ac.estimators.AdaptationEstimator:
    made = ac.SharedLatentVAEGAN(maps=2, steps=2, batch_size=16, device="cpu")
    return made.fit((SOURCE, LABELS[:80]), TARGET)


def test_images_of_one_side_as_images_of_the_other(model: ac.estimators.AdaptationEstimator) -> None:
    to_target = model.translate(SOURCE[:5])
    assert (to_target.dtype, to_target.shape) == (np.uint8, (5, 32, 32, 1))
    assert model.translate(TARGET[:3], to="source").shape == (3, 32, 32, 1)
    for side, images in (("source", SOURCE), ("target", TARGET)):
        rebuilt = model.reconstruct(images[:4], side=side)
        assert (rebuilt.dtype, rebuilt.shape) == (np.uint8, (4, 32, 32, 1))
        codes = model.encode(images[:4], side=side)
        assert codes.shape == (4, 32)
        assert np.array_equal(codes, model.transform(images[:4], side=side))
    # A translation is its own side's code through the other side's decoder.
    assert np.array_equal(to_target, model._fitted.decoded(model.encode(SOURCE[:5], "source"), "target"))


def test_refusals(model: ac.estimators.AdaptationEstimator) -> None:
    with pytest.raises(RequestError, match=r"to must be 'source' or 'target'; got 'other'"):
        model.translate(SOURCE[:2], to="other")
    with pytest.raises(RequestError, match=r"side must be"):
        model.reconstruct(SOURCE[:2], side="left")
    with pytest.raises(NotFittedError):
        ac.SharedLatentVAEGAN().translate(SOURCE[:2])
    other = ac.SourceOnly(steps=1, batch_size=8, device="cpu").fit((SOURCE, LABELS[:80]), TARGET)
    with pytest.raises(RequestError, match=r"model must be of a method that has a decoder .* 'source-only'"):
        other.translate(SOURCE[:2])
    assert len(other.encode(SOURCE[:2], side="source")) == 2
