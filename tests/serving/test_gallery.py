"""The gallery: photos are found, encoded once wherever they move, and no file and no kill harms the rest."""

from __future__ import annotations

import json
import os
import shutil
import signal
import warnings
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from acclimate.errors import DataError, MissingExtraError, RequestError
from acclimate.metrics.expansion import expanded, nearest_in
from acclimate.runs.lock import lock
from acclimate.serving import photos as photos_module
from acclimate.serving import sync as sync_module
from acclimate.serving.gallery import Gallery, Update, is_blank
from acclimate.serving.index import VectorIndex
from acclimate.serving.ledger import LOCK
from galleries import Colours, bomb, broken, content, photo, pixels


def some_photos(root: Path, count: int = 6) -> Path:
    for i in range(count):
        photo(root / f"album {i % 2}" / f"{i}.png", i)
    return root


def built(root: Path, folder: Path, **options: object) -> tuple[Gallery, Update, int]:
    """The gallery, what became of each photo, and how many were encoded."""
    encoder = Colours()
    gallery, update = Gallery.build(root, folder, encoder, **options)  # type: ignore[arg-type]
    return gallery, update, encoder.encoded


def state(gallery: Gallery) -> dict[str, tuple[str, bytes]]:
    """Everything that is indexed, whatever the order."""
    index = gallery._index
    return {name: (content, index.vectors([name]).tobytes()) for name, content in sorted(index.hashes.items())}


# What it finds


def test_the_most_similar_come_first(tmp_path: Path) -> None:
    gallery, _, _ = built(some_photos(tmp_path / "p"), tmp_path / "i")
    hits = gallery.search(np.stack([pixels(3), pixels(4)]), 3)
    assert [row[0].id for row in hits] == ["album 1/3.png", "album 0/4.png"]
    for row in hits:
        assert row[0].similarity == pytest.approx(1, abs=1e-6)
        assert [hit.similarity for hit in row] == sorted((hit.similarity for hit in row), reverse=True)
        assert all(-1 <= hit.similarity <= 1 for hit in row)
    vectors = Colours().encode(np.stack([pixels(i) for i in range(6)]), "target").astype(float)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = np.argsort(-(units @ units[3]))[:3]
    assert [hit.id for hit in hits[0]] == [f"album {i % 2}/{i}.png" for i in expected]


def test_more_like_this_leaves_itself_out(tmp_path: Path) -> None:
    gallery, _, _ = built(some_photos(tmp_path / "p"), tmp_path / "i")
    alike = gallery.search(pixels(2)[None], 6)[0]
    assert gallery.like("album 0/2.png", 4) == alike[1:5]
    assert len(gallery.like("album 0/2.png", 100)) == 5
    with pytest.raises(RequestError, match=r"photo must be one of the gallery; got 'nobody.png'"):
        gallery.like("nobody.png", 3)


def test_how_many_are_asked_for(tmp_path: Path) -> None:
    gallery, _, _ = built(some_photos(tmp_path / "p"), tmp_path / "i")
    assert len(gallery) == len(gallery.search(pixels(0)[None], 1_000_000)[0]) == 6
    assert gallery.search(np.empty((0, 8, 8, 3), np.uint8), 3) == []
    for k in (0, -1):
        with pytest.raises(RequestError, match="k must be at least 1"):
            gallery.search(pixels(0)[None], k)
        with pytest.raises(RequestError, match="k must be at least 1"):
            gallery.like("album 0/2.png", k)


