"""A served gallery follows its index, and outlives an index that went bad."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from acclimate.errors import DataError, RequestError
from acclimate.serving.gallery import Gallery
from acclimate.serving.index_files import HEADER
from acclimate.serving.live import LiveGallery
from galleries import Colours, photo, pixels


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for i in range(3):
        photo(tmp_path / "photos" / f"{i}.png", i)
    return tmp_path / "photos"


def index(root: Path, **options: bool) -> Path:
    Gallery.build(root, root.parent / "index", Colours(), **options)  # type: ignore[arg-type]
    return root.parent / "index"


def first(gallery: LiveGallery, seed: int) -> str:
    return gallery.search(pixels(seed)[None], 1)[0][0].id


@pytest.mark.parametrize("rebuild", [False, True])
def test_what_is_indexed_while_it_is_served_is_found(root: Path, rebuild: bool) -> None:
    gallery = LiveGallery(index(root), Colours())
    assert (len(gallery), first(gallery, 1)) == (3, "1.png")
    photo(root / "new.png", 7)
    (root / "1.png").unlink()
    assert first(gallery, 7) != "new.png", "an index that was not brought up to date knows of nothing"
    index(root, rebuild=rebuild)
    assert first(gallery, 7) == "new.png"
    assert (len(gallery), gallery.root, gallery.path("new.png")) == (3, root, root / "new.png")
    assert "1.png" not in {hit.id for hit in gallery.like("new.png", 9)}


def test_it_is_opened_again_only_when_it_was_saved(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = LiveGallery(index(root), Colours())
    opened = []
    original = Gallery.open
    monkeypatch.setattr(Gallery, "open", lambda *given: opened.append(given) or original(*given))
    for _ in range(3):
        first(gallery, 0)
    assert not opened
    photo(root / "new.png", 7)
    index(root)
    for _ in range(3):
        first(gallery, 0)
    assert len(opened) == 1


def test_an_index_that_went_bad_is_told_once_and_the_old_one_served(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = index(root)
    gallery = LiveGallery(folder, Colours())
    whole = (folder / HEADER).read_bytes()
    (folder / HEADER).write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING, "acclimate"):
        assert [first(gallery, 1) for _ in range(3)] == ["1.png"] * 3
    (told,) = caplog.messages
    assert "cannot be opened" in told
    assert "--rebuild" in told or "Build" in told
    photo(root / "new.png", 7)
    index(root, rebuild=True)
    assert first(gallery, 7) == "new.png", "a mended one is taken"


def test_an_index_that_is_gone_for_a_moment_is_waited_for(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = index(root)
    gallery = LiveGallery(folder, Colours())
    (folder / HEADER).rename(folder / "away")
    with caplog.at_level(logging.WARNING, "acclimate"):
        assert first(gallery, 1) == "1.png"
    assert not caplog.messages
    np.testing.assert_equal(len(gallery), 3)


def test_what_cannot_be_opened_at_the_start_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="must be a folder where photos have been indexed"):
        LiveGallery(tmp_path / "none", Colours())
    folder = index(root)
    (folder / HEADER).write_text("{}")
    with pytest.raises(DataError):
        LiveGallery(folder, Colours())
