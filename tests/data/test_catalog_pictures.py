"""Data sets that come as many picture files: MNIST-M, GTSRB, Office-Caltech-10, Office-31; folders, zips, tars."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acclimate.data import archives, catalog
from acclimate.data.archives import files_in, names_in
from acclimate.data.catalog.gtsrb import paper_split
from acclimate.data.domain import Domain
from acclimate.errors import DataError

Files = dict[str, bytes]
RNG = np.random.default_rng(0)


def encode(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def write_folder(path: Path, files: Files) -> None:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def write_zip(path: Path, files: Files) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_tar(path: Path, files: Files) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def colour(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)


# Archives


@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar])
def test_folders_and_archives_give_the_same_files(tmp_path: Path, write: Callable[[Path, Files], None]) -> None:
    files = {"a/b.txt": b"1", "a/c/d.txt": b"22", "a/.hidden": b"3", "__MACOSX/a/b.txt": b"4"}
    write(tmp_path / "tree", files)
    assert dict(files_in(tmp_path / "tree")) == {"a/b.txt": b"1", "a/c/d.txt": b"22"}
    assert dict(files_in(tmp_path / "tree", lambda name: "c" in name)) == {"a/c/d.txt": b"22"}
    assert names_in(tmp_path / "tree") == ["a/b.txt", "a/c/d.txt"]


def test_names_that_leave_the_folder_and_links_write_nothing(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    with tarfile.open(inner / "evil.tar", "w") as archive:
        for name in ("../outside.txt", "/tmp/acclimate-outside.txt"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert "link" not in names_in(inner / "evil.tar")
    list(files_in(inner / "evil.tar"))
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["evil.tar", "inner"]
    assert not Path("/tmp/acclimate-outside.txt").exists()


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_archives_larger_than_they_could_be_are_refused(
    tmp_path: Path, write: Callable[[Path, Files], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "bomb", {"a": bytes(3000), "b": bytes(3000)})
    monkeypatch.setattr(archives, "LARGEST_FILE", 2999)
    with pytest.raises(DataError, match="a must be at most 2,999 bytes; got 3,000"):
        list(files_in(tmp_path / "bomb"))
    monkeypatch.setattr(archives, "LARGEST_FILE", 3000)
    monkeypatch.setattr(archives, "LARGEST_SUM", 5999)
    with pytest.raises(DataError, match="must unpack to at most 5,999 bytes"):
        list(files_in(tmp_path / "bomb", lambda name: False))


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_cut_off_archives_are_refused(tmp_path: Path, write: Callable[[Path, Files], None]) -> None:
    write(tmp_path / "whole", {"a": RNG.bytes(5000), "b": RNG.bytes(5000)})
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:6000])
    with pytest.raises(DataError, match="must be a readable folder, zip or tar"):
        list(files_in(tmp_path / "cut"))


# MNIST-M

MIXED = colour(4, 32, 32)
MIXED_LABELS = (7, 2, 9, 2)


def mnist_m() -> Files:
    files = {f"mnist_m/mnist_m_train/{i:08}.png": encode(pixels) for i, pixels in enumerate(MIXED)}
    files["mnist_m/mnist_m_test/00000000.png"] = encode(colour(32, 32))
    files["mnist_m/mnist_m_test_labels.txt"] = b"00000000.png 1\n"
    # Neither the order of the files nor that of their names counts, but that of the labels file.
    lines = [f"{i:08}.png {MIXED_LABELS[i]}\n" for i in (2, 0, 3, 1)]
    return {**files, "mnist_m/mnist_m_train_labels.txt": "".join(lines).encode()}


def unwrapped(files: Files) -> Files:
    return {name.partition("/")[2]: content for name, content in files.items()}


@pytest.mark.parametrize(
    "place",
    [
        lambda raw: write_tar(raw / "mnist_m.tar.gz", mnist_m()),
        lambda raw: write_folder(raw, mnist_m()),
        lambda raw: write_folder(raw, unwrapped(mnist_m())),
    ],
    ids=["archive", "unpacked", "unpacked without its folder"],
)
def test_mnist_m_follows_its_labels_file(tmp_path: Path, place: Callable[[Path], None]) -> None:
    place(tmp_path)
    domain = catalog.dataset("mnist_m").parse(tmp_path, "train")
    np.testing.assert_array_equal(domain.inputs, MIXED[[2, 0, 3, 1]])
    np.testing.assert_array_equal(domain.labels, [9, 7, 2, 2])
    assert domain.ids == ("2", "0", "3", "1")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"mnist_m_train_labels.txt": b"00000000.png\n"}, "line 1, must be a file name like"),
        ({"mnist_m_train_labels.txt": b"../../x.png 3\n"}, "line 1, must be a file name like"),
        ({"mnist_m_train_labels.txt": b"00000000.png \xff\n"}, "line 1, must be a file name like"),
        ({"mnist_m_train_labels.txt": b""}, "must name every image once; got 0 lines"),
        ({"mnist_m_train_labels.txt": b"00000000.png 3\n" * 2}, "must name every image once; got 2 lines"),
        ({"mnist_m_train_labels.txt": b"00000000.png 10\n"}, "must have whole labels 0…9; got 10"),
        ({"mnist_m_train_labels.txt": b"00000077.png 1\n"}, "1 missing, such as mnist_m_train/00000077.png"),
        ({"mnist_m_train/00000000.png": b"no picture"}, "00000000.png must be a readable image"),
        ({"mnist_m_train/00000000.png": encode(colour(28, 28))}, "must be an image of 32×32 pixels; got 28×28"),
    ],
)
def test_what_is_wrong_with_mnist_m_is_said(tmp_path: Path, change: Files, rule: str) -> None:
    write_folder(tmp_path, unwrapped(mnist_m()) | change)
    with pytest.raises(DataError, match=rule):
        catalog.dataset("mnist_m").parse(tmp_path, "train")


def test_mnist_m_without_labels_is_refused(tmp_path: Path) -> None:
    files = mnist_m()
    del files["mnist_m/mnist_m_train_labels.txt"]
    write_tar(tmp_path / "mnist_m.tar.gz", files)
    with pytest.raises(DataError, match=r"must contain mnist_m_train_labels.txt"):
        catalog.dataset("mnist_m").parse(tmp_path, "train")


# GTSRB

HEADER = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"
SIGN = colour(60, 50)
BOX = (5, 6, 45, 46)


def gtsrb_train() -> Files:
    files: Files = {}
    for folder, names in ((3, ("00000_00001.ppm", "00000_00000.ppm")), (0, ("00000_00000.ppm",))):
        base = f"GTSRB/Final_Training/Images/{folder:05}"
        rows = "".join(f"{name};50;60;{';'.join(map(str, BOX))};{folder}\n" for name in names)
        files[f"{base}/GT-{folder:05}.csv"] = (HEADER + rows).encode()
        for name in names:
            files[f"{base}/{name}"] = encode(SIGN if folder == 3 else np.full_like(SIGN, 77), "PPM")
    return files


def gtsrb_test() -> Files:
    return {
        "GTSRB/Final_Test/Images/00000.ppm": encode(SIGN, "PPM"),
        # The images' zip has annotations without the class; those with it come apart.
        "GTSRB/Final_Test/Images/GT-final_test.test.csv": HEADER.replace(";ClassId", "").encode(),
    }


TEST_TABLE = {"GT-final_test.csv": f"{HEADER}00000.ppm;50;60;5;6;45;46;42\r\n".encode()}


@pytest.mark.parametrize(
    "place",
    [
        lambda raw: write_zip(raw / "GTSRB_Final_Training_Images.zip", gtsrb_train()),
        lambda raw: write_folder(raw, gtsrb_train()),
        lambda raw: write_folder(raw, unwrapped(gtsrb_train())),
    ],
)
def test_gtsrb_training_signs_are_cut_out_class_by_class(tmp_path: Path, place: Callable[[Path], None]) -> None:
    place(tmp_path)
    domain = catalog.dataset("gtsrb").parse(tmp_path, "train")
    assert domain.ids == ("00000/00000_00000.ppm", "00003/00000_00001.ppm", "00003/00000_00000.ppm")
    np.testing.assert_array_equal(domain.labels, [0, 3, 3])
    # The box has 40×40 pixels: its right and lower edges are not part of it, and nothing is resized.
    np.testing.assert_array_equal(domain.inputs[1], SIGN[6:46, 5:45])
    assert (domain.inputs[0] == 77).all()


@pytest.mark.parametrize("unpacked", [True, False])
def test_gtsrb_test_signs_take_their_classes_from_the_other_file(tmp_path: Path, unpacked: bool) -> None:
    if unpacked:
        write_folder(tmp_path, gtsrb_test() | TEST_TABLE)
    else:
        write_zip(tmp_path / "GTSRB_Final_Test_Images.zip", gtsrb_test())
        write_zip(tmp_path / "GTSRB_Final_Test_GT.zip", TEST_TABLE)
    domain = catalog.dataset("gtsrb").parse(tmp_path, "test")
    np.testing.assert_array_equal(domain.inputs[0], SIGN[6:46, 5:45])
    assert domain.classes[domain.labels[0]] == "end of no overtaking by lorries"


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("00000.ppm;50;60;5;6;51;46;1\n", "must have its box within 50×60 pixels"),
        ("00000.ppm;50;60;5;46;45;46;1\n", "must have its box within"),
        ("00000.ppm;50;60;5;6;45;46;43\n", "must have whole labels 0…42; got 43"),
        (f"00000.ppm;50;60;5;6;45;46;{10**30}\n", "must have whole labels"),
        ("00000.ppm;50;60;5;6;45;wide;1\n", "must have the columns Filename"),
        ("00000.ppm;50;60\n", "must have the columns Filename"),
        ("00009.ppm;50;60;5;6;45;46;1\n", r"1 missing, such as 00009.ppm"),
        ("", "must contain the annotations"),
    ],
)
def test_what_is_wrong_with_annotations_is_said(tmp_path: Path, row: str, rule: str) -> None:
    write_folder(tmp_path, gtsrb_test() | {"GT-final_test.csv": (HEADER + row).encode()})
    with pytest.raises(DataError, match=rule):
        catalog.dataset("gtsrb").parse(tmp_path, "test")


def test_the_papers_split_of_gtsrb_is_a_seeded_partition() -> None:
    whole = Domain(np.arange(39209, dtype=np.float32)[:, None], name="gtsrb/train")
    target, held_out = paper_split(whole, seed=1)
    assert (len(target), len(held_out)) == (31367, 7842)
    np.testing.assert_array_equal(np.sort(np.concatenate([target.inputs, held_out.inputs])[:, 0]), np.arange(39209))
    assert paper_split(whole, seed=1)[0].content_hash == target.content_hash
    assert paper_split(whole, seed=2)[0].content_hash != target.content_hash


# Photos by class folder


def test_office_caltech10_is_sorted_by_class_and_file(tmp_path: Path) -> None:
    wide, tall = np.full((300, 400, 3), 10, np.uint8), np.full((90, 60, 3), 20, np.uint8)
    wide[:, :50], wide[:, 350:] = 255, 255  # outside the middle square
    files = {
        "webcam/mug/frame_0002.jpg": encode(tall, "PNG"),
        "webcam/mug/frame_0001.jpg": encode(wide, "PNG"),
        "webcam/back_pack/frame_0009.jpg": encode(np.full((256, 256), 30, np.uint8), "PNG"),
        "webcam/stapler/frame_0001.jpg": encode(tall),
        "webcam/mug/notes.txt": b"no photo",
        "caltech10/mug/010_0001.jpg": encode(tall),
    }
    write_folder(tmp_path, files)
    domain = catalog.dataset("office_caltech10").parse(tmp_path, "webcam")
    assert domain.ids == ("back_pack/frame_0009.jpg", "mug/frame_0001.jpg", "mug/frame_0002.jpg")
    assert [domain.classes[label] for label in domain.labels] == ["backpack", "mug", "mug"]
    assert domain.inputs.shape == (3, 256, 256, 3)
    assert [np.unique(image).tolist() for image in domain.inputs[:, 2:-2, 2:-2]] == [[30], [10], [20]]
    assert domain.notes == ()
    assert catalog.dataset("office_caltech10").parse(tmp_path, "caltech").ids == ("mug/010_0001.jpg",)


def test_a_square_photo_of_the_right_size_is_left_as_it_is(tmp_path: Path) -> None:
    photo = colour(256, 256)
    write_folder(tmp_path, {"dslr/bike/1.png": encode(photo)})
    np.testing.assert_array_equal(catalog.dataset("office_caltech10").parse(tmp_path, "dslr").inputs[0], photo)


@pytest.mark.parametrize(
    ("place", "prefix"),
    [
        (write_folder, "amazon/images"),
        (write_folder, "amazon"),
        (write_folder, "Original_images/amazon/images"),
        (lambda raw, files: write_tar(raw / "office31.tar.gz", files), "office31/amazon/images"),
    ],
)
def test_office31_is_read_in_each_of_its_layouts(
    tmp_path: Path, place: Callable[[Path, Files], None], prefix: str
) -> None:
    files = {
        f"{prefix}/{name}/frame_0001.jpg": encode(colour(20, 20)) for name in ("trash_can", "back_pack", "phone")
    }
    place(tmp_path, files)
    domain = catalog.dataset("office31").parse(tmp_path, "amazon")
    assert [domain.classes[label] for label in domain.labels] == ["back_pack", "phone", "trash_can"]


def test_a_folder_without_photos_of_the_classes_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, {"amazon/cat/1.jpg": encode(colour(4, 4))})
    with pytest.raises(
        DataError, match=r"must contain photos as amazon/<class>/<file>.jpg.*Class folders are backpack"
    ):
        catalog.dataset("office_caltech10").parse(tmp_path, "amazon")


def test_load_refuses_a_part_of_the_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path))
    write_folder(tmp_path / "raw" / "office31", {"dslr/mug/1.jpg": encode(colour(4, 4))})
    with pytest.raises(DataError, match="must have 498 examples; got 1"):
        catalog.load("office31", "dslr")
    shutil.rmtree(tmp_path / "raw")
    assert not catalog.dataset("office31").is_here("dslr")