def test_searched_again_with_what_was_found(tmp_path: Path) -> None:
    gallery, _, _ = built(some_photos(tmp_path / "p", 12), tmp_path / "i")
    vectors = Colours().encode(np.stack([pixels(i) for i in range(12)]), "target").astype(float)
    drawn = expanded(vectors[[3]], nearest_in(vectors), 4)[0]
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ drawn / np.linalg.norm(drawn)
    order = np.argsort(-cosines, kind="stable")[:5]
    hits = gallery.search(pixels(3)[None], 5, expand=4)[0]
    assert [hit.id for hit in hits] == [f"album {i % 2}/{i}.png" for i in order]
    assert [hit.similarity for hit in hits] == pytest.approx(cosines[order].tolist(), abs=1e-5)
    assert len(gallery.search(pixels(3)[None], 3, expand=1_000)[0]) == 3
    with pytest.raises(RequestError, match="expand must be at least 0; got -1"):
        gallery.search(pixels(3)[None], 3, expand=-1)


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 8, 8, 1), np.uint8), np.zeros((8, 8, 3), np.uint8), pixels(0)[None] / 255.0]
)
def test_queries_of_another_form_are_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    gallery, _, _ = built(some_photos(tmp_path / "p"), tmp_path / "i")
    with pytest.raises(RequestError, match=r"pictures must be uint8 of shape \(q, 8, 8, 3\); got"):
        gallery.search(wrong, 1)


def test_what_the_encoder_sees_nothing_in(tmp_path: Path) -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)
    root = some_photos(tmp_path / "p")
    Image.fromarray(grey).save(root / "fog.png")
    gallery, update, _ = built(root, tmp_path / "i")
    assert update.failed == {"fog.png": "the run sees nothing in it"}
    with pytest.raises(RequestError, match="picture 2 must show something"):
        gallery.search(np.stack([pixels(0), grey]), 1)


def test_blank() -> None:
    white = np.full((8, 8, 3), 255, np.uint8)
    assert is_blank(white)
    assert is_blank(white - np.random.default_rng(0).integers(0, 4, white.shape, dtype=np.uint8))
    assert is_blank(np.broadcast_to(np.array([200, 10, 30], np.uint8), (8, 8, 3)))
    white[4, 4] = 0
    assert not is_blank(white)


# What it keeps


names = st.sampled_from(["a.png", "b.jpg", "c/a.PNG", "c/d/e.webp", "z.bmp"])
seeds = st.integers(0, 3)
steps = st.one_of(
    st.tuples(st.just("write"), names, seeds),
    st.tuples(st.just("remove"), names),
    st.tuples(st.just("move"), names, names),
    st.tuples(st.just("copy"), names, names),
    st.tuples(st.just("swap"), names, names),
    st.tuples(st.just("break"), names),
    st.tuples(
        st.just("build"),
    ),
)


