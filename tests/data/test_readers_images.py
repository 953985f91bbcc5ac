from __future__ import annotations

import io
import shutil
import struct
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from acclimate.data import cache
from acclimate.data.archives import files_in
from acclimate.data.domain import Domain
from acclimate.data.readers import images, pictures, read_images
from acclimate.data.readers.pictures import (
    MOST_UNPACKED,
    Form,
    TooManyPixels,
    decode,
    open_picture,
    read_header,
    reason,
)
from acclimate.errors import DataError, RequestError

RNG = np.random.default_rng(0)


def noise(width: int, height: int, channels: int = 3) -> np.ndarray:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def smooth(width: int, height: int) -> Image.Image:
    return Image.fromarray(noise(5, 4)).resize((width, height), Image.Resampling.BICUBIC)


def put(path: Path, picture: Image.Image | np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    picture.save(path, **options)
    return path


def one(tmp_path: Path, picture: Image.Image | np.ndarray, file: str = "a.png", **options: Any) -> np.ndarray:
    """The single image of a folder, as stored."""
    put(tmp_path / "one" / file, picture, **options)
    return np.asarray(read_images(tmp_path / "one").inputs[0])


def said(domain: Domain, words: str) -> str:
    """The one note with these words in it."""
    (note,) = [note for note in domain.notes if words in note]
    return note


# --- folders and labels


def test_sub_folders_are_classes_and_paths_are_ids(tmp_path: Path) -> None:
    pixels = {p: noise(8, 8) for p in ("dog/1.png", "cat/z.bmp", "cat/deep/er/a.webp", "Ant/1.PNG")}
    for file, values in pixels.items():
        put(tmp_path / "pets" / file, values, **({"lossless": True} if file.endswith("webp") else {}))
    domain = read_images(tmp_path / "pets")
    assert domain.name == "pets"
    assert domain.classes == ("Ant", "cat", "dog")
    assert domain.ids == ("Ant/1.PNG", "cat/deep/er/a.webp", "cat/z.bmp", "dog/1.png")
    assert domain.labels.tolist() == [0, 1, 1, 2]
    np.testing.assert_array_equal(domain.inputs, np.stack([pixels[i] for i in domain.ids]))
    assert domain.notes == ()


def test_loose_images_have_no_labels(tmp_path: Path) -> None:
    put(tmp_path / "b.jpg", noise(8, 8))
    put(tmp_path / "a.JPEG", noise(8, 8))
    domain = read_images(tmp_path, name="phone")
    assert (domain.name, domain.classes, domain.ids) == ("phone", (), ("a.JPEG", "b.jpg"))
    assert domain.labels.tolist() == [-1, -1]


def test_loose_images_beside_classes_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "cat" / "a.png", noise(4, 4))
    put(tmp_path / "b.png", noise(4, 4))
    with pytest.raises(DataError, match=r"either loose images .* or one folder .*1 loose images \(b.png\).* cat"):
        read_images(tmp_path)


def test_parts_of_a_data_set_are_not_taken_for_classes(tmp_path: Path) -> None:
    put(tmp_path / "train" / "cat" / "a.png", noise(4, 4))
    put(tmp_path / "Test" / "cat" / "a.png", noise(4, 4))
    with pytest.raises(DataError, match=r"Test, train, which look like parts .* Give one of them"):
        read_images(tmp_path)
    put(tmp_path / "tram" / "a.png", noise(4, 4))
    assert read_images(tmp_path).classes == ("Test", "train", "tram")


def test_other_and_hidden_files_are_left_out_and_counted(tmp_path: Path) -> None:
    put(tmp_path / "cat" / "a.png", noise(4, 4))
    put(tmp_path / "cat" / "._a.png", noise(4, 4))
    put(tmp_path / ".thumbnails" / "a.png", noise(4, 4))
    for file in ("notes.txt", "cat/b.gif", "cat/c.TXT", "cat/Makefile"):
        (tmp_path / file).write_text("no image")
    (tmp_path / "bird").mkdir()
    domain = read_images(tmp_path)
    assert domain.ids == ("cat/a.png",)
    assert "1 hidden, 1 without a suffix, 1 .gif, 2 .txt" in said(domain, "left out")
    assert "no class: bird." in said(domain, "sub-folders without images")


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "a.png", noise(4, 4))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "elsewhere")
    assert read_images(tmp_path / "data").ids == ("cat/a.png",)


