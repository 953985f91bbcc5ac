from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from acclimate.data.domain import Domain
from acclimate.data.readers import duplicates_between, from_arrays, read
from acclimate.data.task import Task
from acclimate.errors import RequestError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one of each kind of data."""
    for label in ("cat", "dog"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        Image.new("RGB", (20, 20), "red").save(tmp_path / "photos" / label / "1.png")
    table = pl.DataFrame({"a": [1.0, 2.0], "kind": ["x", "y"]})
    table.write_csv(tmp_path / "table.csv")
    table.write_csv(tmp_path / "table.TSV", separator="\t")
    table.write_parquet(tmp_path / "table.parquet")
    np.savez(tmp_path / "arrays.npz", X=np.zeros((2, 3)), y=[0, 1])
    return tmp_path


def test_the_kind_of_data_follows_from_the_path(data: Path) -> None:
    assert repr(read(data / "photos")).startswith("Domain('photos': 2 images of 20×20×3, 2 labelled")
    assert read(data / "photos", image_size=8, name="n").inputs.shape == (2, 8, 8, 3)
    for table in ("table.csv", "table.TSV", "table.parquet"):
        domain = read(str(data / table), label_column="kind")
        assert domain.classes == ("x", "y")
        assert domain.inputs.tolist() == [[1], [2]]
    assert read(data / "arrays.npz", name="features").name == "features"


def test_a_folder_whose_name_ends_like_a_table_is_a_folder(data: Path) -> None:
    (data / "photos").rename(data / "photos.csv")
    assert read(data / "photos.csv").kind == "images"


def test_a_second_table_is_read_like_the_first(data: Path) -> None:
    source = read(data / "table.csv", label_column="kind")
    target = read(data / "table.parquet", label_column="kind", like=source)
    task = Task(source, target)
    assert task.hidden.target.tolist() == [0, 1]
    assert read(data / "table.csv", like=source.schema).content_hash == source.content_hash


def test_a_path_that_is_not_there(data: Path) -> None:
    with pytest.raises(RequestError, match=r"must be a folder or file that exists; got '.*foto'. Check the spelling"):
        read(data / "deep" / "foto")
    with pytest.raises(RequestError, match=r"got '.*photo'. Did you mean '.*photos'"):
        read(data / "photo")


@pytest.mark.parametrize("name", ["image.png", "table.xlsx", "array.npy", "nothing"])
def test_a_file_of_an_unknown_kind(data: Path, name: str) -> None:
    (data / name).touch()
    with pytest.raises(
        RequestError,
        match=rf"a folder of images or of .txt files, or a file ending in .*\.mat; got '.*{name}'. Give the",
    ):
        read(data / name)


def test_options_that_do_not_apply(data: Path) -> None:
    for path in ("photos", "arrays.npz"):
        with pytest.raises(
            RequestError, match=r"label_column applies to tables and .jsonl files only; .* Leave label_column out"
        ):
            read(data / path, label_column="kind")
    for path in ("table.csv", "arrays.npz"):
        with pytest.raises(RequestError, match="image_size applies to folders of images only"):
            read(data / path, image_size=8)


def test_options_may_be_meant_for_the_source(data: Path) -> None:
    source = read(data / "table.csv", label_column="kind")
    assert len(read(data / "arrays.npz", label_column="kind", like=source)) == 2


def domain(rows: list[list[float]]) -> Domain:
    return from_arrays(np.array(rows, dtype=np.float32))


def test_examples_of_one_domain_in_another_are_counted() -> None:
    a = domain([[1, 2], [3, 4], [0.0, 5]])
    assert duplicates_between(a, domain([[3, 4], [9, 9], [3, 4], [-0.0, 5]])) == 3
    assert duplicates_between(domain([[3, 4], [9, 9], [3, 4]]), a) == 1
    assert duplicates_between(a, domain([[2, 1], [4, 3]])) == 0


def test_equal_images_are_found_across_chunks() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5000, 2, 2, 3), dtype=np.uint8)
    a, b = from_arrays(pixels), from_arrays(pixels[::-50])
    assert duplicates_between(a, b) == 100
    assert duplicates_between(a, from_arrays(255 - pixels[:0:-50])) == len(
        {p.tobytes() for p in pixels} & {p.tobytes() for p in 255 - pixels[:0:-50]}
    )


def test_domains_of_different_form_share_nothing() -> None:
    grey, colour = np.zeros((2, 4, 4, 1), dtype=np.uint8), np.zeros((2, 4, 4, 3), dtype=np.uint8)
    assert duplicates_between(from_arrays(grey), from_arrays(colour)) == 0
    assert duplicates_between(from_arrays(grey), domain([[0, 0]])) == 0
