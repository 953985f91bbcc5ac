"""The door for labels: what is one class, what is none, what is refused, and that every door says so alike."""

from __future__ import annotations

import json
import math
import re
import unicodedata
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import acclimate as ac
from acclimate.data.bins import Bins
from acclimate.data.class_names import measured, name_key, places_in, together
from acclimate.data.domain import Domain
from acclimate.data.pairs import paired
from acclimate.data.readers import from_arrays, read, read_arrays, read_table, read_texts
from acclimate.data.readers.labels import read_labels
from acclimate.data.task import Task
from acclimate.errors import DataError, DataWarning, RequestError

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def names(domain: Any) -> list[str]:
    indices = domain.labels if isinstance(domain, Domain) else domain.indices
    return [domain.classes[i] if i >= 0 else "" for i in indices]


@pytest.mark.parametrize(
    "y",
    [
        [3, None, 5],
        [3, math.nan, 5.0],
        ["3", "", " 5 "],
        ["3.0", -1, "5"],
        [np.int8(3), np.float32("nan"), Decimal("5")],
        pd.Series([3, None, 5], dtype="Int64"),
        pd.Series(["3", None, "5"], dtype="string"),
        pd.Series(["3", pd.NA, "5"], dtype=object),
        pd.Series([3, pd.NaT, 5], dtype=object),
        pd.Categorical(["3", None, "5"]),
        pl.Series([3, None, 5]),
        pl.DataFrame({"y": ["3", None, "5"]}),
        np.ma.array([3, 9, 5], mask=[0, 1, 0]),
        np.array([[3], [-1], [5]]),
        np.array(["3", "", "5"], dtype=np.dtypes.StringDType()),
        np.array([b"3", b"", b"5"]),
    ],
    ids=lambda y: f"{type(y).__name__} {getattr(y, 'dtype', '')}",
)
def test_what_is_missing_is_no_label(y: Any) -> None:
    assert names(read_labels(y, 3, "y")) == ["3", "", "5"]


def every_door(y: list[Any], folder: Path) -> dict[str, Any]:
    """The same labels through each door, with its name."""
    X = np.zeros((len(y), 2), dtype=np.float32)
    np.savez(folder / "a.npz", X=X, y=np.array(y))
    pl.DataFrame({"x": X[:, 0], "y": y}, strict=False).write_parquet(folder / "a.parquet")
    pl.DataFrame({"x": X[:, 0], "y": y}, strict=False).write_csv(folder / "a.csv")
    lines = [json.dumps({"text": "t", "label": value}) for value in y]
    (folder / "a.jsonl").write_text("\n".join(lines))
    return {
        "arrays": lambda: from_arrays(X, y),
        "pair": lambda: paired((X, y), X).source,
        ".npz": lambda: read_arrays(folder / "a.npz"),
        "Parquet": lambda: read_table(folder / "a.parquet", label_column="y"),
        "CSV": lambda: read_table(folder / "a.csv", label_column="y"),
        "JSON lines": lambda: read_texts(folder / "a.jsonl"),
    }


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([3, -1, 5, 10], ["3", "", "5", "10"]),
        ([-1, 0, 1, 1], ["", "0", "1", "1"]),
        ([1.5, 2.5, 1.5, -1.0], ["1.5", "2.5", "1.5", ""]),
        (["-1", "a", COMPOSED, DECOMPOSED], ["", "a", COMPOSED, COMPOSED]),
        ([True, False, True, True], ["true", "false", "true", "true"]),
        ([-2, 3, 3, -2], ["-2", "3", "3", "-2"]),
        ([1e20, 0.0, 1e20, 1e15], ["1e+20", "0", "1e+20", "1000000000000000"]),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::acclimate.errors.DataWarning")
def test_every_door_says_the_same(y: list[Any], expected: list[str], tmp_path: Path) -> None:
    for door, call in every_door(y, tmp_path).items():
        assert [*map(name_key, names(call()))] == [*map(name_key, expected)], door


@pytest.mark.parametrize("y", [[-2, -1, 0, 1], [-1.5, -1.0, 1.5, 2.5]])
def test_every_door_refuses_minus_one_beside_other_negative_numbers(y: list[Any], tmp_path: Path) -> None:
    for call in every_door(y, tmp_path).values():
        with pytest.raises(DataError, match=r"must not hold −1, which means no label, .*--bins 3"):
            call()