@pytest.mark.parametrize("content", [(), ("a.txt", "b.gif")])
def test_a_folder_without_images_is_refused(tmp_path: Path, content: tuple[str, ...]) -> None:
    for file in content:
        (tmp_path / file).write_text("x")
    with pytest.raises(
        DataError, match=r"must hold images \(.jpg.*got " + ("only .*.gif, .txt" if content else "none")
    ):
        read_images(tmp_path)


def test_a_missing_folder_and_a_silly_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"must exist; got '.*nowhere'"):
        read_images(tmp_path / "nowhere")
    with pytest.raises(RequestError, match="image_size must be at least 1 pixel; got 0"):
        read_images(tmp_path, size=0)


# --- form: size, colour


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ([(28, 28), (28, 28)], 28),
        ([(64, 64)], 64),
        ([(20, 30), (16, 16)], 30),
        ([(65, 65)], 256),
        ([(20, 20), (300, 10)], 256),
    ],
)
def test_the_stored_size_follows_the_images(tmp_path: Path, sides: list[tuple[int, int]], expected: int) -> None:
    for i, (width, height) in enumerate(sides):
        put(tmp_path / f"{i}.png", noise(width, height))
    assert read_images(tmp_path).inputs.shape == (len(sides), expected, expected, 3)


def test_the_size_can_be_chosen(tmp_path: Path) -> None:
    put(tmp_path / "a.png", noise(30, 20, 1))
    assert read_images(tmp_path, size=10).inputs.shape == (1, 10, 10, 1)


def test_images_are_grey_only_if_all_are(tmp_path: Path) -> None:
    grey = noise(6, 6, 1)
    put(tmp_path / "a.png", grey)
    put(tmp_path / "b.png", Image.fromarray(grey).convert("LA"))
    put(tmp_path / "c.png", Image.fromarray(grey).convert("1"))
    put(tmp_path / "d.png", grey.astype(np.uint16))
    assert read_images(tmp_path).inputs.shape == (4, 6, 6, 1)
    put(tmp_path / "e.png", noise(6, 6))
    both = read_images(tmp_path).inputs
    assert both.shape == (5, 6, 6, 3)
    np.testing.assert_array_equal(both[0], np.repeat(grey[..., None], 3, axis=2))


def test_a_damaged_file_has_no_say_in_the_form(tmp_path: Path) -> None:
    grey = noise(12, 12, 1)
    put(tmp_path / "a.png", grey)
    whole = put(tmp_path / "b.png", noise(80, 80))
    whole.write_bytes(whole.read_bytes()[:5000])
    domain = read_images(tmp_path)
    np.testing.assert_array_equal(domain.inputs, grey[None, :, :, None])
    assert domain.ids == ("a.png",)


@pytest.mark.parametrize("sides", [(90, 60), (60, 90), (61, 90), (40, 20), (33, 33)])
def test_the_middle_square_is_resized(tmp_path: Path, sides: tuple[int, int]) -> None:
    width, height = sides
    ramps = np.zeros((height, width, 3), dtype=np.uint8)
    ramps[..., 0], ramps[..., 1] = 2 * np.arange(width), 2 * np.arange(height)[:, None]
    put(tmp_path / "a.png", ramps)
    got = read_images(tmp_path, size=32).inputs[0]
    # Interpolation leaves a ramp a ramp: each pixel has the value at its centre, in the coordinates of the original.
    short, inside = min(sides), np.arange(3, 29)
    for axis, side in enumerate(sides):
        centres = (side - short) / 2 + (inside + 0.5) * short / 32 - 0.5
        values = got[16, inside, 0] if axis == 0 else got[inside, 16, 1]
        np.testing.assert_allclose(values.astype(float), 2 * centres, atol=1)


