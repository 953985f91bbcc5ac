"""`acclimate data list|info|get|export|import`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from acclimate.cli.data import app
from acclimate.data import catalog, storage
from acclimate.data.home import arrays_folder, data_home
from acclimate.discovery import datasets
from acclimate.errors import DataError, RequestError, UnknownNameError


def run(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines()), default=0) <= 80 or "--json" in arguments or "/" in result.stdout
    return str(result.stdout)


def test_list_names_every_data_set_and_says_which_are_here() -> None:
    printed = run("list")
    rows = {line.split()[0]: line.split()[-1] for line in printed.splitlines() if line and line[0].isalpha()}
    assert set(datasets()) <= set(rows)
    assert (rows["digits"], rows["mnist"]) == ("yes", "no")
    assert "data info NAME" in printed


def test_list_breaks_no_split_in_two_on_a_narrow_screen() -> None:
    words = {word.rstrip(",") for word in run("list").split()}
    assert {split for name in datasets() for split in catalog.dataset(name).splits} <= words


def test_list_as_json_says_it_split_by_split() -> None:
    domain = catalog.dataset("mnist").domain("test", np.zeros((1, 28, 28, 1), np.uint8), np.array([0]))
    storage.store(domain, arrays_folder("svhn", "test"), "here")
    facts = {fact["name"]: fact for fact in json.loads(run("list", "--json"))}
    assert facts["svhn"]["splits"] == {"train": False, "test": True, "extra": False}
    assert facts["digits"]["title"] == "Digits (scikit-learn)"
    assert "some" in next(line for line in run("list").splitlines() if line.startswith("svhn"))


@pytest.mark.parametrize("name", datasets())
def test_info_tells_what_there_is_to_know(name: str) -> None:
    printed, data = " ".join(run("info", name).split()), catalog.dataset(name)
    for text in (data.title, data.licence, data.source, *data.splits):
        assert text in printed
    for trap in data.traps:
        assert trap.split()[0] in printed


def test_info_says_how_to_get_what_is_not_here_and_how_much_is() -> None:
    assert "Run: acclimate data get mnist." in run("info", "mnist")
    domain = catalog.dataset("svhn").domain("test", np.zeros((1234, 2, 2, 1), np.uint8), np.zeros(1234, int))
    storage.store(domain, arrays_folder("svhn", "test"), "a part")
    row = next(line.split() for line in run("info", "svhn").splitlines() if line.startswith("test"))
    assert row[1:3] == ["26,032", "1,234"]
    assert "acclimate data get" not in run("info", "digits")


def test_info_as_json_has_the_addresses_and_hashes() -> None:
    facts = json.loads(run("info", "mnist", "--json"))
    assert facts["examples"] == {"train": 60000, "test": 10000}
    assert facts["files"][0]["urls"][0].endswith("train-images-idx3-ubyte.gz")
    assert facts["content_hashes"]["test"].startswith("1153a1cd")
    assert len(facts["classes"]) == 10


def test_get_makes_ready_what_needs_no_download() -> None:
    printed = run("get", "digits", "--split", "test")
    assert printed.startswith(f"test: 360 examples in {arrays_folder('digits', 'test')}")
    assert not arrays_folder("digits", "train").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        (("info", "mnits"), UnknownNameError, "Did you mean 'mnist'"),
        (("get", "digits", "--split", "tets"), UnknownNameError, "Did you mean 'test'"),
        (("get", "office_caltech10"), RequestError, "no lasting address"),
        (("get", "amazon_reviews"), RequestError, r"comes as a pack; got no .* Take it from a folder of packs"),
        (("import", "nowhere"), DataError, "must be a folder of packs"),
    ],
)
def test_mistakes_are_errors_of_the_request(arguments: tuple[str, ...], error: type[Exception], rule: str) -> None:
    with pytest.raises(error, match=rule) as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert caught.value.exit_code == 2  # type: ignore[attr-defined]


def test_import_says_what_became_of_each_file(tmp_path: Path) -> None:
    for file in ("encoders/net.bin", "text/reviews.gz"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_bytes(b"content")
    printed = run("import", str(tmp_path))
    assert "imported      encoder net.bin (encoders/net.bin)" in printed
    assert "Not needed yet:\n- text/reviews.gz" in printed
    assert f"Everything is in {data_home()}" in printed
    assert "already here  encoder net.bin" in run("import", str(tmp_path))


def test_export_writes_pictures_that_are_read_back_alike(tmp_path: Path) -> None:
    from acclimate.data.readers import read_images

    assert "Wrote 360 pictures" in run("export", "digits", str(tmp_path / "out"), "--split", "test")
    original, read = catalog.load("digits", "test"), read_images(tmp_path / "out")
    order = np.argsort(original.labels, kind="stable")
    np.testing.assert_array_equal(read.array, original.array[order])
    np.testing.assert_array_equal(read.labels, original.labels[order])


def test_export_refuses_features_and_folders_in_use(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("mine")
    rules = {"used": "must be a new or empty folder", "missing/new": "must lie in a folder that exists"}
    for folder, rule in rules.items():
        with pytest.raises(RequestError, match=rule):
            run("export", "digits", str(tmp_path / folder))
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["mine.txt"]
