"""What is written to a CSV is run by no spreadsheet, and read back as it was."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import acclimate
from acclimate.data.readers import read_table
from acclimate.data.spreadsheets import guard, guarded, unguard, unguarded
from acclimate.runs.predictions import write_csv

FORMULAS = [
    "=HYPERLINK(1)",
    "@SUM(1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "＝1+1",
    " =1",
    '"=1',
    "\ufeff=1",
    "\t=1",
    "\r=1",
    "\n=1",
]
WITHIN = ["a;=1", "a\t=1", "a\n=1", 'a;"=1', "a; =1", "a;;@x"]
HARMLESS = ["", "cat", "a=b", "x-1.jpg", "a,b", "it's", "'tis", "''", "a;b", "1,5", "1 - 2", "cats/-1.jpg", "ü"]
NUMBERS = ["-1", "+1", "-0.5", "-.5", "1e-3", "-1E+06", "3."]
NASTY = st.text(st.sampled_from(list("='+-@＝;\t\r\n\" ,a1.e\ufeff\u00a0\u2028")), max_size=12)


@pytest.mark.parametrize("text", FORMULAS + WITHIN)
def test_a_formula_gets_an_apostrophe_and_loses_it_again(text: str) -> None:
    assert guard(text) != text
    assert (
        guard(text).replace("'", "", 1) == text.replace("'", "", 1) or guard(text).count("'") == text.count("'") + 1
    )
    assert unguard(guard(text)) == text


@pytest.mark.parametrize("text", HARMLESS + NUMBERS)
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert guard(text) == unguard(text) == text


@pytest.mark.parametrize("text", ["'=1", "''-x", "'-5", "a;'@x"])
def test_apostrophes_that_were_there_are_there_again(text: str) -> None:
    assert guard(text).count("'") == text.count("'") + 1
    assert unguard(guard(text)) == text


@given(st.one_of(NASTY, st.text(max_size=20)))
@example("=;='=")
def test_reading_gives_what_was_written_and_tables_do_as_texts_do(text: str) -> None:
    assert unguard(guard(text)) == text
    frame = pl.DataFrame({"x": [text]})
    assert guarded(frame)["x"].to_list() == [guard(text)]
    assert unguarded(guarded(frame))["x"].to_list() == [text]


@given(st.lists(NASTY, min_size=1, max_size=4, unique=True))
def test_no_program_finds_a_cell_that_it_would_run(texts: list[str]) -> None:
    """Whatever separates its values, and whatever it makes of quotes."""
    written = guarded(pl.DataFrame({"x": texts, "n": [-1.5] * len(texts)})).write_csv()
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter):
            for cell in row:
                assert_runs_nothing(cell)
    if not any("," in text for text in texts):  # which separates values here, and is what the quotes are for
        for cell in re.split(r"[,;\t\r\n]", written):
            assert_runs_nothing(cell)


def assert_runs_nothing(cell: str) -> None:
    bare = cell.strip(' \ufeff\u00a0"')
    # A number stays one, and to a program that separates by semicolons what stands beyond the comma belongs to it.
    assert bare[:1] not in tuple("=+-@＝＋－＠") or re.match(r"[+-]?[0-9.]+(e[+-]?[0-9]*)?(\"?,|$)", bare), repr(cell)


def test_a_table_that_was_written_is_read_with_the_classes_and_names_it_had(tmp_path: Path) -> None:
    classes = [text for text in FORMULAS[:5] + HARMLESS[1:6] + ["a;=1", "'=1"] if text == text.strip()]
    frame = pl.DataFrame({"=kind": classes, "@x": [float(i) for i in range(len(classes))]})
    write_csv(tmp_path / "a.csv", frame)
    assert "\n=" not in (written := (tmp_path / "a.csv").read_text())
    assert written.startswith("'=kind,'@x\n")
    domain = read_table(tmp_path / "a.csv", label_column="=kind")
    assert [domain.classes[y] for y in domain.labels] == classes


def test_answers_are_written_as_csv_whole_or_in_parts_and_by_what_leaves_and_nowhere_else() -> None:
    package = Path(acclimate.__file__).parent
    by_hand = re.compile(r"\.write_csv\b|csv\.writer|DictWriter|\.to_csv\b")
    writers = {path.name for path in package.rglob("*.py") if by_hand.search(path.read_text())}
    assert writers == {"predictions.py", "answer_parts.py", "predict.py"}, (
        "each must guard what a spreadsheet would run"
    )