def take(step: tuple[object, ...], root: Path) -> None:
    kind, *rest = step
    paths = [root / rest_ for rest_ in rest if isinstance(rest_, str)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    there = all(path.exists() for path in paths[: 2 if kind == "swap" else 1])
    if kind == "write":
        photo(paths[0], rest[1])  # type: ignore[arg-type]
    elif kind == "break":
        paths[0].write_bytes(b"no picture")
    elif there and kind == "remove":
        paths[0].unlink()
    elif there and kind == "move":
        paths[0].replace(paths[1])
    elif there and kind == "copy" and paths[0] != paths[1]:
        shutil.copy2(paths[0], paths[1])
    elif there and kind == "swap":
        first, second = (path.read_bytes() for path in paths)
        paths[0].write_bytes(second)
        paths[1].write_bytes(first)


def outcome(root: Path, folder: Path) -> tuple[Gallery, Update, int] | None:
    """What `built` gives; None where it says that there is nothing to index."""
    try:
        return built(root, folder)
    except DataError as error:
        if "must hold photos that open" not in str(error):
            raise
        return None


@settings(max_examples=120)
@given(st.lists(steps, max_size=12))
def test_whatever_happened_the_index_is_that_of_a_fresh_build(course: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as place:
        root, folder = Path(place, "photos"), Path(place, "index")
        root.mkdir()
        known: set[str] = set()  # contents in the index
        for number, step in enumerate([*course, ("build",)]):
            if step != ("build",):
                take(step, root)
                continue
            here = outcome(root, folder)
            fresh = outcome(root, Path(place, f"fresh {number}"))
            assert (here is None) == (fresh is None)
            if here is None or fresh is None:
                continue
            assert state(here[0]) == state(fresh[0])
            assert state(Gallery.open(folder, Colours())) == state(fresh[0])
            assert here[1].failed == fresh[1].failed
            assert here[1].copies == fresh[1].copies
            contents = {content for content, _ in state(here[0]).values()}
            assert here[2] == len(contents - known)
            update = here[1]
            told = [*update.new, *update.changed, *update.unchanged, *update.moved.values()]
            assert sorted(told) == sorted(state(here[0]))
            assert len(update.new) + len(update.changed) == here[2]
            for name in state(here[0]):
                assert here[0].path(name).read_bytes() == (root / name).read_bytes()
            known = contents


def test_what_became_of_each(tmp_path: Path) -> None:
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    _, update, encoded = built(root, folder)
    assert (len(update.new), encoded, str(update)) == (6, 6, "6 new")
    assert update.rate is not None

    (root / "album 0/0.png").unlink()
    photo(root / "album 0/2.png", 12)
    (root / "album 0/4.png").rename(root / "moved.png")
    shutil.copy(root / "album 1/1.png", root / "copy.png")
    photo(root / "fresh.png", 13)
    (root / "notes.txt").write_text("dear diary")
    (root / ".hidden.png").write_bytes(b"")
    gallery, update, encoded = built(root, folder)
    assert update.new == ("fresh.png",)
    assert update.changed == ("album 0/2.png",)
    assert update.removed == ("album 0/0.png",)
    assert update.moved == {"album 0/4.png": "moved.png"}
    assert update.copies == {"copy.png": "album 1/1.png"}
    assert update.unchanged == ("album 1/1.png", "album 1/3.png", "album 1/5.png")
    assert update.others == {".txt": 1}
    assert encoded == 2
    assert str(update) == "1 new, 1 changed, 3 unchanged, 1 removed, 1 moved, 1 left out as copies"
    before = (folder / "index.json").read_bytes()
    assert built(root, folder)[1:] == (
        Update(
            unchanged=tuple(sorted(gallery.ids)),
            copies=update.copies,
            others=update.others,
            seconds=pytest.approx(0, abs=60),
        ),
        0,
    )
    assert (folder / "index.json").read_bytes() == before


def test_files_that_have_not_changed_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    read: list[str] = []
    real = photos_module._digest
    monkeypatch.setattr(photos_module, "_digest", lambda path: read.append(path.name) or real(path))
    monkeypatch.setattr(photos_module, "_SETTLED_NS", 10**13)
    built(root, folder)
    read.clear()
    built(root, folder)
    assert len(read) == 6  # written a moment ago, each may change again without its times showing it
    monkeypatch.setattr(photos_module, "_SETTLED_NS", 0)
    built(root, folder)
    read.clear()
    photo(root / "new.png", 30)
    same_size = content(0)
    path = root / "album 0/0.png"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(same_size[:-1] + bytes([same_size[-1] ^ 1]))
    os.utime(path, ns=times)  # the content has changed behind the time of change's back
    built(root, folder)
    assert sorted(read) == ["0.png", "new.png"]


def test_the_folder_of_photos_may_move(tmp_path: Path) -> None:
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    built(root, folder)
    root.rename(tmp_path / "q")
    with pytest.raises(RequestError, match=r"photo must still lie in .*/p; got 'album 0/0.png', which does not"):
        Gallery.open(folder, Colours()).path("album 0/0.png")
    gallery, update, encoded = built(tmp_path / "q", folder)
    assert (len(update.unchanged), encoded) == (6, 0)
    assert Gallery.open(folder, Colours()).root == gallery.root == (tmp_path / "q").resolve()


def test_photos_of_another_folder_replace_none(tmp_path: Path) -> None:
    built(some_photos(tmp_path / "p"), tmp_path / "i")
    photo(tmp_path / "other/x.png", 50)
    with pytest.raises(
        RequestError, match=r"photos must be the folder whose photos are indexed, .*/p; got .*/other, which"
    ):
        built(tmp_path / "other", tmp_path / "i")
    assert len(Gallery.open(tmp_path / "i", Colours())) == 6
    gallery, _, _ = built(tmp_path / "other", tmp_path / "i", rebuild=True)
    assert gallery.ids == Gallery.open(tmp_path / "i", Colours()).ids == ("x.png",)
    assert gallery.path("x.png") == (tmp_path / "other/x.png").resolve()


def test_a_folder_below_is_another_folder(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "p", 12)
    photo(root / "holiday" / "sea.png", 50)
    built(root, tmp_path / "i")
    with pytest.raises(RequestError, match=r"got .*/p/holiday, which has 1 of these 13\. .*--rebuild"):
        built(root / "holiday", tmp_path / "i")
    assert len(Gallery.open(tmp_path / "i", Colours())) == 13
    built(root / "holiday", tmp_path / "i", rebuild=True)
    assert Gallery.open(tmp_path / "i", Colours()).ids == ("sea.png",)


# Broken files


def test_broken_files_are_counted_and_do_no_harm(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "p")
    expected = broken(root / "bad")
    (root / "gone.png").symlink_to(root / "nowhere.png")
    os.mkfifo(root / "pipe.png")
    shutil.copy(root / "bad/text.jpg", root / "bad/again.jpg")
    gallery, update, _ = built(root, tmp_path / "i")
    assert len(gallery) == 6
    expected |= {"again.jpg": "not an image of a known format"}
    for name, why in expected.items():
        assert why in update.failed[f"bad/{name}"], name
    assert update.failed["gone.png"] == "no such file or directory"
    assert update.failed["pipe.png"] == "not a plain file"
    assert len(update.failed) == len(expected) + 2
    photo(root / "bad/empty.jpg", 40)
    _, update, encoded = built(root, tmp_path / "i")
    assert (update.new, encoded) == (("bad/empty.jpg",), 1)
    (root / "album 0/0.png").write_bytes(content(0)[:40])
    gallery, update, _ = built(root, tmp_path / "i")
    assert update.removed == ("album 0/0.png",)
    assert "album 0/0.png" not in gallery.ids


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "p")
    with open(os.fsencode(root) + b"/caf\xe9.png", "wb") as file:  # noqa: PTH123
        file.write(content(7))
    _, update, _ = built(root, tmp_path / "i")
    assert update.failed == {"caf\\udce9.png": "its name is not UTF-8"}


def test_a_file_that_changes_while_it_is_read_is_left_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = some_photos(tmp_path / "p")
    real = photos_module.decode

    def decode(path: Path, *rest: object) -> np.ndarray:
        if path.name == "3.png":
            photo(path, 33)
            with path.open("ab") as file:
                file.write(b" ")
        return real(path, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(photos_module, "decode", decode)
        assert built(root, tmp_path / "i")[1].failed == {"album 1/3.png": "changed while it was read"}
    gallery, update, encoded = built(root, tmp_path / "i")
    assert (update.new, encoded) == (("album 1/3.png",), 1)
    assert gallery.search(pixels(33)[None], 1)[0][0].id == "album 1/3.png"


@pytest.mark.parametrize("fill", ["nothing", "text", "broken"])
def test_a_folder_without_photos_is_refused_and_the_index_kept(tmp_path: Path, fill: str) -> None:
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    built(root, folder)
    shutil.rmtree(root)
    root.mkdir()
    said = {
        "nothing": "got an empty folder",
        "text": r"got files of other kinds \(1 .heic\)",
        "broken": "got 6 that do not",
    }
    if fill == "text":
        (root / "a.heic").write_bytes(b"x")
    if fill == "broken":
        broken(root)
    for place in (folder, tmp_path / "new"):
        with pytest.raises(DataError, match=rf"must hold photos that open \(.jpg.*\); {said[fill]}"):
            built(root, place)
    assert len(Gallery.open(folder, Colours())) == 6
    with pytest.raises(RequestError, match="must be a folder where photos have been indexed"):
        Gallery.open(tmp_path / "new", Colours())


@pytest.mark.parametrize("place", ["nowhere", "p/album 0/0.png", "zero\0byte"])
def test_photos_must_be_a_folder(tmp_path: Path, place: str) -> None:
    some_photos(tmp_path / "p")
    with pytest.raises(RequestError, match="photos must be a folder that exists"):
        built(tmp_path / place, tmp_path / "i")
    assert not (tmp_path / "i").exists()


# Where its files are


def test_only_photos_of_the_gallery_have_a_path(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "p")
    secret = photo(tmp_path / "secret.png", 60)
    photo(tmp_path / "elsewhere/s.png", 61)
    (root / "out.png").symlink_to(secret)
    (root / "door").symlink_to(tmp_path / "elsewhere")
    gallery, update, _ = built(root, tmp_path / "i")
    assert update.failed == dict.fromkeys(("door/s.png", "out.png"), "a link that leads out of the folder")
    assert gallery.path("album 0/0.png") == (root / "album 0/0.png").resolve()
    for name in (
        "../secret.png",
        "out.png",
        "door/s.png",
        str(secret),
        "",
        ".",
        "album 0",
        "album 0/../album 0/0.png",
        "a\0b",
    ):
        with pytest.raises(RequestError, match="photo must be one of the gallery"):
            gallery.path(name)
    # What became a link after it was indexed is given to nobody either.
    (root / "album 0/0.png").unlink()
    with pytest.raises(RequestError, match="photo must still lie in"):
        gallery.path("album 0/0.png")
    (root / "album 0/0.png").symlink_to(secret)
    with pytest.raises(RequestError, match="photo must still lie in"):
        gallery.path("album 0/0.png")


def test_an_index_that_names_files_elsewhere_opens_no_door(tmp_path: Path) -> None:
    gallery, _, _ = built(some_photos(tmp_path / "p"), tmp_path / "i")
    photo(tmp_path / "secret.png", 60)
    gallery._index.rename({"album 0/0.png": "../secret.png", "album 0/2.png": str(tmp_path / "secret.png")})
    for name in ("../secret.png", str(tmp_path / "secret.png")):
        with pytest.raises(RequestError, match="photo must still lie in"):
            gallery.path(name)


# Interruptions


def test_stopped_it_keeps_what_is_done_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos_module, "_BLOCK", 2)
    root, folder, fresh = some_photos(tmp_path / "p", 9), tmp_path / "i", tmp_path / "f"
    phases: list[tuple[str, int, int]] = []
    progress = lambda *told: phases.append(told)  # noqa: E731
    gallery, update, encoded = built(
        root, folder, progress=progress, stopped=lambda: bool(phases) and phases[-1][:2] == ("Encoding photos", 4)
    )
    assert (len(gallery), update.left, encoded) == (4, 5, 4)
    assert len(Gallery.open(folder, Colours())) == 4
    assert phases[-1] == ("Encoding photos", 4, 9)
    gallery, update, encoded = built(root, folder)
    assert (len(update.unchanged), len(update.new), update.left, encoded) == (4, 5, 0, 5)
    assert state(gallery) == state(built(root, fresh)[0])


def test_stopped_while_reading_it_keeps_what_it_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos_module, "_BLOCK", 2)
    monkeypatch.setattr(photos_module, "_SETTLED_NS", 0)
    root, folder = some_photos(tmp_path / "p", 9), tmp_path / "i"
    gallery, update, encoded = built(root, folder, stopped=lambda: True)
    assert (len(gallery), update.left, encoded) == (0, 7, 0)
    read: list[str] = []
    real = photos_module._digest
    monkeypatch.setattr(photos_module, "_digest", lambda path: read.append(path.name) or real(path))
    assert len(built(root, folder)[0]) == 9
    assert len(read) == 7


