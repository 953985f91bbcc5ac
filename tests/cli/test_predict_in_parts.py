"""`acclimate predict` of a table that is read, answered and written part by part."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from acclimate.cli import streaming
from acclimate.running import answering
from acclimate.running.adaptation import adapt
from acclimate.runs.request import Request
from commands import Command
from forked import begin, die_naming, errors

ROWS = 1_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    for seed, name in enumerate(("source", "target")):
        people(120, seed).write_csv(folder / f"{name}.csv")
    training = {"steps": 5, "evaluations": 1, "batch_size": 16}
    sides = {"source": str(folder / "source.csv"), "target": str(folder / "target.csv"), "label_column": "state"}
    adapt(Request(**sides, method="source-only", training=training, baseline=False), folder / "run")
    return folder / "run"


@pytest.fixture
def table(tmp_path: Path, acclimate: Command) -> pl.DataFrame:
    """people.csv, which has new words, gaps, ids and other numbers than the source."""
    frame = people(ROWS, 7)
    frame.write_csv(tmp_path / "people.csv")
    return frame


def people(n: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    age = pl.Series(np.where(rng.random(n) < 0.2, np.nan, rng.uniform(20, 80, n))).fill_nan(None)
    costs = rng.integers(500, 99_999, n)
    return pl.DataFrame(
        {
            "patient_id": [f"P{seed}{i:05}" for i in range(n)],
            "height": 170 + 8 * y + rng.normal(0, 2, n),
            "age": age,
            "ward": rng.choice(["north", "south", "=east" if seed == 7 else "east"], n),
            "cost": [f"{cost:,}" if seed == 7 else str(cost) for cost in costs],
            "state": np.array(["ill", "well"])[y],
        }
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is large, and every part small."""
    parts(monkeypatch.setattr)


def parts(set_to: object = setattr) -> None:
    for module, name, value in ((streaming, "LARGE", 0), (answering, "PART", 260)):
        set_to(module, name, value)  # type: ignore[operator]


