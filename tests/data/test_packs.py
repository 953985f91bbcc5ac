"""Importing a folder of packs: small ones made here, and the real ones where they are at hand."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from acclimate.data import catalog, packs, storage
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder, encoders_folder, raw_folder
from acclimate.errors import DataError, WorkError

RNG = np.random.default_rng(0)
CLASSES = np.array(catalog.dataset("office_caltech10").classes)


def save(folder: Path, file: str, **arrays: np.ndarray) -> Path:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    np.savez(folder / file, **arrays)
    return folder / file


def grey(side: int, *splits: str) -> dict[str, np.ndarray]:
    """A pack of a few grey digits for each split."""
    images = {f"{s}_images": RNG.integers(0, 256, (7, side, side), dtype=np.uint8) for s in splits}
    return images | {f"{s}_labels": RNG.integers(0, 10, 7, dtype=np.uint8) for s in splits}


@pytest.fixture
def _any_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small stand-ins pass for the real data, whose hashes are known."""
    for name in ("mnist", "usps", "mnist_m", "kannada_mnist", "office_caltech10_surf"):
        monkeypatch.setattr(type(catalog.dataset(name)), "content_hashes", {})


def outcomes(done: list[packs.Imported]) -> dict[str, str]:
    return {item.file: item.outcome for item in done}


@pytest.mark.usefixtures("_any_content")
def test_grey_digits_and_encoders_are_taken_over_and_the_rest_is_listed(tmp_path: Path) -> None:
    arrays = grey(28, "train", "test")
    save(tmp_path, "images/mnist.npz", **arrays)
    (tmp_path / "encoders").mkdir()
    (tmp_path / "encoders/net.safetensors").write_bytes(b"weights")
    (tmp_path / "sketchy").mkdir()
    (tmp_path / "sketchy/sketches.tar").touch()
    (tmp_path / "README.md").write_text("no list")
    assert outcomes(packs.import_folder(tmp_path)) == {
        "encoders/net.safetensors": "imported",
        "images/mnist.npz": "imported",
        "sketchy/sketches.tar": "not needed yet",
    }
    domain = catalog.load("mnist", "test")
    np.testing.assert_array_equal(domain.inputs[..., 0], arrays["test_images"])
    np.testing.assert_array_equal(domain.labels, arrays["test_labels"])
    assert (encoders_folder() / "net.safetensors").read_bytes() == b"weights"
    assert not raw_folder("mnist").exists()


@pytest.mark.usefixtures("_any_content")
def test_a_second_import_reads_no_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, "images/usps.npz", **grey(16, "train", "test"))
    packs.import_folder(tmp_path)
    monkeypatch.setattr(np, "load", None)
    seen: list[packs.Imported] = []
    done = packs.import_folder(tmp_path, seen.append)
    assert outcomes(done) == {"images/usps.npz": "already here"}
    assert seen == done
    assert str(done[0]) == "images/usps.npz: already here"


@pytest.mark.usefixtures("_any_content")
def test_another_pack_replaces_the_arrays_but_never_those_of_official_files(tmp_path: Path) -> None:
    save(tmp_path, "images/usps.npz", **grey(16, "train", "test"))
    packs.import_folder(tmp_path)
    first = catalog.load("usps", "train").content_hash
    save(tmp_path, "images/usps.npz", **grey(16, "train", "test"))
    assert outcomes(packs.import_folder(tmp_path)) == {"images/usps.npz": "imported"}
    second = catalog.load("usps", "train").content_hash
    assert first != second
    official = Domain(np.zeros((1, 16, 16, 1), np.uint8), np.array([0]), CLASSES)
    for split in ("train", "test"):
        storage.store(official, arrays_folder("usps", split), "official files")
    save(tmp_path, "images/usps.npz", **grey(16, "train", "test"))
    assert outcomes(packs.import_folder(tmp_path)) == {"images/usps.npz": "already here"}
    assert len(catalog.load("usps", "train")) == 1


def sheets(images: np.ndarray) -> dict[str, np.ndarray]:
    """MNIST-M's form: lossless WebP, 64 images a row, 4,096 a sheet, the last one padded with black."""
    made = {}
    for number, start in enumerate(range(0, len(images), 4096)):
        part = np.zeros((4096, 32, 32, 3), np.uint8)
        part[: len(images[start : start + 4096])] = images[start : start + 4096]
        rows = [np.concatenate(part[i : i + 64], axis=1) for i in range(0, 4096, 64)]
        buffer = io.BytesIO()
        Image.fromarray(np.concatenate(rows)).save(buffer, "WEBP", lossless=True, method=0, quality=0)
        made[f"train_webp_{number:02}"] = np.frombuffer(buffer.getvalue(), np.uint8)
    return made