class Deadly(Colours):
    """Kills its process, as the system would, when it is to encode for the nth time."""

    def __init__(self, nth: int) -> None:
        super().__init__()
        self._left = nth

    def encode(self, pictures: np.ndarray, side: object) -> np.ndarray:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(pictures, side)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # Python 3.12
@pytest.mark.parametrize("nth", [0, 1, 3])
@pytest.mark.parametrize("update", [False, True], ids=["first", "later"])
def test_killed_midway_nothing_saved_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int, update: bool
) -> None:
    monkeypatch.setattr(photos_module, "_BLOCK", 2)
    monkeypatch.setattr(sync_module, "_SAVE_PHOTOS", 2)
    root, folder = some_photos(tmp_path / "p", 9), tmp_path / "i"
    if update:
        built(root, folder)
        old = state(Gallery.open(folder, Colours()))
        for i in range(20, 29):
            photo(root / f"{i}.png", i)
    child = os.fork()
    if child == 0:
        Gallery.build(root, folder, Deadly(nth))
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    there = 0
    if update or nth:
        found = Gallery.open(folder, Colours())
        there = len(found) - (9 if update else 0)
        if update:
            assert old.items() <= state(found).items()
        assert there == 2 * nth
    gallery, _, encoded = built(root, folder)
    assert encoded == 9 - there
    assert state(gallery) == state(built(root, tmp_path / "fresh")[0])