def test_shrinking_averages_instead_of_skipping(tmp_path: Path) -> None:
    stripes = np.zeros((64, 64), dtype=np.uint8)
    stripes[:, ::2] = 255
    put(tmp_path / "a.png", stripes)
    middle = read_images(tmp_path, size=8).inputs[0, 2:-2, 2:-2]
    assert np.abs(middle.astype(int) - 127).max() <= 4


def test_a_large_jpeg_decoded_at_a_fraction_looks_the_same(tmp_path: Path) -> None:
    picture = smooth(900, 700)
    path = put(tmp_path / "a.jpg", picture, quality=95)
    direct = picture.crop((100, 0, 800, 700)).resize((32, 32), Image.Resampling.BILINEAR)
    assert np.abs(decode(path, Form(32, 3)).astype(int) - np.asarray(direct)).mean() < 2


def test_a_very_long_picture_is_harmless(tmp_path: Path) -> None:
    put(tmp_path / "a.png", noise(20_000, 1))
    assert read_images(tmp_path).inputs.shape == (1, 256, 256, 3)


# --- colour modes


def test_transparency_shows_white(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 4), dtype=np.uint8)
    pixels[..., 0] = 200
    pixels[0, :, 3], pixels[1, :, 3] = 255, 51
    got = one(tmp_path, pixels)
    assert got[0, 0].tolist() == [200, 0, 0]
    assert got[1, 0].tolist() == [244, 204, 204]  # 0.2 × colour + 0.8 × white
    assert got[2, 0].tolist() == [255, 255, 255]


def test_transparent_grey_stays_grey(tmp_path: Path) -> None:
    picture = Image.fromarray(np.full((4, 4), 10, dtype=np.uint8)).convert("LA")
    picture.putpixel((1, 0), (10, 0))
    got = one(tmp_path, picture)
    assert got.shape == (4, 4, 1)
    assert got[0, :, 0].tolist() == [10, 255, 10, 10]


