"""A folder of photos as features of a frozen encoder: block by block, kept, and the same whatever the blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from acclimate.data.readers import read_images
from acclimate.errors import DataError
from acclimate.inputs.encode import encode
from acclimate.networks.encoder import PhotoEncoder
from acclimate.running import photos
from acclimate.running.photos import encode_folder
from acclimate.training.trainer import Interrupted


class Counting(nn.Module):
    """Four numbers of a photo, and how many photos it has been asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(
            torch.tensor([[1.0, -1.0, 0.5], [2.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
        )
        self.seen = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += len(x)
        return x.mean(dim=(2, 3)) @ self.weight.T


def an_encoder() -> PhotoEncoder:
    return PhotoEncoder("counting", Counting().eval(), 6, 8, (0.5,) * 3, (0.25,) * 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for i in range(9):
        place = tmp_path / "pets" / ("cat" if i % 3 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (10 + i, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels[..., 0] if i == 4 else pixels).save(place / f"{i}.png")
    (tmp_path / "pets" / "cat" / "broken.jpg").write_bytes(b"no picture")
    return tmp_path / "pets"


@pytest.mark.parametrize("block", [1, 4, 100])
def test_features_are_those_of_the_photos_read_at_once(
    folder: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "BLOCK", block)
    seen: list[tuple[int, int]] = []
    found = encode_folder(folder, an_encoder(), progress=lambda done, total: seen.append((done, total)))
    whole = read_images(folder, size=8)
    np.testing.assert_allclose(found.array, encode(whole, encoder=an_encoder()).array, atol=1e-5)
    assert (found.ids, found.classes, found.name) == (whole.ids, ("cat", "dog"), "pets")
    np.testing.assert_array_equal(found.labels, whole.labels)
    assert seen[-1] == (10, 10)
    assert any("9 of 10 images were kept; not these: cat/broken.jpg" in note for note in found.notes)


def test_grey_photos_alone_are_encoded_as_colour(tmp_path: Path) -> None:
    for i in range(3):
        Image.fromarray(np.full((9, 9), 60 * i, dtype=np.uint8)).save(tmp_path / f"{i}.png")
    found = encode_folder(tmp_path, an_encoder())
    assert found.array.shape == (3, 4)
    assert found.num_labelled == 0


def test_what_is_done_is_kept_when_work_stops(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "BLOCK", 4)
    whole = encode(read_images(folder, size=8), encoder=an_encoder()).array
    first, second, third = an_encoder(), an_encoder(), an_encoder()
    answers = iter([False, True])
    with pytest.raises(Interrupted) as stop:
        encode_folder(folder, first, stopped=lambda: next(answers))
    assert (stop.value.step, stop.value.steps) == (4, 10)
    np.testing.assert_allclose(encode_folder(folder, second).array, whole, atol=1e-5)
    assert first.network.seen + second.network.seen == 9
    np.testing.assert_allclose(encode_folder(folder, third).array, whole, atol=1e-5)
    assert third.network.seen == 0


def test_another_encoder_or_another_photo_is_encoded_anew(folder: Path) -> None:
    encode_folder(folder, an_encoder())
    other = an_encoder()
    other.network.weight.data[0] += 1
    assert other.digest != an_encoder().digest
    encode_folder(folder, other)
    assert other.network.seen == 9
    Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8)).save(folder / "dog" / "0.png")
    again = an_encoder()
    encode_folder(folder, again)
    assert again.network.seen == 9


def test_features_know_whose_they_are(folder: Path) -> None:
    encoder = an_encoder()
    schema = encode_folder(folder, encoder).schema
    assert schema is not None
    assert schema.model_dump() == {"encoder": "counting", "weights": encoder.digest}


def test_a_folder_of_what_does_not_open_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match="must hold images that open; got 1 that do not: a.jpg"):
        encode_folder(tmp_path, an_encoder())


def test_a_cache_that_cannot_be_used_costs_time_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ACCLIMATE_CACHE", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(photos, "BLOCK", 4)
    found = encode_folder(folder, an_encoder())
    assert len(found) == 9
    assert sum("cannot be used" in note for note in found.notes) == 1
