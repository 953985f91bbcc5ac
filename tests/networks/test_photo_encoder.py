"""Frozen encoders of photos by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from acclimate.data import catalog
from acclimate.data.domain import Domain
from acclimate.errors import MissingExtraError, RequestError
from acclimate.inputs.encode import encode, photo_preprocess
from acclimate.networks.mobilenet import WEIGHTS, MobileNetV2
from acclimate.networks.photo_encoder import load_photo_encoder


class Pooled(nn.Module):
    """What a model of timm's without classifier is to its caller; features with spatial axes, some have them."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(self.norm(x), (1, 2)).to(torch.bfloat16)


def fake_timm(create: Callable[..., nn.Module], **config: Any) -> SimpleNamespace:
    found = {"input_size": (3, 48, 48), "mean": (0.1, 0.2, 0.3), "std": (0.5, 0.6, 0.7), "crop_pct": 0.8} | config
    return SimpleNamespace(
        is_model=lambda name: name == "thing_50",
        create_model=create,
        data=SimpleNamespace(resolve_data_config=lambda args, model: found),
    )


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """A timm with one model; what it was asked to create."""
    asked = []

    def create(name: str, **options: Any) -> nn.Module:
        asked.append((name, options))
        return Pooled()

    monkeypatch.setitem(sys.modules, "timm", fake_timm(create))
    return asked


def test_a_model_of_timms_comes_with_its_weights_and_its_own_input(timm: list[tuple[str, dict[str, Any]]]) -> None:
    encoder = load_photo_encoder("timm:thing_50")
    assert timm == [("thing_50", {"pretrained": True, "num_classes": 0})]
    assert (encoder.name, encoder.size, encoder.stored) == ("timm:thing_50", 48, 60)
    assert (encoder.mean, encoder.std) == ((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    assert not encoder.network.training
    assert not any(p.requires_grad for p in encoder.network.parameters())
    features = encoder(torch.ones(2, 3, 48, 48))
    assert (features.shape, features.dtype) == ((2, 6), torch.float32)


def test_photos_come_to_it_cut_and_normalised_as_it_asks(timm: list[tuple[str, dict[str, Any]]]) -> None:
    encoder = load_photo_encoder("timm:thing_50")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 60, 60, 3), dtype=np.uint8)
    middle = pixels[:, 6:54, 6:54].astype(np.float64) / 255
    even = (middle - encoder.mean) / encoder.std / np.sqrt(1 + 1e-5)
    expected = even.reshape(3, 48, 2, 24, 3).mean(axis=(1, 3)).transpose(0, 2, 1).reshape(3, 6)
    found = encode(Domain(pixels), encoder=encoder)
    np.testing.assert_allclose(found.array, expected, atol=0.02)  # bfloat16 in between
    assert (photo_preprocess(encoder).size, photo_preprocess(encoder).stored) == (48, 60)


def test_without_a_crop_the_whole_square_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", fake_timm(lambda name, **options: Pooled(), crop_pct=None))
    assert load_photo_encoder("timm:thing_50").stored == 48


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtraError, match=r"the package 'timm' must be installed.*acclimate\[hub\]"):
        load_photo_encoder("timm:thing_50")


def test_a_model_that_timm_does_not_know_is_refused(timm: list[tuple[str, dict[str, Any]]]) -> None:
    with pytest.raises(RequestError, match="photo_encoder must be a model that timm knows; got 'thing_51'"):
        load_photo_encoder("timm:thing_51")
    assert timm == []


@pytest.mark.parametrize(
    "error", [OSError("no route"), RuntimeError("no pretrained weights"), ValueError("cut short")]
)
def test_weights_that_cannot_be_had_are_said(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(name: str, **options: Any) -> nn.Module:
        raise error

    monkeypatch.setitem(sys.modules, "timm", fake_timm(create))
    with pytest.raises(RequestError, match=f"'thing_50' without .{type(error).__name__}: {error}.") as found:
        load_photo_encoder("timm:thing_50")
    assert "hf download" in found.value.fix


@pytest.mark.parametrize("name", ["resnet50", "", "mobilenetv2-scratch"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(RequestError, match="photo_encoder must be 'mobilenetv2', or a model of timm's"):
        load_photo_encoder(name)


def test_our_own_without_its_weights_says_what_brings_them() -> None:
    with pytest.raises(RequestError, match="photo_encoder 'mobilenetv2' needs its ImageNet weights on disk") as found:
        load_photo_encoder("mobilenetv2")
    assert found.value.fix.startswith("Run `acclimate data import FOLDER`, or take another encoder")
    assert "--network" not in found.value.fix


def test_our_own_with_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path))
    (tmp_path / "encoders").mkdir()
    torch.manual_seed(0)
    save_file(MobileNetV2().state_dict(), tmp_path / "encoders" / WEIGHTS)
    encoder = load_photo_encoder("mobilenetv2")
    assert (encoder.size, encoder.stored, encoder.mean) == (224, 256, (0.5, 0.5, 0.5))
    assert not encoder.network.training
    x = torch.rand(2, 3, 224, 224) * 2 - 1
    features = encoder(x)
    assert features.shape == (2, 1280)
    assert torch.equal(features, encoder(x))


def test_real_features_are_those_made_elsewhere_from_the_original_photos(
    imported_packs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(imported_packs))
    photos, theirs = (catalog.load(name, "amazon") for name in ("office_caltech10", "office_caltech10_mobilenetv2"))
    few = photos.take(slice(0, len(photos), 60))
    place = {name: row for row, name in enumerate(theirs.ids)}
    a, b = encode(few).array, theirs.array[[place[name] for name in few.ids]]
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosine.mean() > 0.97
    assert cosine.min() > 0.9


def test_at_another_size_it_is_another_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    network = MobileNetV2()
    monkeypatch.setattr("acclimate.networks.photo_encoder.load_mobilenet", lambda trainable: network)
    usual, small = load_photo_encoder("mobilenetv2"), load_photo_encoder("mobilenetv2@64")
    assert (small.name, small.size, small.stored) == ("mobilenetv2@64", 64, 73)
    assert small.digest != usual.digest
    assert load_photo_encoder("mobilenetv2@224").digest == usual.digest
    assert small(torch.zeros(2, 3, 64, 64)).shape == (2, 1280)
    for size in (4, 4096):
        with pytest.raises(RequestError, match=r"image_size must be 8 to 2,048 pixels"):
            load_photo_encoder(f"mobilenetv2@{size}")


def test_an_encoder_for_one_size_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Patches(Pooled):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[-1] == 48, "Input height doesn't match model"
            return super().forward(x)

    monkeypatch.setitem(sys.modules, "timm", fake_timm(lambda *_, **__: Patches()))
    with pytest.raises(RequestError, match=r"image_size must be 48 for the encoder 'timm:thing_50'.*got 64"):
        load_photo_encoder("timm:thing_50@64")
    assert load_photo_encoder("timm:thing_50@48").name == "timm:thing_50"