def palette_picture(colours: list[tuple[int, int, int]]) -> Image.Image:
    indexed = Image.new("P", (2, 2))
    indexed.putpalette([value for colour in colours for value in colour])
    for i in range(4):
        indexed.putpixel((i % 2, i // 2), i % len(colours))
    return indexed


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    got = one(tmp_path, palette_picture([(255, 0, 0), (0, 9, 0), (3, 3, 3)]))
    assert got.reshape(4, 3).tolist() == [[255, 0, 0], [0, 9, 0], [3, 3, 3], [255, 0, 0]]


def test_a_palette_of_greys_is_grey(tmp_path: Path) -> None:
    got = one(tmp_path, palette_picture([(0, 0, 0), (99, 99, 99), (255, 255, 255)]))
    assert got.tolist() == [[[0], [99]], [[255], [0]]]


@pytest.mark.parametrize("transparency", [1, b"\xff\x00\xff"])
def test_a_transparent_palette_entry_shows_white(tmp_path: Path, transparency: int | bytes) -> None:
    picture = palette_picture([(255, 0, 0), (0, 9, 0), (3, 3, 3)])
    got = one(tmp_path, picture, transparency=transparency)
    assert got.reshape(4, 3).tolist() == [[255, 0, 0], [255, 255, 255], [3, 3, 3], [255, 0, 0]]


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    bits = np.array([[True, False], [False, True]])
    assert one(tmp_path, Image.fromarray(bits)).tolist() == [[[255], [0]], [[0], [255]]]


def test_sixteen_bits_keep_the_upper_eight_and_say_so(tmp_path: Path) -> None:
    values = np.array([[0, 255], [256, 65535]], dtype=np.uint16)
    put(tmp_path / "a.png", values)
    domain = read_images(tmp_path)
    assert domain.inputs.tolist() == [[[[0], [0]], [[1], [255]]]]
    assert "16 bits per pixel: 1" in said(domain, "value >> 8")


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    red = Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK")
    got = one(tmp_path, red, "a.jpg", quality=100).reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(got, [250, 10, 10], atol=4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((16, 16), dtype=np.uint8)
    upright[:8, :8], upright[:8, 8:] = 255, 120
    # How a camera held that way stores what stands upright: the inverse of the tag's meaning.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = one(tmp_path, np.ascontiguousarray(stored), "a.jpg", quality=100, exif=exif)[..., 0]
    np.testing.assert_allclose(got.astype(int), upright, atol=3)


def test_odd_exif_data_do_not_cost_the_picture(tmp_path: Path) -> None:
    values = noise(8, 8)
    np.testing.assert_array_equal(one(tmp_path, values, exif=b"Exif\x00\x00nonsense, not TIFF at all"), values)


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    got = one(tmp_path, frames[0], "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert got[4, 4].tolist() == [255, 0, 0]


MODES = {
    "png": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "jpg": ["L", "RGB", "CMYK"],
    "bmp": ["1", "L", "P", "RGB"],
    "webp": ["L", "RGB", "RGBA"],
}
PICTURES = st.sampled_from([(kind, mode) for kind, modes in MODES.items() for mode in modes])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(PICTURES, st.integers(1, 90), st.integers(1, 90)), min_size=1, max_size=4),
    st.one_of(st.none(), st.integers(1, 40)),
)
def test_any_picture_takes_the_promised_form(
    wanted: list[tuple[tuple[str, str], int, int]], size: int | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for i, ((kind, mode), width, height) in enumerate(wanted):
            values = noise(width, height, 1).astype(np.uint16) * 257 if mode == "I;16" else noise(width, height)
            picture = Image.fromarray(values)
            put(Path(folder, f"{i}.{kind}"), picture if mode == "I;16" else picture.convert(mode))
        domain = read_images(folder, size=size)
        largest = max(max(width, height) for _, width, height in wanted)
        side = size or (largest if largest <= 64 else 256)
        assert domain.inputs.dtype == np.uint8
        assert domain.inputs.shape[:3] == (len(wanted), side, side)
        if any(mode in ("RGB", "RGBA", "CMYK") for (_, mode), _, _ in wanted):
            assert domain.inputs.shape[3] == 3
        elif all(mode in ("1", "L", "LA", "I;16") and kind != "webp" for (kind, mode), _, _ in wanted):
            assert domain.inputs.shape[3] == 1


# --- damaged files


def test_files_that_do_not_open_are_listed_with_reasons(tmp_path: Path) -> None:
    good = put(tmp_path / "cat" / "good.png", noise(8, 8))
    (tmp_path / "cat" / "empty.png").touch()
    (tmp_path / "cat" / "text.jpg").write_text("hello")
    (tmp_path / "cat" / "cut.png").write_bytes(good.read_bytes()[:-60])
    (tmp_path / "cat" / "gone.png").symlink_to(tmp_path / "nothing")
    domain = read_images(tmp_path)
    assert domain.ids == ("cat/good.png",)
    note = said(domain, "1 of 5 images were kept")
    for words in (
        "cat/empty.png (not an image",
        "cat/text.jpg (not an image",
        "cat/cut.png (",
        "gone.png (no such file",
    ):
        assert words in note


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp"])
def test_a_truncated_picture_is_not_kept(tmp_path: Path, suffix: str) -> None:
    put(tmp_path / "a.png", noise(100, 100))
    cut = put(tmp_path / f"b.{suffix}", noise(100, 100))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    domain = read_images(tmp_path)
    assert domain.ids == ("a.png",)
    assert f"b.{suffix} (" in said(domain, "1 of 2 images were kept")


def test_only_the_first_five_failures_are_named(tmp_path: Path) -> None:
    put(tmp_path / "good.png", noise(8, 8))
    for i in range(8):
        (tmp_path / f"bad{i}.png").touch()
    note = said(read_images(tmp_path), "1 of 9 images were kept")
    assert "bad4.png" in note
    assert "bad5.png" not in note
    assert "and 3 more" in note


def test_if_nothing_opens_that_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").write_text("x")
    with pytest.raises(DataError, match=r"must hold images that open; got 2 that do not: a.png \(not an image"):
        read_images(tmp_path)
    assert not list(cache.cache_folder().iterdir())


@pytest.mark.parametrize("side", [10_001, 50_000])
def test_a_picture_too_large_to_decode_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    put(tmp_path / "a.png", noise(8, 8))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b"")]
    written = [struct.pack(">I", len(c)) + kind + c + struct.pack(">I", zlib.crc32(kind + c)) for kind, c in chunks]
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(written))
    assert "bomb.png (more than 100 megapixels)" in said(read_images(tmp_path), "1 of 2 images")