def test_two_builds_at_once_are_refused(tmp_path: Path) -> None:
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    built(root, folder)
    held = lock(folder, "index", LOCK)
    try:
        with pytest.raises(RequestError, match="index must not be written by two processes"):
            built(root, folder)
    finally:
        held.release()
    assert built(root, folder)[2] == 0


# Whose index it is


class Other(Colours):
    name = "colours 2"


def test_the_index_of_another_encoder_is_refused_or_replaced(tmp_path: Path) -> None:
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    built(root, folder)
    with pytest.raises(
        RequestError, match=r"encoder 'colours 2' .* got one made with 'colours 1'.*--index, or .*--rebuild"
    ):
        Gallery.build(root, folder, Other())
    with pytest.raises(RequestError, match=r"got one made with 'colours 1'. Build it again: .*--rebuild"):
        Gallery.open(folder, Other())
    assert len(Gallery.open(folder, Colours())) == 6
    gallery, update = Gallery.build(root, folder, Other(), rebuild=True)
    assert len(gallery) == len(update.new) == len(Gallery.open(folder, Other())) == 6


@pytest.mark.parametrize("file", ["index.json", "gallery.json", "vectors-*", "ids-*"])
@pytest.mark.parametrize("how", ["flip", "cut", "empty"])
def test_damage_is_told_and_a_rebuild_mends_it(tmp_path: Path, file: str, how: str) -> None:
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    whole = state(built(root, folder)[0])
    (path,) = folder.glob(file)
    data = path.read_bytes()
    path.write_bytes({"flip": b"\xff" + data[1:], "cut": data[: len(data) // 2], "empty": b""}[how])
    for work in (lambda: Gallery.open(folder, Colours()), lambda: built(root, folder)):
        with pytest.raises(DataError, match=r"must be whole; got a damaged one: .*--rebuild"):
            work()
    assert state(built(root, folder, rebuild=True)[0]) == whole
    assert state(Gallery.open(folder, Colours())) == whole


def test_a_format_of_another_version_is_told(tmp_path: Path) -> None:
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    built(root, folder)
    found = json.loads((folder / "gallery.json").read_text())
    (folder / "gallery.json").write_text(json.dumps(found | {"format": 2}))
    with pytest.raises(RequestError, match="must be in format 1, which this version reads; got format 2"):
        Gallery.open(folder, Colours())


def test_an_index_is_put_into_no_folder_in_use(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "p")
    (tmp_path / "diary.txt").write_text("dear")
    for place in (tmp_path, root, tmp_path / "diary.txt"):
        for rebuild in (False, True):
            with pytest.raises(
                RequestError, match="index must be a new or empty folder.*Choose another with --index"
            ):
                built(root, place, rebuild=rebuild)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["diary.txt", "p"]


# Large galleries


def test_memory_does_not_grow_with_the_gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no time are more than two blocks of pictures asked for, nor more than one block of vectors unsaved."""
    monkeypatch.setattr(photos_module, "_BLOCK", 4)
    monkeypatch.setattr(sync_module, "_SAVE_PHOTOS", 8)
    root = some_photos(tmp_path / "p", 60)
    begun, seen, kept = [0], [0], [0]
    real = photos_module._picture

    def picture(*rest: object) -> object:
        begun[0] += 1
        kept[0] = max(kept[0], begun[0] - seen[0])
        return real(*rest)  # type: ignore[arg-type]

    class Counting(Colours):
        def encode(self, pictures: np.ndarray, side: object) -> np.ndarray:
            seen[0] += len(pictures)
            return super().encode(pictures, side)  # type: ignore[arg-type]

    in_memory = [0]
    add = VectorIndex.add

    def watched(index: VectorIndex, *rest: object) -> object:
        result = add(index, *rest)  # type: ignore[arg-type]
        in_memory[0] = max(in_memory[0], len(index._engine._keys) - len(index._engine._stored))  # type: ignore[attr-defined]
        return result

    monkeypatch.setattr(photos_module, "_picture", picture)
    monkeypatch.setattr(VectorIndex, "add", watched)
    gallery, _ = Gallery.build(root, tmp_path / "i", Counting())
    assert len(gallery) == 60
    assert kept[0] <= 8
    assert in_memory[0] <= 8


def test_beyond_what_exact_search_is_quick_for_it_becomes_approximate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("usearch") is None:
        pytest.skip("usearch is not installed; it comes with the extra index")
    root, folder = some_photos(tmp_path / "p"), tmp_path / "i"
    built(root, folder)
    monkeypatch.setattr(sync_module, "MOST_EXACT", 6)
    assert built(root, folder)[0]._index.kind == "exact"
    photo(root / "more.png", 70)
    gallery, update, encoded = built(root, folder)
    assert (gallery._index.kind, len(gallery), encoded) == ("usearch", 7, 1)
    assert len(update.unchanged) == 6
    opened = Gallery.open(folder, Colours())
    assert opened.like("album 0/0.png", 6) == gallery.like("album 0/0.png", 6)
    assert {hit.id for hit in opened.search(pixels(70)[None], 1)[0]} == {"more.png"}
    assert built(root, folder, kind="exact")[0]._index.kind == "exact"
    assert Gallery.open(folder, Colours())._index.kind == "exact"


def test_without_usearch_a_large_gallery_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_module, "MOST_EXACT", 5)
    monkeypatch.setitem(__import__("sys").modules, "usearch.index", None)
    encoder = Colours()
    with pytest.raises(MissingExtraError, match=r"acclimate\[index\]"):
        Gallery.build(some_photos(tmp_path / "p"), tmp_path / "i", encoder)
    assert encoder.encoded == 0


def test_warnings_about_odd_files_stay_away(tmp_path: Path) -> None:
    root = some_photos(tmp_path / "p")
    (root / "large.png").write_bytes(bomb(9_600, 9_600))  # Pillow warns from 89 megapixels on
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, update, _ = built(root, tmp_path / "i")
    assert not caught
    assert update.failed == {"large.png": "more than 40 megapixels"}
