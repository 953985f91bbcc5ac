"""A table that is read part by part says what it says when it is read whole: to the bit, and to the letter."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acclimate.data.gaps import Gaps, Missing
from acclimate.data.readers import read_table
from acclimate.data.readers.cell_parts import CellParts, table_files
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.survey import survey
from acclimate.data.schema import TableSchema
from acclimate.errors import RequestError
from fuzzers import fuzzer  # type: ignore[import-not-found]

FUZZ = fuzzer("tables")
Told = tuple[Any, ...]


def whole(path: Path, schema: TableSchema, **asked: Any) -> Told | str:
    """Features, ids, notes, and what a model says of gaps and of the least feature."""
    try:
        domain = read_table(path, like=schema, name="t", **asked)
    except RequestError as error:
        return str(error)
    missing, fill = Missing.of(domain), tuple([0.0] * domain.array.shape[1])
    least = np.fmin.reduce(domain.array, axis=None)
    return domain.array.tobytes(), domain.ids, domain.notes, Gaps(fill=fill).notes(missing), float(least).hex()


def in_parts(path: Path, schema: TableSchema, size: int, rows: int, **asked: Any) -> Told | str:
    """The same of a table read in parts."""
    dialect = Dialect(asked.pop("delimiter", None), asked.pop("quoting", "auto"))
    try:
        found = survey(CellParts(str(path), table_files(str(path)), dialect, size, rows), schema, name="t", **asked)
        domains = list(found.domains())
    except RequestError as error:
        return str(error)
    features = np.concatenate([domain.array for domain in domains])
    assert found.rows == len(features)
    assert all(len(domain) for domain in domains)
    notes = Gaps(fill=(0.0,) * found.schema.width).notes(found.missing)
    ids = tuple(name for domain in domains for name in domain.ids)
    return features.tobytes(), ids, found.notes, notes, float(found.least).hex()


def written(rng: Random, made: Any, path: Path, sign: str) -> None:
    """A table of the fuzzer with what files have besides: blank lines, a column of labels, bytes of Windows."""
    FUZZ.csv_of(made, rng, path, sign)
    content = path.read_bytes()
    if rng.random() < 0.3 and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        lines = content.split(b"\n")
        content = b"\n".join(line + b"\n" * (rng.random() < 0.2) * rng.randint(1, 3) for line in lines)
    if rng.random() < 0.1:
        content = content.replace("é".encode(), b"\xe9")
    path.write_bytes(content)


def same(one: Told | str, other: Told | str) -> None:
    assert one == other


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 400), rows=st.integers(1, 41))
def test_parts_of_any_size_are_the_whole(seed: int, size: int, rows: int) -> None:
    rng = Random(f"parts/{seed}")
    first, second = FUZZ.pair(rng)
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder, sign = Path(name), rng.choice(",,;\t|")
        for made, file in ((first, "a.csv"), (second, "b.csv")):
            written(rng, made, folder / file, sign)
        label = rng.choice((None, None, *first.columns))
        schema = schema_of(folder / "a.csv", delimiter=sign, label_column=label)
        if schema is None:
            return
        for file in ("a.csv", "b.csv"):
            told = whole(folder / file, schema, delimiter=sign)
            assert in_parts(folder / file, schema, size, rows, delimiter=sign) == told
        if second.is_typed():
            frame = pl.DataFrame(second.columns, strict=False).with_columns(pl.col(pl.Int128).cast(pl.String))
            frame.write_parquet(folder / "b.parquet")
            assert in_parts(folder / "b.parquet", schema, size, rows) == whole(folder / "b.parquet", schema)


def schema_of(path: Path, **asked: Any) -> TableSchema | None:
    try:
        found = read_table(path, **asked).schema
    except RequestError:
        return None
    assert isinstance(found, TableSchema)
    return found


KNOWN = "x,c,d,n,y\n1.5,red,2024-01-02,1,a\n2.5,blue,2024-01-03,2,b\n3.5,red,2024-01-04,3,a\n"
FILES = {
    "as before": "x,c,d,n,y\n1,red,2024-05-01,1,a\n,blue,,2,\n3,green,2024-05-03,3,b\n",
    "numbers written otherwise": 'x,c,d,n,y\n1,red,,1,a\n"1,234.5",blue,,2,b\n',
    "dates written otherwise": "x,c,d,n,y\n1,red,02.01.2024,1,a\n2,red,13.01.2024,2,b\n",
    "a fault far down": "x,c,d,n,y\n" + "1,red,2024-01-01,1,a\n" * 4 + "oh,red,no,1,a\noh,red,no,1,a\n",
    "faults in two columns": "x,c,d,n,y\n" + "1,red,2024-01-01,1,a\n" * 3 + "oh,red,,-,a\n1,red,,x,a\n",
    "no rows": "x,c,d,n,y\n",
    "no rows and no line feed": "x,c,d,n,y",
    "blank lines alone": "x,c,d,n,y\n\n\n,,,,\n",
    "a column is missing": "x,c,d,y\n1,red,,a\n2,red,,b\n",
    "a label that is none": "x,c,d,n,y\n1,red,,1,a\n1,red,,1,1e999\n",
    "minus one beside negative numbers": "x,c,d,n,y\n1,red,,1,-1\n1,red,,1,-2\n1,red,,1,-1\n",
    "minus one beside two classes": "x,c,d,n,y\n1,red,,1,-1\n1,red,,1,0\n1,red,,1,1\n1,red,,1,-1\n1,red,,1,NA\n",
    "ids": "x,c,d,n,patient_id,y\n1,red,,1,P1,a\n2,red,,1,P2,b\n3,red,,1,P3,b\n",
    "no ids, as two are alike": "x,c,d,n,patient_id,y\n1,red,,1,P1,a\n2,red,,1,P2,b\n3,red,,1,P1,b\n",
    "quoted lines": 'x,c,d,n,further,y\n1,red,,1,"two\nlines, and ""more""",a\n\n2,red,,x,"\n\n",b\n',
    "more values than names": "x,c,d,n,y\n1,red,,1,a\n1,red,,1,a,b\n",
    "fewer values than names": "x,c,d,n,y\n1,red\n1,red,,1,a\n",
    "an open quote": 'x,c,d,n,y\n1,red,,1,a\n1,"red,,1,a\n1,red,,1,a\n',
    "a quote inside": 'x,c,d,n,y\n1,re"d,,1,a\n1,red,,1,a\n1,r"ed,,1,a\n',
    "semicolons and decimal commas": "x;c;d;n;y\n1,5;red;;1;a\n2;red;;1,25;b\n",
    "tabs with quotes as signs": 'x\tc\td\tn\ty\n1\t"red"\t\t1\ta\n2\tr"ed\t\t2\tb\n',
    "a nameless column": ",x,c,d,n,y\n0,1,red,,1,a\n1,2,red,,2,b\n",
    "lines of Windows": "x,c,d,n,y\r\n1,red,,1,a\r\n\r\n2,red,,2,b\r\n",
    "blank lines before the header": "\n\nx,c,d,n,y\n1,red,,1,a\n2,re,,2,b\n",
    "the same in every row": "x,c,d,n,y\n1,red,,1,a\n1,red,,1,a\n1,red,,1,a\n",
}