# --- notes


def test_enlarging_most_images_is_said(tmp_path: Path) -> None:
    for i, side in enumerate((100, 100, 300)):
        put(tmp_path / f"{i}.png", noise(side, side))
    assert "2 of 3 images are smaller than 256 pixels" in said(read_images(tmp_path), "enlarged")
    put(tmp_path / "3.png", noise(300, 300))
    assert read_images(tmp_path).notes == ()


def test_wildly_different_sizes_are_said(tmp_path: Path) -> None:
    put(tmp_path / "a.png", noise(300, 41))
    put(tmp_path / "b.png", noise(400, 320))
    assert read_images(tmp_path).notes == ()
    put(tmp_path / "c.png", noise(400, 340))
    assert "from 41 to 340 pixels" in said(read_images(tmp_path), "sizes differ widely")


def test_copies_are_kept_and_counted(tmp_path: Path) -> None:
    first = put(tmp_path / "cat" / "a.png", noise(8, 8))
    put(tmp_path / "cat" / "c.png", noise(8, 8))
    shutil.copy(first, tmp_path / "cat" / "b.png")
    domain = read_images(tmp_path)
    assert len(domain) == 3
    assert "1 of 3 (for example cat/a.png = cat/b.png)." in said(domain, "byte for byte")
    (tmp_path / "dog").mkdir()
    shutil.copy(first, tmp_path / "dog" / "d.png")
    note = said(read_images(tmp_path), "byte for byte")
    assert "2 of 4" in note
    assert "more than one class: 1." in note


# --- cache


def forbid_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(images, "_decode_folder", refuse)


def test_what_was_decoded_is_found_again_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "here" / "cat" / "a.png", noise(8, 8))
    (tmp_path / "here" / "cat" / "b.png").touch()
    first = read_images(tmp_path / "here", name="x")
    shutil.move(tmp_path / "here", tmp_path / "there")
    forbid_decoding(monkeypatch)
    second = read_images(tmp_path / "there", name="x")
    assert isinstance(second.inputs, np.memmap)
    np.testing.assert_array_equal(first.inputs, second.inputs)
    assert (first.ids, first.notes, first.classes) == (second.ids, second.notes, second.classes)
    assert first.content_hash == second.content_hash


@pytest.mark.parametrize("change", ["bytes", "path", "size"])
def test_other_bytes_paths_or_sizes_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    path = put(tmp_path / "cat" / "a.png", noise(8, 8))
    read_images(tmp_path)
    if change == "bytes":
        put(path, noise(8, 8))
    elif change == "path":
        path.rename(tmp_path / "cat" / "b.png")
    forbid_decoding(monkeypatch)
    with pytest.raises(AssertionError, match="decoded again"):
        read_images(tmp_path, size=5 if change == "size" else None)


def test_new_pixels_under_an_old_name_are_seen(tmp_path: Path) -> None:
    path = put(tmp_path / "a.png", noise(8, 8))
    read_images(tmp_path)
    values = noise(8, 8)
    put(path, values)
    np.testing.assert_array_equal(read_images(tmp_path).inputs[0], values)


