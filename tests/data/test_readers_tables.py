from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acclimate.data.domain import Domain
from acclimate.data.readers import from_arrays, read_table
from acclimate.data.readers.given import Fields, held_to
from acclimate.data.schema import Column, TableSchema
from acclimate.data.task import Task
from acclimate.errors import DataError, RequestError

BASIC = "size,colour,kind\n1.5,red,cat\n-2,blue,dog\n3e2,red,\n"


def csv_file(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def parquet(folder: Path, name: str = "table.parquet", **columns: Any) -> Path:
    pl.DataFrame(columns).write_parquet(folder / name)
    return folder / name


@pytest.fixture
def source(tmp_path: Path) -> Domain:
    return read_table(csv_file(tmp_path, BASIC, "source.csv"), label_column="kind")


# --- known answers


def test_numbers_categories_and_labels(source: Domain) -> None:
    assert source.name == "source"
    assert source.inputs.dtype == np.float32
    assert source.inputs.tolist() == [[1.5, 0, 1], [-2, 1, 0], [300, 0, 1]]
    assert source.labels.tolist() == [0, 1, -1]
    assert source.classes == ("cat", "dog")
    assert source.notes == ()
    assert source.schema == TableSchema(
        columns=(
            Column(name="size", kind="numeric"),
            Column(name="colour", kind="categorical", categories=("blue", "red")),
        ),
        label_column="kind",
    )
    assert source.schema.width == 3


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (BASIC, "a.csv"),
        ("\ufeff" + BASIC, "a.csv"),
        (BASIC.replace(",", ";"), "a.csv"),
        (BASIC.replace(",", ";").replace("1.5", "1,5"), "a.csv"),
        (BASIC.replace(",", "\t"), "a.CSV"),
        (BASIC.replace(",", "\t"), "a.tsv"),
        (BASIC.replace("\n", "\r\n"), "a.csv"),
        (BASIC.replace(",", " , "), "a.csv"),
        ('"size","colour","kind"\n"1.5","red","cat"\n"-2","blue","dog"\n"3e2","red",""\n', "a.csv"),
        (BASIC.rstrip("\n"), "a.csv"),
    ],
    ids=[
        "plain",
        "bom",
        "semicolons",
        "decimal commas",
        "tabs",
        "tsv",
        "windows",
        "spaces",
        "quotes",
        "no last newline",
    ],
)
def test_dialects_of_csv_read_the_same(tmp_path: Path, source: Domain, text: str, name: str) -> None:
    domain = read_table(csv_file(tmp_path, text, name), label_column="kind")
    assert domain.content_hash == source.content_hash
    assert (domain.classes, domain.schema.names, domain.notes) == (source.classes, source.schema.names, ())


def test_parquet_reads_the_same(tmp_path: Path, source: Domain) -> None:
    path = parquet(tmp_path, size=[1.5, -2, 300], colour=["red", "blue", "red"], kind=["cat", "dog", None])
    domain = read_table(path, label_column="kind")
    assert domain.content_hash == source.content_hash
    assert domain.schema == source.schema


def test_without_a_label_column_everything_is_a_feature(tmp_path: Path) -> None:
    domain = read_table(csv_file(tmp_path, "a,b\n1,2\n3,4\n"), name="mine")
    assert domain.name == "mine"
    assert domain.inputs.tolist() == [[1, 2], [3, 4]]
    assert domain.labels.tolist() == [-1, -1]
    assert domain.classes == ()


def test_kinds_of_numbers_in_parquet(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        i=pl.Series([1, 2], dtype=pl.UInt8),
        f=pl.Series([0.5, 2], dtype=pl.Float32),
        b=[True, False],
        d=pl.Series(["1.25", "2"]).cast(pl.Decimal(10, 2)),
    )
    assert read_table(path).inputs.tolist() == [[1, 0.5, 1, 1.25], [2, 2, 0, 2]]


def test_kinds_of_text_in_parquet(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        c=pl.Series(["x", "y"], dtype=pl.Categorical),
        e=pl.Series(["v", "u"], dtype=pl.Enum(["v", "u", "w"])),
        digits=["1", "2"],
    )
    assert read_table(path).inputs.tolist() == [[1, 0, 0, 1, 1], [0, 1, 1, 0, 2]]


def test_true_and_false_are_numbers(tmp_path: Path) -> None:
    assert read_table(csv_file(tmp_path, "a,b\nTrue,false\nFALSE,true\n")).inputs.tolist() == [[1, 0], [0, 1]]


