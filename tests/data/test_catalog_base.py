"""The routes of `Dataset.load`: stored arrays, official files, or words on how to get them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from acclimate import discovery
from acclimate.data import catalog, storage
from acclimate.data.catalog.base import Dataset, RemoteFile
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder, data_home, raw_folder
from acclimate.errors import AbsentError, DataError, RequestError, UnknownNameError, WorkError


class Tiny(Dataset):
    """Three grey dots, read from one byte each."""

    name = "tiny"
    title = "Tiny"
    licence = "none"
    source = "this test"
    page = "https://example.org/tiny"
    classes = ("dark", "light")
    splits = ("train", "made")
    sizes: ClassVar[dict[str, int]] = {"train": 3}
    needs: ClassVar[dict[str, tuple[tuple[str, ...], ...]]] = {"train": (("dots.bin", "points.bin"),)}
    files = (RemoteFile("dots.bin", ("https://example.org/dots.bin",), "md5:0"),)
    parsed: ClassVar[list[str]] = []

    def parse(self, raw: Path, split: str) -> Domain:
        self.parsed.append(split)
        values = np.frombuffer(self.official(raw, split).read_bytes() if split == "train" else b"\7", np.uint8)
        return self.domain(split, values.reshape(-1, 1, 1, 1), (values > 9).astype(int), notes=("A note.",))


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    Tiny.parsed.clear()


def place(content: bytes, name: str = "dots.bin") -> None:
    raw_folder("tiny").mkdir(parents=True, exist_ok=True)
    (raw_folder("tiny") / name).write_bytes(content)


def test_the_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path))
    assert data_home() == tmp_path
    monkeypatch.delenv("ACCLIMATE_DATA")
    assert data_home().name == "data"
    assert "acclimate" in data_home().parts


def test_load_reads_official_files_once_and_then_the_stored_arrays() -> None:
    place(bytes([1, 20, 3]))
    first = Tiny().load("train")
    again = Tiny().load("train")
    assert Tiny.parsed == ["train"]
    assert isinstance(again.inputs, np.memmap)
    assert again.content_hash == first.content_hash
    np.testing.assert_array_equal(again.inputs.ravel(), [1, 20, 3])
    np.testing.assert_array_equal(again.labels, [0, 1, 0])
    assert (again.classes, again.name, again.notes) == (("dark", "light"), "tiny/train", ("A note.",))
    assert Tiny().stored_examples("train") == 3


def test_stored_arrays_cannot_be_written_to() -> None:
    place(bytes([1, 20, 3]))
    with pytest.raises(ValueError, match="read-only"):
        Tiny().load("train").inputs[0] = 5


def test_another_of_the_names_will_do() -> None:
    place(bytes([1, 20, 3]), "points.bin")
    assert Tiny().missing("train") == ()
    assert len(Tiny().load("train")) == 3


def test_a_split_that_needs_nothing_is_made_on_the_spot() -> None:
    assert Tiny().is_here("made")
    assert len(Tiny().load("made")) == 1


def test_absent_data_are_refused_with_every_way_to_get_them() -> None:
    assert not Tiny().is_here("train")
    with pytest.raises(AbsentError, match="must be on this machine") as caught:
        Tiny().load("train")
    message = str(caught.value)
    assert "acclimate data get tiny." in message
    assert f"put dots.bin from https://example.org/tiny into {raw_folder('tiny')}" in message
    assert "import" not in message


def test_packed_data_are_also_offered_as_an_import() -> None:
    with pytest.raises(RequestError, match="acclimate data import FOLDER"):
        catalog.load("mnist", "train")


def test_an_unknown_split_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'train'"):
        Tiny().load("trian")


def test_an_unknown_data_set_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'mnist"):
        catalog.load("mnits", "train")


def test_a_file_with_too_few_examples_is_refused_and_nothing_is_stored() -> None:
    place(bytes([1, 20]))
    with pytest.raises(DataError, match="must have 3 examples; got 2"):
        Tiny().load("train")
    assert not arrays_folder("tiny", "train").exists()


def test_another_content_is_refused_with_both_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    place(bytes([1, 20, 3]))
    monkeypatch.setattr(Tiny, "content_hashes", {"train": "0123abcd"})
    with pytest.raises(DataError, match=r"must have the content hash 0123abcd; got [0-9a-f]{64}"):
        Tiny().load("train")
    assert not arrays_folder("tiny", "train").exists()


def test_the_first_examples_alone_can_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    place(bytes([1, 20, 3]))
    two = Domain(np.array([1, 20], np.uint8).reshape(2, 1, 1, 1), np.array([0, 1]), ("dark", "light"))
    monkeypatch.setattr(Tiny, "content_hashes", {"train[:2]": two.content_hash})
    assert len(Tiny().load("train")) == 3
    place(bytes([2, 20, 3]))
    with pytest.raises(DataError, match=r"tiny, train\[:2\]"):
        Tiny().store_official("train")


def test_arrays_of_another_version_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    place(bytes([1, 20, 3]))
    old = Tiny().load("train")
    place(bytes([4, 20, 3]))
    assert Tiny().load("train").content_hash == old.content_hash
    new = Domain(np.array([4, 20, 3], np.uint8).reshape(3, 1, 1, 1), np.array([0, 1, 0]), ("dark", "light"))
    monkeypatch.setattr(Tiny, "content_hashes", {"train": new.content_hash})
    assert Tiny().load("train").inputs[0, 0, 0, 0] == 4


def test_damaged_arrays_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    place(bytes([1, 20, 3]))
    Tiny().load("train")
    folder = arrays_folder("tiny", "train")
    (folder / "inputs.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(DataError, match="Delete that folder"):
        Tiny().load("train")
    (folder / "about.json").write_text("{}")
    with pytest.raises(DataError, match=r"about.json lacks .*content_hash"):
        Tiny().load("train")
    (folder / "about.json").write_text("{")
    with pytest.raises(DataError, match="Delete that folder"):
        Tiny().load("train")
    # Official files put it right, whatever was there.
    assert len(Tiny().store_official("train")) == 3
    assert json.loads((folder / "about.json").read_text())["made_from"] == "official files"


def test_storing_twice_leaves_one_folder_and_no_rest() -> None:
    domain = Domain(np.zeros((2, 3), np.float32), np.array([0, 1]), ("a", "b"), ids=("x", "y"))
    folder = arrays_folder("some", "train")
    storage.store(domain, folder, "here")
    inode = folder.stat().st_ino
    assert storage.store(domain, folder, "here").ids == ("x", "y")
    assert folder.stat().st_ino == inode, "the same content is left in place for those who have it open"
    storage.store(domain.take(slice(1)), folder, "there")
    assert [p.name for p in folder.parent.iterdir()] == ["train"]
    assert len(storage.load(folder)) == 1


def test_a_home_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path / "file"))
    with pytest.raises(WorkError, match="Set ACCLIMATE_DATA"):
        Tiny().load("made")


@pytest.mark.parametrize("name", discovery.datasets())
def test_every_data_set_states_its_facts(name: str) -> None:
    component = discovery.datasets()[name]
    data = component.load()()
    assert data.name == name
    assert component.fact("title") == data.title
    assert tuple(component.fact("splits")) == data.splits
    assert component.summary.endswith(".")
    assert all(isinstance(text, str) and text for text in (data.title, data.licence, data.source))
    assert len(set(data.classes)) == len(data.classes) > 1
    assert set(data.needs) <= set(data.splits)
    assert set(data.sizes) <= set(data.splits)
    assert set(data.optional) < set(data.splits)
    assert {key.partition("[")[0] for key in data.content_hashes} <= set(data.splits)
    assert all(len(value) == 64 for value in data.content_hashes.values())
    assert all(trap.endswith(".") for trap in data.traps)


@pytest.mark.parametrize("name", discovery.datasets())
def test_every_download_is_named_by_a_split_and_has_a_checksum(name: str) -> None:
    data = catalog.dataset(name)
    wanted = {file for names in data.needs.values() for alternatives in names for file in alternatives}
    for file in data.files:
        assert file.name in wanted
        assert file.urls
        assert all(url.startswith(("https://", "http://")) for url in file.urls)
        algorithm, _, digest = file.checksum.partition(":")
        assert len(digest) == {"md5": 32, "sha256": 64}[algorithm]