@pytest.mark.usefixtures("_any_content")
def test_mnist_m_is_cut_from_its_sheets_with_a_note_that_some_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat = RNG.integers(0, 256, (4100, 1, 1, 3), dtype=np.uint8)
    images = np.broadcast_to(flat, (4100, 32, 32, 3)).copy()
    images[4099, :, :16] = 1
    labels, ids = RNG.integers(0, 10, 4100, dtype=np.uint8), np.arange(4100)
    save(tmp_path, "images/mnist_m.npz", **sheets(images), train_labels=labels, train_ids=ids)
    monkeypatch.setitem(packs._PACKS, "images/mnist_m.npz", packs._Pack("mnist_m", ("train",), packs._read_mnist_m))
    packs.import_folder(tmp_path)
    domain = catalog.load("mnist_m", "train")
    np.testing.assert_array_equal(domain.inputs, images[:, 2:30, 2:30])
    np.testing.assert_array_equal(domain.labels, labels)
    assert domain.ids[-1] == "4099"
    assert "first 4,100 of 59,001" in domain.notes[0]


def features(*domains: str, rows: int = 3) -> dict[str, np.ndarray]:
    arrays = {f"{d}_X": RNG.random((rows, 800)).astype(np.float32) for d in domains}
    return arrays | {f"{d}_y": np.arange(rows) for d in domains} | {"classes": CLASSES}


@pytest.mark.usefixtures("_any_content")
def test_features_come_as_float32_rows_with_the_photos_names_where_known(tmp_path: Path) -> None:
    arrays = features("amazon", "caltech", "webcam", "dslr")
    arrays["dslr_file"] = np.array([f"dslr/bike/{i}.jpg" for i in range(3)])
    save(tmp_path, "features/office_caltech10_surf800.npz", **arrays)
    packs.import_folder(tmp_path)
    domain = catalog.load("office_caltech10_surf", "dslr")
    np.testing.assert_array_equal(domain.inputs, arrays["dslr_X"])
    assert domain.ids == ("bike/0.jpg", "bike/1.jpg", "bike/2.jpg")
    assert catalog.load("office_caltech10_surf", "amazon").ids == ()


def test_other_classes_or_missing_arrays_are_refused(tmp_path: Path) -> None:
    arrays = features("amazon", "caltech", "webcam", "dslr")
    save(tmp_path, "features/office_caltech10_surf800.npz", **(arrays | {"classes": CLASSES[::-1]}))
    with pytest.raises(DataError, match="must have the classes"):
        packs.import_folder(tmp_path)
    del arrays["amazon_X"]
    save(tmp_path, "features/office_caltech10_surf800.npz", **arrays)
    with pytest.raises(DataError, match="must hold amazon_X"):
        packs.import_folder(tmp_path)


def test_other_content_than_the_official_is_refused(tmp_path: Path) -> None:
    save(tmp_path, "images/mnist.npz", **grey(28, "train", "test"))
    with pytest.raises(DataError, match="mnist, train must have the content hash b328d7e2"):
        packs.import_folder(tmp_path)
    assert not arrays_folder("mnist", "train").exists()


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\3\4 half a zip"])
def test_a_file_that_is_no_pack_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/mnist_m.npz").write_bytes(content)
    with pytest.raises(DataError, match="must be the pack of mnist_m"):
        packs.import_folder(tmp_path)


def test_a_listed_checksum_is_held_against_the_file(tmp_path: Path) -> None:
    (tmp_path / "encoders").mkdir()
    (tmp_path / "encoders/net.bin").write_bytes(b"weights")
    right = hashlib.sha256(b"weights").hexdigest()
    (tmp_path / "README.md").write_text(f"# Checksums\n    {right}  encoders/net.bin\n")
    packs.import_folder(tmp_path)
    (tmp_path / "encoders/net.bin").write_bytes(b"wights")
    with pytest.raises(DataError, match=f"net.bin must have the listed SHA-256 {right}; got"):
        packs.import_folder(tmp_path)
    assert (encoders_folder() / "net.bin").read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("folder", "received"), [("nowhere", "no such folder"), (".", "none of the files known here")]
)
def test_a_folder_without_packs_is_refused(tmp_path: Path, folder: str, received: str) -> None:
    with pytest.raises(DataError, match=f"must be a folder of packs; got {received}"):
        packs.import_folder(tmp_path / folder)


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "encoders").mkdir()
    (tmp_path / "encoders/net.bin").write_bytes(b"weights")
    (tmp_path / "home").touch()
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path / "home"))
    with pytest.raises(WorkError, match="set ACCLIMATE_DATA"):
        packs.import_folder(tmp_path)


# The real packs, and official files written from them