def test_a_constant_column_is_noted(tmp_path: Path) -> None:
    domain = read_table(csv_file(tmp_path, "a,b,c\n1,x,1\n1,x,2\n"), name="t")
    assert domain.notes == (
        "t: column 'a' has the same value in every row.",
        "t: column 'b' has the same value in every row.",
    )


def test_what_is_missing_is_nan_in_all_features_of_its_column(tmp_path: Path) -> None:
    domain = read_table(csv_file(tmp_path, "a,b,c\nx,1,2024-01-01\n,2,\ny,,2024-01-03\n"))
    assert domain.schema.columns[0].categories == ("x", "y")
    assert np.isnan(domain.inputs).tolist() == [
        [False] * 6,
        [True, True, False, True, True, True],
        [False, False, True, False, False, False],
    ]


def test_runs_of_before_took_an_empty_text_for_a_value_of_its_own(tmp_path: Path) -> None:
    before = TableSchema(columns=(Column(name="a", kind="categorical", categories=("", "x")),))
    assert read_table(csv_file(tmp_path, "a,b\nx,1\n,2\n"), like=before).inputs.tolist() == [[0, 1], [1, 0]]


def test_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    expected = [[7.0], [8.0]]
    for header in (",a", '"",a', "Unnamed: 0,a", " ,a"):
        domain = read_table(csv_file(tmp_path, f"{header}\n0,7\n1,8\n"))
        assert domain.inputs.tolist() == expected
        assert "without a name were left out: 1." in domain.notes[0]
    assert read_table(csv_file(tmp_path, ",a,\n0,7,0\n1,8,0\n")).inputs.tolist() == expected
    assert read_table(csv_file(tmp_path, ",Unnamed: 0,a\n0,0,7\n1,1,8\n")).inputs.tolist() == expected
    assert read_table(parquet(tmp_path, a=[7, 8], __index_level_0__=[0, 1])).inputs.tolist() == expected


def test_ids_say_where_a_row_is(tmp_path: Path, source: Domain) -> None:
    assert source.ids == ("line 2", "line 3", "line 4")
    assert read_table(parquet(tmp_path, a=[1, 2])).ids == ("row 1", "row 2")


@pytest.mark.parametrize(
    ("name", "is_id"),
    [(name, True) for name in ("id", "patient_id", "sampleID", "Patient Nr.", "order_number", "customerNo", "Key")]
    + [(name, False) for name in ("paid", "piano", "numbers", "turkey", "no of rooms")],
)
def test_a_column_called_an_id_that_names_every_row_is_no_feature(name: str, is_id: bool, tmp_path: Path) -> None:
    ids = read_table(parquet(tmp_path, **{name: [11, 12], "a": [1, 2]})).ids
    assert ids == (("11", "12") if is_id else ("row 1", "row 2"))
    repeated = read_table(parquet(tmp_path, **{name: [11, 11], "a": [1, 2]}))
    assert repeated.inputs.tolist() == [[11, 1], [11, 2]]


def test_a_table_of_nameless_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must have a column with a name; got 1 without"):
        read_table(parquet(tmp_path, __index_level_0__=[1, 2]))


@pytest.mark.parametrize("name", ["a[1].csv", "a*.csv", "a b.csv"])
def test_file_names_are_no_patterns(tmp_path: Path, name: str) -> None:
    csv_file(tmp_path, "a\n7\n", "a1.csv")
    assert read_table(csv_file(tmp_path, "a\n1\n2\n", name)).inputs.tolist() == [[1], [2]]
    pl.DataFrame({"a": [3]}).write_parquet(tmp_path / name.replace("csv", "parquet"))
    assert read_table(tmp_path / name.replace("csv", "parquet")).inputs.tolist() == [[3]]


def test_blank_lines_are_left_out(tmp_path: Path) -> None:
    domain = read_table(csv_file(tmp_path, "\na,b\n1,2\n\n,\n3,4\n\n"))
    assert domain.inputs.tolist() == [[1, 2], [3, 4]]
    assert domain.ids == ("line 3", "line 6")
    assert "lines without a value were left out: 3." in domain.notes[0]


# --- labels