def test_minus_one_beside_nought_and_one_is_told(tmp_path: Path) -> None:
    y = [-1, 0, 1, 1, 0]
    told = "1 of 5 labels are −1, which means no label; if −1 is a class beside 0 and 1, give it another name"
    for door, call in every_door(y, tmp_path).items():
        if door == "pair":
            with pytest.warns(DataWarning, match=told):
                call()
        else:
            assert any(told in note for note in call().notes), door
    assert not any("means no label" in note for note in from_arrays(np.zeros((3, 1)), [-1, 0, 2]).notes)


def test_minus_one_and_one_leave_one_class_and_the_refusal_says_why() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    with (
        pytest.warns(DataWarning, match="means no label"),
        pytest.raises(
            DataError, match="only the class '1'.* A label −1, NA or null is none; if it is a class, give it"
        ),
    ):
        ac.SourceOnly(steps=1).fit((X, np.repeat([-1, 1], 10)), X)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(80) / 7, True),  # eighty real numbers
        (np.repeat([1.5, 2.5], 40), False),
        (np.tile(np.arange(1, 11) / 2, 8), False),  # half stars
        (np.tile(np.arange(30) / 2, 30), True),
        ([0.1, 0.2, 0.3], False),  # too few to tell
        (np.arange(80) % 40, False),
        (np.arange(80), False),  # numbered
        (np.arange(80) * 3, True),  # prices
        (np.tile(np.arange(0, 300, 3), 20), False),  # numbers of people, many pictures each
        (["a", "b"], False),
    ],
)
def test_what_looks_measured(values: Any, expected: bool) -> None:
    labels = read_labels(list(values), len(values), "y")
    assert measured(labels.classes, len(values)) == expected


def test_a_number_to_predict_is_recognised_in_python_and_in_every_file(tmp_path: Path) -> None:
    y = (np.random.default_rng(0).gamma(3, 7, 60)).round(1).tolist()
    for call in every_door(y, tmp_path).values():
        domain = call()
        with pytest.raises(DataError, match=r"must be classes, .* different numbers .*--bins 3, in Python bins=3"):
            Task(domain, domain)


# --- ranges


def test_ranges_are_of_equal_size_and_read_well() -> None:
    values = np.random.default_rng(0).normal(20, 5, 300).round(1)
    bins = Bins.of(values, 3, "y")
    assert np.bincount(bins.indices(values)).tolist() == pytest.approx([100, 100, 100], abs=5)
    low, middle, high = bins.classes
    assert low == f"≤ {bins.edges[0]:g}"
    assert middle == f"{bins.edges[0]:g} – {bins.edges[1]:g}"
    assert high == f"> {bins.edges[1]:g}"
    assert bins.indices(np.array([bins.edges[0], np.nextafter(bins.edges[0], 99), math.nan])).tolist() == [0, 1, -1]


def test_equal_values_make_fewer_ranges_none_of_which_is_empty() -> None:
    values = np.array([0.0] * 90 + [1.0] * 5 + [2.0] * 5)
    assert (np.bincount(Bins.of(values, 4, "y").indices(values)) > 0).all()
    with pytest.raises(DataError, match="must differ enough to make 3 ranges"):
        Bins.of(np.full(10, 7.0), 3, "y")
    with pytest.raises(DataError, match="must differ enough to make 3 ranges of equal size; got none"):
        Bins.of(np.full(10, math.nan), 3, "y")


@pytest.mark.parametrize("count", [0, 1, 101, True, 2.5, "3"])
def test_a_number_of_ranges_that_is_none(count: Any) -> None:
    with pytest.raises(RequestError, match="bins must be a whole number from 2 to 100"):
        Bins.of(np.arange(9.0), count, "y")


def test_every_door_makes_the_sources_ranges_and_holds_the_target_to_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = [*rng.gamma(3, 7, 60).round(1).tolist(), -1.0]  # which is a number here
    every_door(y, tmp_path)
    files = {"a.npz": {}, "a.parquet": {"label_column": "y"}, "a.csv": {"label_column": "y"}, "a.jsonl": {}}
    made = {name: read(tmp_path / name, bins=3, **options) for name, options in files.items()}
    assert len({domain.bins for domain in made.values()}) == 1
    for domain in made.values():
        assert names(domain) == names(made["a.npz"])
        assert "" not in names(domain)
    edges = made["a.csv"].bins.edges
    (tmp_path / "b.csv").write_text(f"x,y\n0,{edges[0]}\n0,{edges[1] + 1}\n0,\n")
    target = read(tmp_path / "b.csv", like=made["a.csv"])
    assert names(target) == [made["a.csv"].classes[0], made["a.csv"].classes[2], ""]
    (tmp_path / "folder").mkdir()
    with pytest.raises(RequestError, match="bins applies to tables"):
        read(tmp_path / "folder", bins=3)