def test_without_a_cache_the_same_images_come_from_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(5):
        put(tmp_path / "data" / f"{i}.png", noise(8, 8))
    (tmp_path / "data" / "2.png").write_text("damaged")
    cached = read_images(tmp_path / "data")
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "cache"))
    direct = read_images(tmp_path / "data")
    assert not isinstance(direct.inputs, np.memmap)
    assert cached.content_hash == direct.content_hash
    assert said(direct, "decoded into memory")


def test_images_are_decoded_block_by_block_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [noise(8, 8) for _ in range(11)]
    for i, values in enumerate(expected):
        put(tmp_path / f"{i:02}.png", values)
    sizes = []
    append = cache._FileRows.append

    def watch(self: cache._FileRows, block: np.ndarray) -> None:
        sizes.append(len(block))
        append(self, block)

    monkeypatch.setattr(images, "_BLOCK_BYTES", 4 * 8 * 8 * 3 + 1)
    monkeypatch.setattr(cache._FileRows, "append", watch)
    np.testing.assert_array_equal(read_images(tmp_path).inputs, np.stack(expected))
    assert sizes == [4, 4, 3]


def test_the_version_of_the_decoder_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.png", noise(8, 8))
    read_images(tmp_path)
    assert pictures.PIL.__version__ in pictures.DECODER
    monkeypatch.setattr(images, "DECODER", "another")
    forbid_decoding(monkeypatch)
    with pytest.raises(AssertionError, match="decoded again"):
        read_images(tmp_path)


# --- real photos