@pytest.mark.parametrize(
    ("values", "classes", "labels"),
    [
        (["10", "9", "-1", "10"], ("9", "10"), [1, 0, -1, 1]),
        (["1.0", "0.0", "", "1"], ("0", "1"), [1, 0, -1, 1]),
        (["b", "a", "B", ""], ("B", "a", "b"), [2, 1, 0, -1]),
        (["2", "x", "10", "x"], ("10", "2", "x"), [1, 2, 0, 2]),
        (["0.5", "2", "0.5", "10"], ("0.5", "2", "10"), [0, 1, 0, 2]),
        (["01", "1", "01", "1"], ("01", "1"), [0, 1, 0, 1]),
        (["true", "false", "true", ""], ("false", "true"), [1, 0, 1, -1]),
        ([" a", "a ", "a", " "], ("a",), [0, 0, 0, -1]),
    ],
)
def test_class_names_and_their_order(
    tmp_path: Path, values: list[str], classes: tuple[str, ...], labels: list[int]
) -> None:
    path = csv_file(tmp_path, "x,y\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values)))
    domain = read_table(path, label_column="y")
    assert domain.classes == classes
    assert domain.labels.tolist() == labels


def test_labels_of_other_types_in_parquet(tmp_path: Path) -> None:
    floats = read_table(parquet(tmp_path, x=[1, 2, 3, 4], y=[10.0, 9.0, None, float("nan")]), label_column="y")
    assert (floats.classes, floats.labels.tolist()) == (("9", "10"), [1, 0, -1, -1])
    truths = read_table(parquet(tmp_path, x=[1, 2, 3], y=[True, False, None]), label_column="y")
    assert (truths.classes, truths.labels.tolist()) == (("false", "true"), [1, 0, -1])


def test_an_empty_label_column_means_unlabelled(tmp_path: Path) -> None:
    domain = read_table(csv_file(tmp_path, "x,y\n1,\n2,\n"), label_column="y")
    assert (domain.classes, domain.labels.tolist()) == ((), [-1, -1])


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("knid", "Did you mean 'kind'"), ("Kind", "Did you mean 'kind'"), ("zzz", "It has size, colour, kind")],
)
def test_a_label_column_that_is_not_there(tmp_path: Path, asked: str, hint: str) -> None:
    with pytest.raises(DataError, match=f"label_column must be a column of table.csv; got '{asked}'. {hint}"):
        read_table(csv_file(tmp_path, BASIC), label_column=asked)


def test_measurements_are_no_labels(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i / 7:.4f}\n" for i in range(1, 200))
    domain = read_table(csv_file(tmp_path, "x,y\n" + rows), label_column="y")
    with pytest.raises(DataError, match=r"the labels of table must be classes.*199 different numbers.*--bins 3"):
        Task(domain, domain)
    binned = read_table(csv_file(tmp_path, "x,y\n" + rows), label_column="y", bins=3)
    assert np.bincount(binned.labels).tolist() == [67, 66, 66]
    assert Task(binned, binned).num_classes == 3


def test_a_table_of_labels_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a column besides the labels; got only 'y'"):
        read_table(csv_file(tmp_path, "y\na\nb\n"), label_column="y")


# --- a second table


def test_a_second_table_gets_the_columns_of_the_first(tmp_path: Path, source: Domain) -> None:
    path = csv_file(tmp_path, "kind,extra,colour,size\ndog,9,red,5\ncat,9,blue,6\n", "target.csv")
    for like in (source, source.schema, TableSchema.model_validate_json(source.schema.model_dump_json())):
        target = read_table(path, like=like)
        assert target.inputs.tolist() == [[5, 0, 1], [6, 1, 0]]
        assert target.labels.tolist() == [1, 0]
        assert target.schema == source.schema
        assert target.notes == ("target: columns that the source does not have were left out: extra.",)


@pytest.mark.parametrize("label_column", [None, "kind"])
def test_a_second_table_may_lack_labels(tmp_path: Path, source: Domain, label_column: str | None) -> None:
    target = read_table(csv_file(tmp_path, "size,colour\n5,red\n"), like=source, label_column=label_column)
    assert target.labels.tolist() == [-1]
    assert target.notes == ()


def test_a_second_table_may_call_its_labels_otherwise(tmp_path: Path, source: Domain) -> None:
    path = csv_file(tmp_path, "size,colour,truth\n5,red,dog\n")
    assert read_table(path, like=source, label_column="truth").classes == ("dog",)
    with pytest.raises(DataError, match=r"label_column must be a column .* Did you mean 'truth'"):
        read_table(path, like=source, label_column="truht")