@pytest.mark.parametrize("y", [["a"] * 6, [True] * 6, [math.inf] * 6, [[1]] * 5 + [[]]])
def test_no_ranges_of_what_is_no_number(y: Any) -> None:
    with pytest.raises(DataError, match="must be finite numbers to make ranges of"):
        read_labels(y, 6, "y", 3)


def test_ranges_in_python() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)).astype(np.float32)
    y = 10 * X[:, 0] + rng.normal(size=200)
    options = {"steps": 60, "batch_size": 32, "lr": 1e-2, "precision": "fp32", "bins": 3}
    model = ac.SourceOnly(**options).fit((X, y), X)
    assert model.score(X, y) > 0.8
    assert model.score(X, y) == model.score(X, model.classes_[np.searchsorted(model._bins.edges, y)])
    assert model.get_params()["bins"] == 3
    sides = np.repeat([1, -1], 100)
    stacked = ac.SampleDomainAdapter(ac.SourceOnly(**options)).fit(X, y, sides)
    assert stacked.classes_[0] == f"≤ {np.sort(y[:100])[33]:.6g}"  # of the source's rows alone
    assert stacked.score(X, y, sample_domain=sides) > 0.7
    with pytest.raises(DataError, match="bins applies to arrays only"):
        ac.SourceOnly(bins=3).fit(from_arrays(X, np.arange(200) % 2), X)


# --- names


def test_names_are_compared_in_unicodes_normal_form_and_written_as_found(tmp_path: Path) -> None:
    for side, word in (("source", COMPOSED), ("target", DECOMPOSED)):
        for name in (word, "bar"):
            folder = tmp_path / side / name
            folder.mkdir(parents=True)
            for i in range(3):
                (folder / f"{i}.txt").write_text(f"{name} {i} good")
    source, target = (read(tmp_path / side, name=side) for side in ("source", "target"))
    task = Task(source, target)
    assert task.classes == ("bar", COMPOSED)
    assert task.hidden.target.tolist() == [0, 0, 0, 1, 1, 1]
    assert not any("Only the" in note for note in task.notes)
    assert target.classes == ("bar", DECOMPOSED)
    assert task.with_label_budget(1).target.num_labelled == 2