@pytest.fixture
def schema(tmp_path: Path) -> TableSchema:
    (tmp_path / "known.csv").write_text(KNOWN)
    found = schema_of(tmp_path / "known.csv", label_column="y")
    assert found is not None
    return found


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("size", [1, 40])
def test_every_kind_of_file(tmp_path: Path, schema: TableSchema, case: str, size: int) -> None:
    (tmp_path / "t.csv").write_text(FILES[case])
    assert in_parts(tmp_path / "t.csv", schema, size, 1) == whole(tmp_path / "t.csv", schema)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("case", ["as before", "quoted lines", "lines of Windows"])
def test_every_encoding(tmp_path: Path, schema: TableSchema, case: str, encoding: str) -> None:
    damage = b"\x00" if encoding == "utf-16" else b""
    (tmp_path / "t.csv").write_bytes(FILES[case].replace("red", "réd").encode(encoding) + damage)
    assert in_parts(tmp_path / "t.csv", schema, 9, 1) == whole(tmp_path / "t.csv", schema)


@pytest.mark.parametrize(
    "asked", [{"quoting": "none", "label_column": "n"}, {"label_column": "nowhere"}, {"id_column": "further"}]
)
@pytest.mark.parametrize("case", ["as before", "quoted lines", "tabs with quotes as signs"])
def test_every_option(tmp_path: Path, schema: TableSchema, case: str, asked: dict[str, str]) -> None:
    (tmp_path / "t.csv").write_text(FILES[case])
    assert in_parts(tmp_path / "t.csv", schema, 9, 1, **asked) == whole(tmp_path / "t.csv", schema, **asked)