def test_new_categories_are_zeros_and_noted(tmp_path: Path, source: Domain) -> None:
    path = csv_file(tmp_path, "size,colour\n5,teal\n6,red\n7,\n8,teal\n", "t.csv")
    target = read_table(path, like=source)
    assert target.inputs[[0, 1, 3], 1:].tolist() == [[0, 0], [0, 1], [0, 0]]
    assert np.isnan(target.inputs[2]).tolist() == [False, True, True]
    assert target.notes == (
        "t: column 'colour' has values that the source does not have ('teal') in 2 rows; they are encoded as zeros.",
    )


def test_numbers_can_be_categories(tmp_path: Path) -> None:
    first = read_table(csv_file(tmp_path, "room\n1\nhall\nattic\n", "a.csv"))
    second = read_table(parquet(tmp_path, room=[1, 2]), like=first)
    assert first.schema.columns[0].categories == ("1", "attic", "hall")
    assert second.inputs.tolist() == [[1, 0, 0], [0, 0, 0]]


def test_missing_columns_are_listed(tmp_path: Path, source: Domain) -> None:
    with pytest.raises(
        DataError, match="must have the 2 feature columns of the source; got none called size, colour"
    ):
        read_table(csv_file(tmp_path, "a,kind\n1,cat\n"), like=source)


def test_what_is_numeric_in_the_source_must_stay_so(tmp_path: Path, source: Domain) -> None:
    with pytest.raises(
        DataError, match=r"column 'size' of table.csv must hold a number.*'large' in line 2.*first of 2"
    ):
        read_table(csv_file(tmp_path, "size,colour\nlarge,red\nsmall,red\n"), like=source)


def test_a_domain_without_a_schema_sets_no_rules(tmp_path: Path) -> None:
    domain = read_table(csv_file(tmp_path, "a\n1\n2\n"), like=from_arrays([[1.0, 2.0]]))
    assert domain.inputs.tolist() == [[1], [2]]


# --- bad cells


@pytest.mark.parametrize("cell", ["inf", "-inf", "1e39", "-1e300"])
def test_a_cell_that_is_no_finite_number_is_located(tmp_path: Path, cell: str) -> None:
    path = csv_file(tmp_path, f"a,b\n1,x\n2,x\n{cell},x\n4,x\n{cell},x\n")
    with pytest.raises(DataError, match=r"column 'a' of table.csv must hold finite numbers") as caught:
        read_table(path)
    assert "in line 4, the first of 2 such cells" in str(caught.value)


def test_all_columns_that_cannot_be_read_are_told_at_once(tmp_path: Path, source: Domain) -> None:
    with pytest.raises(DataError, match="2 columns of table.csv must be readable") as caught:
        read_table(csv_file(tmp_path, "a,b,c\n1,inf,1\nlarge,2,2\n3,4,3\n"))
    assert "in 'a', which must hold a number in every row, 'large' in line 3" in str(caught.value)
    assert "in 'b', which must hold finite numbers (of 32 bits), inf in line 2" in str(caught.value)
    assert "--leave-out a,b." in str(caught.value)


@pytest.mark.parametrize("value", ["", "NaN", "NA", "n/a", "null", "None", "?", "-"])
def test_what_stands_for_no_number_is_missing(tmp_path: Path, value: str) -> None:
    domain = read_table(csv_file(tmp_path, f"a,b\n1,1\n{value},2\n3,3\n"))
    np.testing.assert_array_equal(domain.inputs, [[1, 1], [np.nan, 2], [3, 3]])


@pytest.mark.parametrize("value", ["NA", "n/a", "null", "?", "NaN"])
def test_what_is_written_for_no_value_is_missing_among_words_too(tmp_path: Path, value: str) -> None:
    source = read_table(csv_file(tmp_path, f"a,b\nred,1\n{value},2\nblue,3\n{value},4\n"))
    np.testing.assert_array_equal(source.inputs[:, :2], [[0, 1], [np.nan, np.nan], [1, 0], [np.nan, np.nan]])
    assert any(f"column 'a' has {value!r} in 2 rows, which means no value; if it is one" in n for n in source.notes)
    other = read_table(csv_file(tmp_path, f"a,b\n{value},2\nred,4\n", "b.csv"), like=source)
    np.testing.assert_array_equal(other.inputs[:, :2], [[np.nan, np.nan], [0, 1]])