def test_the_real_digits_agree_with_the_known_hashes(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("mnist", "usps", "kannada_mnist"):
        (tmp_path / f"images/{name}.npz").symlink_to(real_data / f"images/{name}.npz")
    assert set(outcomes(packs.import_folder(tmp_path)).values()) == {"imported"}
    for name in ("mnist", "usps", "kannada_mnist"):
        data = catalog.dataset(name)
        for split in data.splits:
            assert data.load(split).content_hash == data.content_hashes[split]
            assert len(data.load(split)) == data.sizes[split]


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_mnist_written_as_official_files_is_the_same(real_data: Path) -> None:
    raw = raw_folder("mnist")
    raw.mkdir(parents=True)
    with np.load(real_data / "images/mnist.npz") as arrays:
        images, labels = idx(arrays["test_images"]), idx(arrays["test_labels"])
    assert hashlib.md5(images).hexdigest() == "2646ac647ad5339dbf082846283269ea"
    assert hashlib.md5(labels).hexdigest() == "27ae3e4e09519cfbb04c329615203637"
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(images, 1))
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels, 1))
    domain = catalog.load("mnist", "test")
    assert domain.content_hash == catalog.dataset("mnist").content_hashes["test"]


@pytest.mark.parametrize("form", ["usps.t.bz2", "usps.h5", "zip.test.gz"])
def test_usps_written_in_each_official_form_is_the_same(real_data: Path, form: str) -> None:
    raw = raw_folder("usps")
    raw.mkdir(parents=True)
    with np.load(real_data / "images/usps.npz") as arrays:
        steps, labels = arrays["test_grey2000"].reshape(-1, 256).astype(int), arrays["test_labels"].astype(int)
    texts = [f"{step / 1000 - 1:.4f}" for step in range(2001)]
    if form.endswith(".h5"):
        with h5py.File(raw / form, "w") as file:
            file["test/data"], file["test/target"] = (steps / 2000).astype(np.float32), labels
    elif form.endswith(".bz2"):
        rows = ([f"{i}:{texts[s]}" for i, s in enumerate(row, start=1)] for row in steps)
        lines = [f"{label + 1} {' '.join(row)}\n" for label, row in zip(labels, rows, strict=True)]
        (raw / form).write_bytes(bz2.compress("".join(lines).encode(), 1))
    else:
        lines = [f"{label}.0 {' '.join(texts[s] for s in row)} \n" for label, row in zip(labels, steps, strict=True)]
        (raw / form).write_bytes(gzip.compress("".join(lines).encode(), 1))
    assert catalog.load("usps", "test").content_hash == catalog.dataset("usps").content_hashes["test"]


def test_the_real_mnist_m_equals_its_images_written_as_official_files(real_data: Path, tmp_path: Path) -> None:
    data = catalog.dataset("mnist_m")
    packed = packs._read_mnist_m(data, real_data / "images/mnist_m.npz", "test")
    assert packed.content_hash == data.content_hashes["test"]
    folder = tmp_path / "mnist_m_test"
    folder.mkdir()
    # Every 30th image, in the reversed order, which the labels file states.
    part = packed.take(np.arange(len(packed))[::-30])
    for name, pixels in zip(part.ids, part.inputs, strict=True):
        Image.fromarray(pixels).save(folder / f"{int(name):08}.png")
    lines = [f"{int(name):08}.png {label}\n" for name, label in zip(part.ids, part.labels, strict=True)]
    (tmp_path / "mnist_m_test_labels.txt").write_text("".join(lines))
    parsed = data.parse(tmp_path, "test")
    assert parsed.content_hash == part.content_hash
    assert parsed.ids == part.ids


def test_each_mnist_m_image_has_the_label_of_its_mnist_image(real_data: Path) -> None:
    with np.load(real_data / "images/mnist.npz") as mnist, np.load(real_data / "images/mnist_m.npz") as mixed:
        for split in ("train", "test"):
            np.testing.assert_array_equal(mnist[f"{split}_labels"][mixed[f"{split}_ids"]], mixed[f"{split}_labels"])


def test_the_real_features_are_in_the_order_of_the_photos(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "features").symlink_to(real_data / "features")
    (tmp_path / "images").mkdir()
    with tarfile.open(real_data / "images/office_caltech10_jpg256.tar") as archive:
        names = [member.name for member in archive if member.name.startswith("dslr/")]
        with tarfile.open(tmp_path / "images/office_caltech10_jpg256.tar", "w") as part:
            for name in reversed(names):
                part.addfile(archive.getmember(name), archive.extractfile(name))
    photos = catalog.dataset("office_caltech10").parse(tmp_path / "images", "dslr")
    assert "from the pack" in photos.notes[0]
    for name in ("surf", "decaf6", "mobilenetv2"):
        data = catalog.dataset(f"office_caltech10_{name}")
        rows = data.parse(tmp_path / "features", "dslr")
        assert rows.content_hash == data.content_hashes["dslr"]
        np.testing.assert_array_equal(rows.labels, photos.labels)
        assert rows.ids in ((), photos.ids)
    assert photos.ids[0] == "backpack/frame_0001.jpg"


def test_a_zip_of_photos_equals_the_folder(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    with zipfile.ZipFile(tmp_path / "office_caltech_10.zip", "w") as archive:
        archive.writestr("office_caltech_10/amazon/mug/1.png", buffer.getvalue())
    np.testing.assert_array_equal(catalog.dataset("office_caltech10").parse(tmp_path, "amazon").inputs[0], pixels)
