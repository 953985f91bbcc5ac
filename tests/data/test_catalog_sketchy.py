"""Sketchy: the authors' layout in folders and archives, what is wrong with it, and the pack with its features."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acclimate.data import archives, catalog, packs
from acclimate.data.archives import gather
from acclimate.data.catalog.sketchy import Sketchy
from acclimate.data.home import raw_folder
from acclimate.data.sketches import own_rows
from acclimate.errors import DataError, RequestError

Files = dict[str, bytes]
PLACE = "tx_000000000000"
RNG = np.random.default_rng(0)


def encode(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


PHOTO = encode(RNG.integers(0, 256, (12, 12, 3), dtype=np.uint8), "JPEG")
SKETCH = encode(RNG.integers(0, 256, (12, 12), dtype=np.uint8))


def sketchy() -> Files:
    """One photo and one sketch of each category, and two further sketches of one photo."""
    files = {f"photo/{PLACE}/{name}/n01_7.jpg": PHOTO for name in Sketchy.classes}
    files |= {f"sketch/{PLACE}/{name}/n01_7-1.png": SKETCH for name in Sketchy.classes}
    files[f"sketch/{PLACE}/zebra/n01_7-2.png"] = encode(np.full((12, 12, 3), 200, np.uint8))
    files[f"sketch/{PLACE}/zebra/n01_7-10.png"] = SKETCH
    # What else stands in the authors' archive.
    files[f"photo/tx_000100000000/zebra/n01_7.jpg"] = PHOTO  # noqa: F541
    files[f"sketch/{PLACE}/zebra/checked.txt"] = b"n01_7-1"
    return files


def write_folder(path: Path, files: Files, prefix: str = "") -> None:
    for name, content in files.items():
        (path / prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (path / prefix / name).write_bytes(content)


def write_zip(path: Path, files: Files) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"256x256/{name}", content)


def write_tar(path: Path, files: Files) -> None:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


PLACES = [
    write_folder,
    lambda raw, files: write_folder(raw, files, "256x256"),
    lambda raw, files: write_zip(raw / "rendered_256x256.zip", files),
    lambda raw, files: write_tar(raw / "sketchy.tar", files),
    lambda raw, files: write_tar(raw / "sketchy.tar.gz", files),
]


@pytest.mark.parametrize("place", PLACES, ids=["folder", "unpacked", "zip", "tar", "tar.gz"])
def test_photos_and_sketches_are_read_in_each_layout(tmp_path: Path, place: Callable[[Path, Files], None]) -> None:
    place(tmp_path, sketchy())
    data = catalog.dataset("sketchy")
    photos, sketches = (data.parse(tmp_path, split) for split in data.splits)
    assert photos.inputs.shape == (125, 12, 12, 3)
    assert sketches.inputs.shape == (127, 12, 12, 1)
    np.testing.assert_array_equal(photos.inputs[5], np.asarray(Image.open(io.BytesIO(PHOTO)).convert("RGB")))
    np.testing.assert_array_equal(sketches.inputs[5, ..., 0], np.asarray(Image.open(io.BytesIO(SKETCH))))
    np.testing.assert_array_equal(photos.labels, np.arange(125))
    assert photos.ids[:2] == ("airplane/n01_7", "alarm_clock/n01_7")
    assert sketches.ids[-3:] == ("zebra/n01_7-1", "zebra/n01_7-10", "zebra/n01_7-2")
    assert (sketches.inputs[-1] == 200).all()
    np.testing.assert_array_equal(own_rows(sketches.ids, photos.ids), sketches.labels)
    assert photos.notes == ("These are 125 of Sketchy's 12,500 photos; scores are not comparable with those on all.",)


def test_pictures_larger_than_the_authors_are_cut_to_256_pixels(tmp_path: Path) -> None:
    files = {f"photo/{PLACE}/{name}/n01_7.jpg": PHOTO for name in Sketchy.classes}
    files[f"photo/{PLACE}/airplane/n01_7.jpg"] = encode(np.zeros((300, 400, 3), np.uint8))
    write_folder(tmp_path, files)
    assert catalog.dataset("sketchy").parse(tmp_path, "photo").inputs.shape[1:] == (256, 256, 3)


def without(category: str, split: str) -> Files:
    return {name: content for name, content in sketchy().items() if f"{split}/{PLACE}/{category}/" not in name}


WRONG = [
    ({f"photo/{PLACE}/ant/n01_7.jpg": b"no picture"}, "photo", r"ant/n01_7.jpg must be a readable image"),
    ({f"photo/{PLACE}/airplane/n01_7.jpg": PHOTO[:200]}, "photo", r"airplane/n01_7.jpg must be a readable image"),
    ({f"sketch/{PLACE}/ant/n01_7.png": SKETCH}, "sketch", "named <photo's id>-<number>.png; got 'ant/n01_7.png'"),
    ({f"sketch/{PLACE}/ant/-1.png": SKETCH}, "sketch", "sketches named <photo's id>-<number>.png; got 'ant/-1.png'"),
    ({f"photo/{PLACE}/ant/n01-1.jpg": PHOTO}, "photo", "photos named <id>.jpg, without -<number>; got 'ant/n01-1"),
    ({f"photo/{PLACE}/ant/n01_7.png": PHOTO}, "photo", r"must hold each photo once; got .*n01_7.jpg and .*n01_7.png"),
]


@pytest.mark.parametrize(("change", "split", "rule"), WRONG)
@pytest.mark.parametrize("place", [PLACES[0], PLACES[2], PLACES[3]], ids=["folder", "zip", "tar"])
def test_what_is_wrong_with_a_picture_is_said(
    tmp_path: Path, change: Files, split: str, rule: str, place: Callable[[Path, Files], None]
) -> None:
    place(tmp_path, sketchy() | change)
    with pytest.raises(DataError, match=rule):
        catalog.dataset("sketchy").parse(tmp_path, split)


@pytest.mark.parametrize("split", ["photo", "sketch"])
def test_a_missing_category_is_named_with_the_folders_that_may_be_meant(tmp_path: Path, split: str) -> None:
    files = without("car_(sedan)", split) | {f"{split}/{PLACE}/car/n01_7-1.png": SKETCH}
    write_folder(tmp_path, files)
    with pytest.raises(
        DataError, match=r"all 125 categories as .*none of car_\(sedan\), and folders of other .*: car"
    ):
        catalog.dataset("sketchy").parse(tmp_path, split)


def test_an_archive_without_the_authors_layout_is_refused(tmp_path: Path) -> None:
    write_tar(tmp_path / "sketchy.tar", {"photos/cat/1.jpg": PHOTO})
    with pytest.raises(DataError, match=r"photo/tx_000000000000/<category>/<id>.jpg.*; got none at all"):
        catalog.dataset("sketchy").parse(tmp_path, "photo")


def test_a_cut_off_archive_is_refused(tmp_path: Path) -> None:
    write_tar(tmp_path / "whole.tar", sketchy())
    (tmp_path / "sketchy.tar").write_bytes((tmp_path / "whole.tar").read_bytes()[:20_300])
    with pytest.raises(DataError):
        catalog.dataset("sketchy").parse(tmp_path, "sketch")


def test_load_says_how_to_get_it() -> None:
    with pytest.raises(RequestError, match=r"must be on this machine; got no sketch/ in .*sketchy.eye.gatech.edu"):
        catalog.load("sketchy", "sketch")


def test_load_stores_what_it_read(tmp_path: Path) -> None:
    write_folder(raw_folder("sketchy"), sketchy())
    assert len(catalog.load("sketchy", "sketch")) == 127
    (raw_folder("sketchy") / f"sketch/{PLACE}/ant/n01_7-1.png").unlink()
    assert catalog.load("sketchy", "sketch").ids[2] == "ant/n01_7-1"


def test_pictures_beyond_memory_are_gathered_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, {f"{i}.bin": bytes([i] * 8) for i in range(5)})
    rows = {f"{i}.bin": i for i in range(5)}
    in_memory, on_disk = [], []
    for limit, found in ((10**6, in_memory), (39, on_disk)):
        monkeypatch.setattr(archives, "LARGEST_IN_MEMORY", limit)
        found.append(gather(tmp_path, rows, str, lambda name, content: np.frombuffer(content, np.uint8), (8,)))
    assert isinstance(on_disk[0], np.memmap)
    assert not isinstance(in_memory[0], np.memmap)
    np.testing.assert_array_equal(on_disk[0], in_memory[0])


# Features


def features(**changes: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {"classes": np.array(Sketchy.classes)}
    for split, name in (("photo", "n01_7"), ("sketch", "n01_7-1")):
        arrays[f"{split}_X"] = RNG.random((125, 4)).astype(np.float16)
        arrays[f"{split}_y"] = np.arange(125)
        arrays[f"{split}_id"] = np.array([f"{category}/{name}" for category in Sketchy.classes])
    return arrays | changes


def test_features_come_as_float32_with_the_pictures_ids(tmp_path: Path) -> None:
    arrays = features()
    np.savez(tmp_path / "sketchy_mobilenetv2_1280.npz", **arrays)
    domain = catalog.dataset("sketchy_encoded").parse(tmp_path, "sketch")
    np.testing.assert_array_equal(domain.inputs, arrays["sketch_X"].astype(np.float32))
    assert domain.inputs.dtype == np.float32
    assert domain.ids[0] == "airplane/n01_7-1"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"classes": np.array(Sketchy.classes[::-1])}, "must have the 125 classes of Sketchy"),
        ({"photo_y": np.full(125, 125)}, "must have whole labels 0…124; got 125"),
        ({"photo_id": np.array(["a"])}, "ids must name all 125 examples; got 1"),
        ({"photo_X": np.full((125, 2), np.nan, np.float16)}, "must have a value in every cell"),
        ({"photo_id": np.array(3)}, "must hold photo_X, photo_y, photo_id and classes"),
    ],
)
def test_what_is_wrong_with_features_is_said(tmp_path: Path, change: dict[str, np.ndarray], rule: str) -> None:
    np.savez(tmp_path / "sketchy_mobilenetv2_1280.npz", **features(**change))
    with pytest.raises(DataError, match=rule):
        catalog.dataset("sketchy_encoded").parse(tmp_path, "photo")


def test_missing_or_damaged_features_are_refused(tmp_path: Path) -> None:
    arrays = features()
    del arrays["sketch_id"]
    np.savez(tmp_path / "sketchy_mobilenetv2_1280.npz", **arrays)
    with pytest.raises(DataError, match="must hold sketch_X, sketch_y, sketch_id and classes"):
        catalog.dataset("sketchy_encoded").parse(tmp_path, "sketch")
    (tmp_path / "sketchy_mobilenetv2_1280.npz").write_bytes(b"PK junk")
    with pytest.raises(DataError, match="must hold"):
        catalog.dataset("sketchy_encoded").parse(tmp_path, "sketch")


# The real pack


def test_the_real_pack_and_its_features_have_the_same_rows(real_data: Path, tmp_path: Path) -> None:
    if not (real_data / "sketchy").is_dir():
        pytest.skip(f"no sketchy/ in {real_data}")
    (tmp_path / "sketchy").mkdir()
    for name in ("sketchy_subset.tar", "sketchy_mobilenetv2_1280.npz"):
        (tmp_path / "sketchy" / name).symlink_to(real_data / "sketchy" / name)
    done = {item.gives: item.outcome for item in packs.import_folder(tmp_path)}
    assert done == {"sketchy": "imported", "sketchy_encoded": "imported"}
    sides = {split: catalog.load("sketchy", split) for split in ("photo", "sketch")}
    for split, domain in sides.items():
        rows = catalog.load("sketchy_encoded", split)
        assert rows.ids == domain.ids
        np.testing.assert_array_equal(rows.labels, domain.labels)
        assert domain.inputs.shape == (3125, 128, 128, {"photo": 3, "sketch": 1}[split])
        assert rows.content_hash == catalog.dataset("sketchy_encoded").content_hashes[split]
        np.testing.assert_array_equal(np.bincount(domain.labels), np.full(125, 25))
    own = own_rows(sides["sketch"].ids, sides["photo"].ids)
    assert (own >= 0).all()
    assert len(set(own.tolist())) == 578
    assert "These are 3,125 of Sketchy's 75,471 sketches" in sides["sketch"].notes[0]