@pytest.mark.parametrize("value", ["none", "-"])
def test_among_words_what_is_no_number_is_a_word(tmp_path: Path, value: str) -> None:
    assert read_table(csv_file(tmp_path, f"a\n+\n{value}\n+\n")).schema.columns[0].categories == tuple(
        sorted(["+", value])
    )


def test_a_schema_of_before_keeps_what_was_a_word(tmp_path: Path) -> None:
    known = TableSchema(columns=(Column(name="a", kind="categorical", categories=("NA", "red")),))
    domain = read_table(csv_file(tmp_path, "a\nNA\nred\nnull\n"), like=known)
    np.testing.assert_array_equal(domain.inputs, [[1, 0], [0, 1], [np.nan, np.nan]])


def test_what_is_missing_in_parquet(tmp_path: Path) -> None:
    domain = read_table(parquet(tmp_path, a=[1.0, None, float("nan")], b=[1, None, 2], c=[True, None, False]))
    np.testing.assert_array_equal(domain.inputs, [[1, 1, 1], [np.nan] * 3, [np.nan, 2, 0]])


@pytest.mark.parametrize("value", ["1 000 x", "12kg", "twelve"])
def test_text_among_numbers_is_located(tmp_path: Path, value: str) -> None:
    with pytest.raises(DataError, match=r"column 'a' of table.csv must hold a number in every row") as caught:
        read_table(csv_file(tmp_path, f'a,b\n1,1\n"{value}",2\n3,3\n'))
    assert f"{value!r} in line 3." in str(caught.value)


def test_headers_may_be_quoted_and_span_lines(tmp_path: Path) -> None:
    domain = read_table(csv_file(tmp_path, '"a\nb";"say ""hi""";"x,y"\n1;2;3\n'))
    assert [column.name for column in domain.schema.columns] == ["a\nb", 'say "hi"', "x,y"]
    assert domain.ids == ("line 3",)


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'bad' in line 8"):
        read_table(csv_file(tmp_path, '\na,note\n1,"two\nlines"\n\n2,"x\ny"\nbad,z\n3,z\n'))


def test_a_table_of_different_texts_alone_has_nothing_to_learn_from(tmp_path: Path) -> None:
    hundred = "text\n" + "".join(f"word{i}\n" for i in range(100))
    with pytest.raises(
        DataError, match="a column to learn from; got 'text' with a different text in nearly every row"
    ):
        read_table(csv_file(tmp_path, hundred))


# --- bad files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "must start with a line of column names; got nothing"),
        (b"\n\n", "must start with a line of column names; got nothing"),
        (b"5.1,3.5\n4.9,3.0\n", "must start with a line of column names; got the numbers 5.1, 3.5"),
        (b"a,b,a\n1,2,3\n", "must name each column differently; got a more than once"),
        (b"a,b,a \n1,2,3\n", "must name each column differently; got a more than once"),
        (b"a,b\n", "at least one row with values; got 0 rows"),
        (b"a,b\n,\n", "at least one row with values; got 1 row without"),
        (b"a,b\n1,2\n3,4,5\n", "the same number of values on every line; got 3 values in line 3, under 2 names. Put"),
        (b"a;b\n1;2\n\n3;4;5\n", "got 3 values in line 4, under 2 names. Put double quotes around .* a semicolon"),
        (b'a,b\n"x, ""y""\nz",2\n3,5" pipe\n4,"six"" or 7,8\n', "got a quote inside a value in line 4"),
        (b'a,b\n1,"2\n3,4\n', "the same number of values on every line"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(csv_file(tmp_path, content))


def test_parquet_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a Parquet file; got a file that cannot be read"):
        read_table(csv_file(tmp_path, "a,b\n1,2\n", "table.parquet"))
    with pytest.raises(DataError, match="must name each column differently"):
        read_table(parquet(tmp_path, **{"a": [1], "a ": [2]}))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"must be a file that exists; got '.*none.csv'"):
        read_table(tmp_path / "none.csv")


# --- properties

NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
NAMES = st.lists(
    st.sampled_from(["alpha", "b c", "ü", "x,y", "7th", 'say "hi"', "δ;"]), min_size=1, max_size=4, unique=True
)