def test_two_folders_of_one_name_are_one_class_and_that_is_told(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED, "bar"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text("good")
    if len(list(tmp_path.iterdir())) == 2:
        pytest.skip("this file system knows only one of the names")
    domain = read(tmp_path)
    assert len(domain.classes) == 2
    assert sorted(domain.labels.tolist()) == [0, 1, 1]
    assert any("spelt in 2 ways that mean the same" in note for note in domain.notes)
    with pytest.raises(DataError, match="classes must have different names"):
        Domain(np.zeros((1, 2), np.float32), classes=(COMPOSED, DECOMPOSED))


def test_models_know_classes_by_either_spelling() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    X[10:] += 6
    y = np.repeat([COMPOSED, "bar"], 10)
    model = ac.SourceOnly(steps=60, lr=0.01, batch_size=8).fit((X, y), X)
    assert model.score(X, y) == model.score(X, np.repeat([DECOMPOSED, "bar"], 10)) > 0.9
    assert set(model.predict(X)) <= {COMPOSED, "bar"}
    few = np.where(np.arange(20) % 3, "", np.repeat([DECOMPOSED, "bar"], 10))
    ac.SourceOnly(steps=1).fit((X, y), (X, few))


def test_places() -> None:
    assert places_in(("a", COMPOSED), (DECOMPOSED, "b", "a"), absent=9).tolist() == [1, 9, 0, -1]
    assert together(("a", COMPOSED), (DECOMPOSED, "b", "a", "b")) == ("a", COMPOSED, "b")
    assert name_key("TRUE") == name_key("true") != name_key("Tru")


SIGNS = ["NA", "na", "N/A", "n.a.", "NaN", "null", "NULL", "<NA>", "NaT", "?", "#N/A"]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.filterwarnings("ignore::acclimate.errors.DataWarning")
def test_what_is_written_for_no_value_is_no_label_at_every_door(sign: str, tmp_path: Path) -> None:
    y = ["a", sign, "b", f" {sign} "]
    for door, call in every_door(y, tmp_path).items():
        assert names(call()) == ["a", "", "b", ""], door
    for column in (np.array(y), pd.Series(y, dtype="string"), pd.Categorical(y), pl.Series(y), pa.array(y)):
        assert names(read_labels(column, 4, "y")) == ["a", "", "b", ""], type(column)


@pytest.mark.parametrize("sign", ["NA", "?"])
def test_how_many_are_no_label_for_what_is_written_is_told_at_every_door(sign: str, tmp_path: Path) -> None:
    y = ["a", sign, "b", sign, "a"]
    told = f"2 of 5 labels are {sign!r}, which means no label; if it is a class, give it another name"
    for door, call in every_door(y, tmp_path).items():
        if door == "pair":
            with pytest.warns(DataWarning, match=re.escape(told)):
                call()
        else:
            assert any(told in note for note in call().notes), door
    X, sides = np.random.default_rng(0).normal(size=(10, 2)), np.repeat([1, -1], 5)
    model = ac.SampleDomainAdapter(ac.SourceOnly(steps=1, precision="fp32"))
    with pytest.warns(DataWarning, match=re.escape(told)):
        model.fit(X, [*y, *["a"] * 5], sides)  # those of the source alone are counted
    assert list(model.classes_) == ["a", "b"]
    assert not any("no label" in note for note in from_arrays(X[:3], ["a", "", None]).notes)


@pytest.mark.parametrize("sign", ["None", "nil", "-", "--", "."])
def test_beside_numbers_these_are_no_label_and_beside_words_they_are_classes(sign: str, tmp_path: Path) -> None:
    numbers, words = ["1", sign, "2", "1"], ["+", sign, "mild", "+"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for door, call in every_door(numbers, tmp_path).items():
            assert names(call()) == ["1", "", "2", "1"], door
        for door, call in every_door(words, tmp_path).items():
            assert names(call()) == words, door
    assert names(read_labels([sign] * 3, 3, "y")) == [sign] * 3


@pytest.mark.parametrize("sign", ["NA", "none", "-", b"NA", ""])
def test_what_is_written_for_no_number_has_no_range(sign: Any) -> None:
    assert names(read_labels([1.0, sign, 2.0, 3.0], 4, "y", 2)) == ["≤ 2", "", "≤ 2", "> 2"]


@pytest.mark.parametrize("name", ["None", "nil", "missing"])
def test_names_that_look_missing_are_told(name: str) -> None:
    domain = from_arrays(np.zeros((2, 1)), [name, "a"])
    assert any(f"{name!r} is taken for the name of a class" in note for note in domain.notes)


def test_a_folder_is_a_class_whatever_it_is_called(tmp_path: Path) -> None:
    """Somebody put the files there."""
    for name in ("EU", "NA"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("a text")
    domain = read_texts(tmp_path)
    assert domain.classes == ("EU", "NA")
    assert any("'NA' is taken for the name of a class" in note for note in domain.notes)


# --- shapes


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.eye(6)[:, :3], r"must have shape \(6,\), .*got \(6, 3\).*y.argmax\(axis=1\)"),
        (np.zeros((6, 0)), r"got \(6, 0\)"),
        (np.zeros((1, 6)), r"got \(1, 6\)"),
        (5, r"got \(\)"),
        ("abcdef", r"got \(\)"),
        (None, "must come with labels"),
        ({"a": 1}, r"got \(\)"),
        (pd.to_datetime(["2020-01-01"] * 6), r"datetime64.* in row 0"),
        ([10**5000] * 6, "a int in row 0"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels_of_another_shape_or_kind_are_refused(y: Any, words: str) -> None:
    X = np.zeros((6, 2), dtype=np.float32)
    with pytest.raises(DataError, match=words):
        ac.SourceOnly(steps=1).fit((X, y), X)


def test_a_column_of_labels_is_taken_with_scikit_learns_warning_and_answers_are_flat() -> None:
    from sklearn.exceptions import DataConversionWarning

    X = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    y = (np.arange(20) % 2)[:, None]
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        model = ac.SourceOnly(steps=1).fit((X, y), X)
    assert model.predict(X).shape == (20,)
    assert model.score(X, y) == model.score(X, y.ravel())