def test_real_photos(real_data: Path, tmp_path: Path) -> None:
    archive = real_data / "images" / "office_caltech10_jpg256.tar"
    for name, content in files_in(archive, lambda name: "dslr" in name.split("/")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (folder,) = tmp_path.rglob("dslr")
    domain = read_images(folder)
    assert domain.inputs.shape == (157, 256, 256, 3)
    assert len(domain.classes) == 10
    assert np.bincount(domain.labels).tolist() == [len(list((folder / c).iterdir())) for c in domain.classes]
    assert domain.notes == ()


# --- pictures in memory


def encoded(picture: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def decode_bytes(content: bytes, form: Form, most_pixels: int = MOST_UNPACKED) -> np.ndarray:
    return decode(io.BytesIO(content), form, most_pixels)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_bytes_are_decoded_as_files_are(tmp_path: Path, kind: str, channels: int) -> None:
    content = encoded(noise(90, 60), kind)
    path = tmp_path / "a.png"
    path.write_bytes(content)
    form = Form(16, channels)
    assert decode_bytes(content, form).shape == form.shape
    np.testing.assert_array_equal(decode_bytes(content, form), decode(path, form))
    with path.open("rb") as file:
        np.testing.assert_array_equal(decode(file, form), decode(path, form))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PPM", "ICO", "EPS"])
def test_other_formats_are_not_even_tried(tmp_path: Path, kind: str) -> None:
    """Whatever the suffix says: some of Pillow's readers start programs, and nobody here has looked at the others."""
    content = encoded(noise(32, 32), kind)
    with pytest.raises(UnidentifiedImageError):
        decode_bytes(content, Form(8, 3))
    (tmp_path / "a.png").write_bytes(content)
    for read in (lambda path: decode(path, Form(8, 3)), read_header):
        with pytest.raises(UnidentifiedImageError):
            read(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "JPEG"])
def test_the_limit_of_pixels_holds_before_any_is_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(noise(40, 25), kind)
    assert decode_bytes(content, Form(40, 1), most_pixels=1000).shape == (40, 40, 1)
    monkeypatch.setattr(pictures.Opened, "decode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(TooManyPixels) as caught:
        decode_bytes(content, Form(40, 1), most_pixels=999)
    assert reason(caught.value) == "more than 0 megapixels"


def header_of(width: int, height: int, bits: int, colour: int) -> bytes:
    """A PNG that says so, and holds no pixels."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"0")),
    ]
    written = [struct.pack(">I", len(c)) + kind + c + struct.pack(">I", zlib.crc32(kind + c)) for kind, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


@pytest.mark.parametrize(
    ("bits", "colour", "each"),
    [
        (1, 0, 1),
        (8, 0, 1),
        (8, 3, 1),
        (16, 0, 2),
        (8, 4, 4),
        (8, 2, 4),
        (8, 6, 4),
        (16, 4, 8),
        (16, 2, 8),
        (16, 6, 8),
    ],
)
def test_bytes_are_counted_by_what_a_pixel_takes(bits: int, colour: int, each: int) -> None:
    opened = open_picture(io.BytesIO(header_of(300, 200, bits, colour)), Form(16, 1))
    assert (opened.pixels, opened.bytes) == (60_000, 60_000 * each)


def test_bytes_of_a_jpeg_are_those_that_are_left_unless_all_is_kept() -> None:
    photo = smooth(800, 640)
    plain = open_picture(io.BytesIO(encoded(photo, "JPEG")), Form(32, 3))
    assert (plain.pixels, plain.bytes) == (100 * 80, 100 * 80 * 4)
    kept = open_picture(io.BytesIO(encoded(photo, "JPEG", progressive=True)), Form(32, 3))
    assert (kept.pixels, kept.bytes) == (800 * 640, 100 * 80 * 4 + 800 * 640 * 3 * 2)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
@pytest.mark.parametrize("channels", [1, 3])
def test_large_pictures_are_put_on_white_as_small_ones_are(mode: str, channels: int) -> None:
    """Band by band, to the pixel what Pillow makes of the whole."""
    picture = Image.fromarray(noise(40, 700, 4))
    content = encoded(
        picture.convert("RGB").quantize(8) if mode == "P" else picture.convert(mode),
        "PNG",
        **({"transparency": 3} if mode == "P" else {}),
    )
    whole = Image.open(io.BytesIO(content)).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB")
    flat = flat.convert("L") if channels == 1 else flat
    wanted = np.asarray(flat.resize((40, 40), Image.Resampling.BILINEAR, box=(0, 330, 40, 370)))
    np.testing.assert_array_equal(decode_bytes(content, Form(40, channels)).squeeze(), wanted)


def test_a_photo_of_fifty_megapixels_is_none_too_large_if_it_is_decoded_smaller() -> None:
    large = Image.new("L", (8660, 5780), 200)
    assert (decode_bytes(encoded(large, "JPEG"), Form(32, 1)) == 200).all()
    # Of a progressive one the decoder keeps everything; of a PNG too.
    for content in (encoded(large, "JPEG", progressive=True), encoded(large, "PNG")):
        with pytest.raises(TooManyPixels) as caught:
            decode_bytes(content, Form(32, 1))
        assert reason(caught.value) == "more than 40 megapixels"


@settings(max_examples=200)
@given(
    st.binary(max_size=60), st.integers(0, 400), st.integers(0, 400), st.sampled_from(["PNG", "JPEG", "WEBP", "BMP"])
)
def test_damaged_bytes_are_a_picture_or_a_reason(patch: bytes, start: int, end: int, kind: str) -> None:
    content = encoded(np.arange(300).astype(np.uint8).reshape(10, 10, 3), kind)
    outcome = attempt(content[:start] + patch + content[end:])
    assert reason(outcome) if isinstance(outcome, Exception) else outcome.shape == (8, 8, 3)


def attempt(content: bytes) -> np.ndarray | Exception:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decode_bytes(content, Form(8, 3), most_pixels=10_000)
    except Exception as error:  # of whatever type
        return error


def test_what_was_unpacked_is_let_go_of() -> None:
    """While `Opened` is held: leaving a `with` closes Pillow's file and keeps its pixels."""
    opened = open_picture(io.BytesIO(encoded(noise(40, 30), "PNG")), Form(8, 3))
    opened.decode()
    with pytest.raises(ValueError, match="closed image"):
        opened.image.getpixel((0, 0))