def small_and_dying(file: str) -> None:
    parts()
    die_naming(file)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_answers_are_those_of_the_whole(
    acclimate: Command, run: Path, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    words = ("predict", run, "people.csv", "--json", "--out")
    whole = acclimate(*words, f"whole.{suffix}")
    assert whole.code == 0, whole.err
    parts(monkeypatch.setattr)
    in_parts = acclimate(*words, f"parts.{suffix}")
    assert in_parts.code == 0, in_parts.err
    assert json.loads(in_parts.out) == json.loads(whole.out) | {"out": f"parts.{suffix}"}
    assert "missing values were filled" in in_parts.out
    assert "numbers such as" in in_parts.out
    if suffix == "csv":
        assert Path("parts.csv").read_bytes() == Path("whole.csv").read_bytes()
    else:
        assert pl.read_parquet("parts.parquet").equals(pl.read_parquet("whole.parquet"))
    assert {path.name for path in Path().iterdir()} == {"people.csv", f"whole.{suffix}", f"parts.{suffix}"}


def test_a_fault_names_its_row_and_leaves_nothing(
    acclimate: Command, run: Path, table: pl.DataFrame, small: None
) -> None:
    table.with_columns(pl.Series("height", ["tall" if i == 900 else "170" for i in range(ROWS)])).write_csv("bad.csv")
    said = acclimate("predict", run, "bad.csv", "--out", "a.csv")
    assert said.code == 2
    assert "'tall' in line 902" in said.err
    assert not list(Path().glob("a.csv*"))


@pytest.mark.parametrize("place", ["a folder", "a pattern"])
def test_tables_in_a_folder_are_one(
    acclimate: Command, run: Path, table: pl.DataFrame, tmp_path: Path, place: str
) -> None:
    (tmp_path / "parted").mkdir()
    for number in range(3):
        table[number * 400 : (number + 1) * 400].write_parquet(tmp_path / "parted" / f"part-{number}.parquet")
    table.write_parquet("one.parquet")
    data = "parted" if place == "a folder" else "parted/part-*.parquet"
    for words in (("one.parquet", "--out", "one.csv"), (data, "--out", "parts.csv")):
        said = acclimate("predict", run, *words)
        assert said.code == 0, said.err
    assert Path("parts.csv").read_bytes() == Path("one.csv").read_bytes()


def test_a_row_in_one_of_several_files_is_named_with_it(
    acclimate: Command, run: Path, table: pl.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "parted").mkdir()
    plain = table.drop("patient_id")
    plain[:400].write_csv("parted/a.csv")
    plain[400:].write_csv("parted/b.csv")
    assert acclimate("predict", run, "parted", "--out", "answers.parquet").code == 0
    assert pl.read_parquet("answers.parquet")["id"].gather([0, 399, 400]).to_list() == [
        "line 2 of a.csv",
        "line 401 of a.csv",
        "line 2 of b.csv",
    ]
    plain[400:].with_columns(pl.lit("tall").alias("height")).write_csv("parted/b.csv")
    assert "'tall' in line 2 of b.csv, the first of 600 such cells" in acclimate("predict", run, "parted").err
    plain[400:].drop("age").write_csv("parted/b.csv")
    said = acclimate("predict", run, "parted").err
    assert "b.csv must have the columns of a.csv" in said
    assert "'age'" in said


@pytest.mark.parametrize("place", ["000001.parquet", "answers.csv"])
def test_killed_it_goes_on_where_it_was(
    acclimate: Command, run: Path, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    words = ("predict", str(run), "people.csv", "--out")
    assert acclimate(*words, "whole.csv").code == 0
    parts(monkeypatch.setattr)
    process = begin(tmp_path, *words, "answers.csv", log=tmp_path / "said", prepare=partial(small_and_dying, place))
    process.join()
    assert process.exitcode == -signal.SIGKILL, errors(tmp_path / "said").read_text()
    begun = tmp_path / "answers.csv.begun"
    assert len(list(begun.glob("0*.parquet"))) == (1 if place == "000001.parquet" else 7)
    said = acclimate("predict", run, "whole.csv", "--out", "answers.csv")
    assert said.code == 2
    table[:999].write_csv("people.csv")
    said = acclimate(*words, "answers.csv")
    assert said.code == 2
    assert "out must not have answers to other data or of another run begun beside it" in said.err

    table.write_csv("people.csv")
    said = acclimate(*words, "answers.csv")
    assert said.code == 0, said.err
    assert Path("answers.csv").read_bytes() == Path("whole.csv").read_bytes()
    assert not begun.exists()


def test_answers_to_a_pattern_are_called_by_what_is_none_in_it() -> None:
    names = {"new.csv": "new", "a/new-*.csv": "new", "x/*.csv": "x", "*.csv": "data", "photos/": "photos"}
    assert {data: streaming.name_of(data) for data in names} == names


def test_tables_that_stay_on_disk_are_adapted_to_and_answered(
    acclimate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCLIMATE_CACHE", str(tmp_path / "cache"))
    for seed, side in enumerate(("source", "target")):
        (tmp_path / side).mkdir()
        for number in range(2):
            people(80, 10 * seed + number).write_csv(tmp_path / side / f"{number}.csv")
    sides = ("--source", "source", "--target", "target/*.csv", "--label-column", "state", "--memory", "1kB")
    quick = ("--method", "dann", "--steps", "5", "--set", "evaluations=1", "--no-baseline", "--out", "run")
    said = acclimate("adapt", *sides, *quick)
    assert said.code == 0, said.err
    assert said.err.count("its features stay on disk") == 2
    assert "160 rows" in said.out
    answered = acclimate("predict", "run", "target/*.csv", "--out", "all.csv", "--json")
    assert answered.code == 0, answered.err
    assert json.loads(answered.out)["n"] == 160