@settings(max_examples=60, deadline=None)
@given(st.data(), NAMES, st.integers(1, 6), st.sampled_from([",", ";", "\t"]), st.booleans())
def test_numbers_survive_the_round_trip(
    data: st.DataObject, names: list[str], rows: int, separator: str, as_parquet: bool
) -> None:
    columns = {name: data.draw(st.lists(NUMBERS, min_size=rows, max_size=rows)) for name in names}
    expected = np.array(list(columns.values()), dtype=np.float32).T
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.parquet" if as_parquet else "t.csv")
        frame = pl.DataFrame(columns)
        frame.write_parquet(path) if as_parquet else frame.write_csv(path, separator=separator, quote_style="always")
        domain = read_table(path)
        np.testing.assert_array_equal(domain.inputs, expected)
        assert [column.name for column in domain.schema.columns] == names
        shuffled = data.draw(st.permutations(names))
        frame.select(shuffled).write_parquet(Path(folder, "u.parquet"))
        assert read_table(Path(folder, "u.parquet"), like=domain).content_hash == domain.content_hash


LABELS = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-50, 50).filter(lambda v: v != -1)), min_size=1, max_size=12),
    st.lists(st.one_of(st.none(), st.sampled_from("zyxwvABC")), min_size=1, max_size=12),
)


@settings(max_examples=80, deadline=None)
@given(LABELS, st.booleans())
def test_labels_survive_the_round_trip_and_are_sorted(labels: list[Any], as_parquet: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.parquet" if as_parquet else "t.csv")
        frame = pl.DataFrame({"x": list(range(len(labels))), "y": labels})
        frame.write_parquet(path) if as_parquet else frame.write_csv(path)
        domain = read_table(path, label_column="y")
    assert [domain.classes[y] if y >= 0 else None for y in domain.labels] == [
        None if v is None else str(v) for v in labels
    ]
    assert domain.classes == tuple(str(v) for v in sorted({v for v in labels if v is not None}))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["red", "green", "blue", "mauve", ""]), min_size=1, max_size=12), st.data())
def test_categories_decode_back_to_what_was_written(values: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pl.DataFrame({"c": values, "n": list(range(len(values)))}).write_parquet(Path(folder, "t.parquet"))
        domain = read_table(Path(folder, "t.parquet"))
    if not any(values):
        assert domain.schema.left_out == ("c",)
        return
    categories = domain.schema.columns[0].categories
    assert list(categories) == sorted(set(values) - {""})
    known = ~np.isnan(domain.inputs[:, 0])
    assert (domain.inputs[known, :-1].sum(axis=1) == 1).all()
    assert [
        categories[i] if k else "" for i, k in zip(domain.inputs[:, :-1].argmax(axis=1), known, strict=True)
    ] == values


@pytest.mark.parametrize(
    "values",
    [
        [10**30, 10**30 + 1, 7],
        [1.5, -7.264405760526914e29, 1e300],
        [1.0, 2.0, 40.0],
        ["P1", "P2", "3"],
    ],
    ids=str,
)
def test_an_id_is_the_same_text_in_a_file_and_in_a_frame(values: list[object], tmp_path: Path) -> None:
    first = pl.DataFrame({"id": ["a", "b", "c"], "x": [1.0, 2.0, 4.0]})
    schema = from_arrays(first, name="first").schema
    written = [repr(v) if isinstance(v, float) else str(v) for v in values]
    pl.DataFrame({"id": written, "x": [1.0, 2.0, 4.0]}).write_csv(tmp_path / "t.csv")
    of_file = read_table(tmp_path / "t.csv", like=schema)
    rows = [{"id": value, "x": x} for value, x in zip(values, (1.0, 2.0, 4.0), strict=True)]
    of_frame = held_to(Fields(schema, schema.names, named=True), rows, "M", "t")
    plain = [text.removesuffix(".0") for text in written]
    assert [text.removesuffix(".0") for text in of_file.ids] == plain
    assert list(of_frame.ids) == plain


def test_whole_numbers_longer_than_any_type_name_rows_in_a_frame_too(tmp_path: Path) -> None:
    longest = [10**30 + n for n in range(4)]
    pl.DataFrame({"id": [str(n) for n in longest], "x": [1.0, 2.0, 4.0, 7.0]}).write_csv(tmp_path / "t.csv")
    of_frame = from_arrays([{"id": n, "x": x} for n, x in zip(longest, (1.0, 2.0, 4.0, 7.0), strict=True)], name="t")
    assert of_frame.ids == read_table(tmp_path / "t.csv").ids == tuple(str(n) for n in longest)
    assert of_frame.schema.names == ("x",)
