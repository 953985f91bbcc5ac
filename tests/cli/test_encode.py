"""`acclimate encode`: photos in, a file of features out that every method for vectors takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from acclimate.data.readers import read
from acclimate.networks.mobilenet import WEIGHTS, MobileNetV2
from commands import Command


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MobileNetV2 with weights that mean nothing, where `acclimate data import` puts them."""
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path / "home"))
    (tmp_path / "home" / "encoders").mkdir(parents=True)
    torch.manual_seed(0)
    save_file(MobileNetV2().state_dict(), tmp_path / "home" / "encoders" / WEIGHTS)
    return tmp_path / "home" / "encoders" / WEIGHTS


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for i in range(12):
        place = tmp_path / "photos" / ("cat" if i % 2 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        picture = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8) // (1 + i % 2)
        Image.fromarray(picture).save(place / f"{i:02d}.png")
    return tmp_path / "photos"


def test_photos_become_features_that_adapt_and_predict_take(acclimate: Command, weights: Path, photos: Path) -> None:
    said = acclimate("encode", photos, "a.npz")
    assert said.code == 0, said.err
    assert "Wrote 12 vectors of 1280 features, 12 labelled to a.npz" in said.out
    assert "acclimate adapt --source" in said.out
    domain = read("a.npz")
    assert domain.classes == ("cat", "dog")
    assert domain.ids[0] == "cat/01.png"
    said = acclimate("encode", photos / "cat", "b.npz", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert {k: found[k] for k in ("out", "n", "features", "labelled", "classes", "encoder")} == {
        "out": "b.npz", "n": 6, "features": 1280, "labelled": 0, "classes": [], "encoder": "mobilenetv2",
    }  # fmt: skip
    said = acclimate(
        "adapt", "--source", "a.npz", "--target", "b.npz", "-m", "coral", "--set", "steps=3", "-o", "run"
    )
    assert said.code == 0, said.err
    assert "left out" not in said.out
    said = acclimate("predict", "run", "b.npz", "--out", "answers.csv")
    assert said.code == 0, said.err


def test_features_of_different_encoders_are_not_mixed(acclimate: Command, weights: Path, photos: Path) -> None:
    assert acclimate("encode", photos, "a.npz").code == 0
    torch.manual_seed(1)
    save_file(MobileNetV2().state_dict(), weights)
    assert acclimate("encode", photos / "cat", "b.npz").code == 0
    said = acclimate(
        "adapt", "--source", "a.npz", "--target", "b.npz", "-m", "coral", "--set", "steps=3", "-o", "run"
    )
    assert said.code == 2
    assert "features of one encoder" in said.err
    assert "acclimate encode" in said.err


def test_the_plan_tells_what_it_costs_and_writes_nothing(acclimate: Command, weights: Path, photos: Path) -> None:
    said = acclimate("encode", photos, "a.npz", "--dry-run")
    assert said.code == 0, said.err
    assert "12" in said.out
    assert "cat, dog" in said.out
    assert "1,280" in said.out
    assert not Path("a.npz").exists()
    said = acclimate("encode", photos, "a.npz", "--dry-run", "--json")
    found = json.loads(said.out)
    assert (found["photos"], found["features"], found["classes"]) == (12, 1280, ["cat", "dog"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere", "a.npz"), "must exist"),
        (("photos", "a.csv"), "must end in .npz"),
        (("photos", "there.npz"), "must not exist yet"),
        (("photos", "no/where/a.npz"), "must lie in a folder that exists"),
        (("photos", "a.npz", "--encoder", "resnet50"), "timm:"),
        (("texts", "a.npz"), "data encode-texts"),
        (("photos.tar", "a.npz"), "tar -xf"),
        (("table.csv", "a.npz"), "must hold photos"),
    ],
)
def test_what_cannot_be_encoded_is_told(
    acclimate: Command, weights: Path, photos: Path, words: tuple[str, ...], sentence: str
) -> None:
    Path("there.npz").touch()
    Path("photos.tar").touch()
    Path("table.csv").write_text("x,y\n1,2\n")
    Path("texts").mkdir()
    Path("texts/a.txt").write_text("a text")
    said = acclimate("encode", *words)
    assert said.code == 2
    assert sentence in said.err


def test_images_in_arrays_are_encoded_too(acclimate: Command, weights: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez("images.npz", X=rng.integers(0, 256, (5, 20, 20, 3), dtype=np.uint8), y=np.array([0, 1, 0, 1, -1]))
    said = acclimate("encode", "images.npz", "a.npz")
    assert said.code == 0, said.err
    assert "Wrote 5 vectors of 1280 features, 4 labelled" in said.out


def test_without_weights_it_says_what_brings_them(acclimate: Command, photos: Path) -> None:
    said = acclimate("encode", photos, "a.npz")
    assert said.code == 2
    assert "acclimate data import FOLDER" in " ".join(said.err.split())
    assert "--encoder timm:resnet50" in said.err


def test_photos_given_to_a_run_of_features_are_told_how(acclimate: Command, weights: Path, photos: Path) -> None:
    assert acclimate("encode", photos, "a.npz").code == 0
    assert (
        acclimate(
            "adapt", "--source", "a.npz", "--target", "a.npz", "-m", "coral", "--set", "steps=2", "-o", "run"
        ).code
        == 0
    )
    said = acclimate("predict", "run", photos, "--out", "answers.csv")
    assert said.code == 2
    assert "acclimate encode" in said.err


def test_features_agree_with_those_made_elsewhere_from_the_originals(
    acclimate: Command, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tarfile

    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path / "home"))
    (tmp_path / "home" / "encoders").mkdir(parents=True)
    for path in (real_data / "encoders").glob("*.safetensors"):
        (tmp_path / "home" / "encoders" / path.name).write_bytes(path.read_bytes())
    with tarfile.open(real_data / "images" / "office_caltech10_jpg256.tar") as archive:
        names = [m for m in archive.getnames() if m.startswith("dslr/") and m.endswith(".jpg")][::8]
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # not in the first releases of 3.11
        archive.extractall(tmp_path, members=[archive.getmember(name) for name in names], **safely)
    said = acclimate("encode", "dslr", "dslr.npz")
    assert said.code == 0, said.err
    found = read("dslr.npz")
    with np.load(real_data / "features" / "office_caltech10_mobilenetv2_1280.npz", allow_pickle=False) as theirs:
        rows = {str(name).partition("/")[2]: row for row, name in enumerate(theirs["dslr_file"])}
        expected = theirs["dslr_X"][[rows[name] for name in found.ids]]
        labels = theirs["classes"][theirs["dslr_y"][[rows[name] for name in found.ids]]]
    cosine = (found.array * expected).sum(1) / np.linalg.norm(found.array, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosine.mean() > 0.9
    assert [found.classes[y] for y in found.labels] == labels.tolist()
