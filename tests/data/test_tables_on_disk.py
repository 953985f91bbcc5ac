"""A table in several files, or larger than memory, is what it is when it is read whole, and takes no more memory."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acclimate.data import on_disk
from acclimate.data.block_statistics import medians, moments
from acclimate.data.domain import Domain
from acclimate.data.on_disk import RowsOnDisk
from acclimate.data.preprocess import Preprocess
from acclimate.data.readers import duplicates_between, read, read_table
from acclimate.data.readers.cell_parts import CellParts
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.inference import Wanted
from acclimate.data.readers.large_tables import read_in_parts
from acclimate.data.readers.sizes import memory_for_data
from acclimate.errors import RequestError, WorkError
from fuzzers import fuzzer  # type: ignore[import-not-found]

FUZZ = fuzzer("tables")
ROWS = 300


@pytest.fixture(autouse=True)
def nothing_is_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(on_disk, "_SMALL", 0)
    monkeypatch.setenv("ACCLIMATE_CACHE", str(tmp_path / "cache"))


def people(rows: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    weight = pl.Series(np.where(rng.random(rows) < 0.2, np.nan, rng.normal(70, 9, rows)).round(2)).fill_nan(None)
    return pl.DataFrame(
        {
            "patient_id": [f"P{seed}{i:05}" for i in range(rows)],
            "weight": weight,
            "steps": rng.integers(0, 10_000, rows),
            "ward": rng.choice(["north", "south", "east"], rows),
            "born": [f"19{rng.integers(30, 99)}-0{rng.integers(1, 9)}-11" for _ in range(rows)],
            "state": rng.choice(["ill", "well", ""], rows),
        }
    )


def told(domain: Domain) -> tuple[object, ...]:
    inputs = domain.inputs[:]
    assert isinstance(inputs, np.ndarray)
    return inputs.tobytes(), domain.labels.tolist(), domain.classes, domain.schema


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_in_a_folder_are_one_table(tmp_path: Path, suffix: str) -> None:
    whole, folder = people(ROWS, 1), tmp_path / "people"
    folder.mkdir()
    write = pl.DataFrame.write_csv if suffix == "csv" else pl.DataFrame.write_parquet
    write(whole, tmp_path / f"whole.{suffix}")
    for number, start in enumerate(range(0, ROWS, 110)):
        write(whole[start : start + 110], folder / f"part-{number}.{suffix}")
    one = read_table(tmp_path / f"whole.{suffix}", label_column="state", name="t")
    for path in (folder, f"{folder}/part-*.{suffix}"):
        assert told(read(path, label_column="state", name="t")) == told(one)
        assert told(read(path, label_column="state", name="t", memory="1kB")) == told(one)
    assert read(folder, label_column="state").ids == one.ids
    assert read(folder, label_column="state", memory="1kB").is_on_disk
    target = people(90, 2).with_columns(pl.col("ward").replace("east", "west"))
    write(target, tmp_path / f"target.{suffix}")
    like = read_table(tmp_path / f"target.{suffix}", like=one, name="t")
    found = read(tmp_path / f"target.{suffix}", like=one, name="t", memory="1kB")
    assert (*told(found)[:3], found.notes[:-1]) == (*told(like)[:3], like.notes)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(40, 400))
@example(1063, 40)  # a first part without a value
@example(8, 40)  # one where nothing but "-" stands
def test_the_source_means_in_parts_what_it_means_whole(seed: int, size: int) -> None:
    rng = Random(seed)
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(name) / "t.csv"
        FUZZ.csv_of(FUZZ.pair(rng)[0], rng, path, rng.choice(",;"))
        try:
            whole = read_table(path, name="t")
        except RequestError:
            return
        parts = CellParts(str(path), (path,), Dialect(), size)
        found = read_in_parts(parts, Wanted(), on_disk=False, name="t")
        assert found.schema == whole.schema
        assert told(found) == told(whole)
        assert found.ids == whole.ids


@pytest.fixture
def on_disk_and_in_memory(tmp_path: Path) -> tuple[Domain, Domain]:
    rng = np.random.default_rng(0)
    array = (rng.normal(size=(1000, 3)) * [1, 1e20, 1e-20]).astype(np.float32)
    array[rng.random(array.shape) < 0.2] = np.nan
    array.tofile(tmp_path / "rows.f32")
    labels = rng.integers(0, 2, 1000)
    held = Domain(array, labels, ("a", "b"), "t")
    return Domain(RowsOnDisk(tmp_path / "rows.f32", 3, 1000), labels, ("a", "b"), "t"), held


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_rows_on_disk_are_indexed_as_an_array_is(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 500))
    array = np.arange(3 * n, dtype=np.float32).reshape(n, 3)
    with tempfile.TemporaryDirectory() as name:
        array.tofile(Path(name) / "rows")
        rows: object = RowsOnDisk(Path(name) / "rows", 3, n)
        for _ in range(2):  # a choice of a choice is one
            assert isinstance(rows, RowsOnDisk)
            assert rows.shape == array.shape
            start, stop = sorted((data.draw(st.integers(0, n)), data.draw(st.integers(0, n))))
            assert (rows[start:stop] == array[start:stop]).all()
            if len(array):
                index = np.array(data.draw(st.lists(st.integers(0, len(array) - 1), max_size=20)), dtype=np.int64)
                assert (rows[index] == array[index]).all()
            mask = np.random.default_rng(n).random(len(array)) < 0.6
            assert (rows[mask] == array[mask]).all()
            rows, array = rows.take(np.flatnonzero(mask)), array[mask]


def test_statistics_are_those_of_the_whole(on_disk_and_in_memory: tuple[Domain, Domain]) -> None:
    lying, held = on_disk_and_in_memory
    one, two = (Preprocess.of_features([domain, domain.take(slice(400))]) for domain in on_disk_and_in_memory)
    assert lying.content_hash == held.content_hash
    assert one.gaps is not None
    assert two.gaps is not None
    assert one.gaps.model_dump() == two.gaps.model_dump()  # medians are exact
    np.testing.assert_allclose(one.mean, two.mean, rtol=1e-12)
    np.testing.assert_allclose(one.std, two.std, rtol=1e-12)
    assert duplicates_between(lying, held.take(slice(70))) == duplicates_between(held, held.take(slice(70)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_medians_and_moments_of_blocks(n: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(n, 5)) * 10.0 ** rng.integers(-20, 20, 5)).round(1).astype(np.float32)
    y = np.where(rng.random(x.shape) < 0.4, np.nan, x).astype(np.float32)
    y[:, 4] = np.nan

    def blocks(array: np.ndarray) -> list[np.ndarray]:
        return [array[i : i + size] for i in range(0, n, size)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, at a column of NaN
        np.testing.assert_array_equal(medians(lambda: iter(blocks(y)), 5), np.nanmedian(y, axis=0))
    mean, std, least, largest = moments(lambda: iter(blocks(x)))
    wide = x.astype(np.float64)
    np.testing.assert_allclose(mean, wide.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, wide.std(axis=0), rtol=1e-9, atol=1e-12 * np.abs(wide).max())
    assert (least == x.min(axis=0)).all()
    assert (largest == x.max(axis=0)).all()


def test_a_file_that_was_cut_short_is_named(on_disk_and_in_memory: tuple[Domain, Domain], tmp_path: Path) -> None:
    lying, _ = on_disk_and_in_memory
    (tmp_path / "rows.f32").write_bytes((tmp_path / "rows.f32").read_bytes()[:100])
    with pytest.raises(WorkError, match=r"rows\.f32 is shorter than it was"):
        lying.inputs[0:50]


def test_what_was_kept_is_read_again_where_it_is_damaged(tmp_path: Path) -> None:
    people(ROWS, 1).write_csv(tmp_path / "t.csv")
    first = read(tmp_path / "t.csv", label_column="state", memory="1kB")
    (kept,) = (tmp_path / "cache" / "tables").iterdir()
    (kept / "rows.f32").write_bytes(b"")
    assert told(read(tmp_path / "t.csv", label_column="state", memory="1kB")) == told(first)
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


@pytest.mark.parametrize(("asked", "size"), [("2GB", 2 * 10**9), ("1.5 MiB", 1_500_000), ("700", 700), ("1k", 1000)])
def test_sizes(asked: str, size: int) -> None:
    assert memory_for_data(asked) == size


@pytest.mark.parametrize("asked", ["", "much", "-1GB", "0", "1PB", "1e9"])
def test_what_is_no_size_is_refused(asked: str) -> None:
    with pytest.raises(RequestError, match="memory must be a size such as 2GB"):
        memory_for_data(asked)


def test_ranges_and_texts_are_refused(tmp_path: Path) -> None:
    people(ROWS, 1).write_csv(tmp_path / "t.csv")
    with pytest.raises(RequestError, match="bins must not be asked of a table that is larger than memory"):
        read(tmp_path / "t.csv", label_column="steps", bins=3, memory="1kB")
    with pytest.raises(RequestError, match="text_column applies to one table only"):
        read(f"{tmp_path}/t*.csv", text_column="ward")
