"""An exported folder answers in a Python that has neither torch nor acclimate, as `acclimate predict` does."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.cli.use import read_like
from acclimate.data.readers import read_table
from acclimate.data.readers.numerals import STYLES, read_numbers
from acclimate.data.words import words
from acclimate.export.bundle import write_bundle
from acclimate.export.facts import characters, inference_facts, table_facts
from acclimate.export.folder import export_run
from acclimate.export.standalone import table_files
from acclimate.running.adaptation import load
from acclimate.runs.predictions import prediction_table, write_predictions
from acclimate.runs.record import Run
from acclimate.training.fitted import softmax
from exporting import KINDS, answers_alone, exits_of, run_of, same_answers


def predicted(run: Run, data: Path, table: Path) -> Path:
    """What `acclimate predict` writes."""
    fitted, domain = load(run.folder), read_like(run, str(data))
    probabilities = softmax(fitted.outputs(domain, keep_features=False).logits)
    write_predictions(table, prediction_table("data", domain, probabilities, fitted.plan.classes, None))
    return table


@pytest.mark.parametrize(
    ("name", "form", "data"),
    [
        ("mcd", "onnx", "target"),
        ("cgt", "onnx", "target.csv"),
        ("cgt", "arrays", "target.csv"),
        ("lrt", "arrays", "target.npz"),
        ("ngram-memory", "arrays", "target.jsonl"),
        ("tfidf", "onnx", "target.jsonl"),
    ],
)
def test_answers_without_torch_are_those_of_predict(name: str, form: str, data: str, tmp_path: Path) -> None:
    run = run_of(KINDS[name], tmp_path / "made")
    export_run(run.folder, tmp_path / "out", (form,))
    found = answers_alone(tmp_path / "out", str(tmp_path / "made" / data))
    same_answers(found, predicted(run, tmp_path / "made" / data, tmp_path / "answers.csv"))


def test_a_model_that_finds_tells_what_each_query_finds(tmp_path: Path) -> None:
    run = run_of(KINDS["shared-prototypes"], tmp_path / "made")
    export_run(run.folder, tmp_path / "out")
    queries, items = (str(tmp_path / "made" / f"{side}.npz") for side in ("source", "target"))
    found = answers_alone(tmp_path / "out", queries, "--among", items, "--most", "2")
    fitted = load(run.folder)
    u, v = (
        fitted.codes(read_like(run, path, side=side), side) for path, side in ((queries, "source"), (items, "target"))
    )
    assert len(found) == 2 * len(u)
    cosines = (u / np.linalg.norm(u, axis=1, keepdims=True)) @ (v / np.linalg.norm(v, axis=1, keepdims=True)).T
    best = [int(row["item"]) for row in found[::2]]
    np.testing.assert_allclose(cosines[np.arange(len(u)), best], cosines.max(axis=1), atol=1e-4)


MIXED = """when;size;kind;paid;note;label
2024-03-01 10:30;1.234,5;red;12 %;a;yes
2024-03-02 23:59;−13;blue;7 %;b;no
2024-02-29;;red;3,5 %;c;yes
2024-12-31 00:00:01;0,5;n/a;n/a;d;no
"""


def test_a_table_of_every_kind_of_column_is_read_as_in_training(tmp_path: Path) -> None:
    """Dates with times, decimal commas, percent, categories, gaps, signs for nothing."""
    lines = MIXED.splitlines()
    kinds = ("red", "blue")
    rows = [f"2023-{1 + i % 12:02d}-0{1 + i % 9} 1{i % 10}:15;{i},25;{kinds[i % 2]};{i} %;t;yes" for i in range(30)]
    (path := tmp_path / "a.csv").write_text("\n".join([lines[0], *rows, *lines[1:]]), encoding="utf-8")
    domain = read_table(path, label_column="label", leave_out=["note"])
    assert {column.kind for column in domain.schema.columns} == {"date", "numeric", "categorical"}  # type: ignore[union-attr]
    facts = json.loads(json.dumps({"width": domain.array.shape[1], "table": table_facts(domain.schema, None)}))
    batches = list(table_files.read(path, facts, 7))
    np.testing.assert_array_equal(np.concatenate([part for _, part in batches]), domain.array)
    assert [name for names, _ in batches for name in names] == list(domain.ids)


@pytest.mark.parametrize("style", STYLES)
def test_numbers_of_any_style_are_those_of_the_reader(style: str) -> None:
    texts = [
        "1", "-13", "+2.5", "1,234", "1.234,5", "12 %", "3%", "1 000", "1'234.5", "1e3", "true", "False", "0,5",
        "12,34,567", "1.2.3", "abc", "1 000,5", "1234567.25", "−4", "", "1_000", "inf", "nan", "1.234",
    ]  # fmt: skip
    parse = table_files._number_of(style)
    for text, expected in zip(texts, read_numbers(pl.Series(texts), style).to_list(), strict=True):
        try:
            found = parse(text)
        except ValueError:
            found = None
        known = expected is not None and np.isfinite(expected)
        assert found == pytest.approx(expected) if known else found is None, (text, style, expected, found)


@pytest.fixture(scope="module")
def tokeniser(tmp_path_factory: pytest.TempPathFactory) -> object:
    """`words` as an exported folder has it."""
    folder = tmp_path_factory.mktemp("words")
    write_bundle(folder, ["text"])
    (folder / "characters.json").write_text(json.dumps(characters()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        found = importlib.import_module("reading.words")
        yield found.words
    for name in [name for name in sys.modules if name.partition(".")[0] == "reading"]:
        del sys.modules[name]


@given(text=st.text(max_size=200))
def test_words_are_taken_out_of_any_text_as_in_training(tokeniser: object, text: str) -> None:
    for signs in ("!", ".!?", ""):
        assert tokeniser(text, signs) == words(text, signs)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "It's <b>not</b> worth &amp; naïve — “l’été” 👍 ♥️ 日本語. No! 3.5<script>x</script> end.",
        "a\x1cb\x85c\u2028d . e.\x1f",
        "ſtop ΑΣ ß K Å ﬁ " + "a" + "\u0301" * 40,
    ],
)
def test_words_of_difficult_texts(tokeniser: object, text: str) -> None:
    assert tokeniser(text, ".!?") == words(text, ".!?")  # type: ignore[operator]


def test_what_goes_in_needs_nothing_that_was_not_promised(tmp_path: Path) -> None:
    """No file imports anything but the standard library, NumPy, Pillow, onnxruntime and its neighbours."""
    write_bundle(tmp_path, ["images", "features", "text"])
    allowed = {*sys.stdlib_module_names, "numpy", "PIL", "onnxruntime", "torch", "reading"}
    for path in tmp_path.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        found = {node.module.partition(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
        found |= {a.name.partition(".")[0] for node in nodes if isinstance(node, ast.Import) for a in node.names}
        assert found <= allowed, path
        assert path.name == "predict.py" or "torch" not in found


def test_mistakes_are_told_in_a_sentence(tmp_path: Path) -> None:
    run = run_of(KINDS["cgt"], tmp_path / "made")
    export_run(run.folder, tmp_path / "out", ("arrays",))
    (bad := tmp_path / "bad.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    for words_, said in (
        ([str(tmp_path / "none.csv")], "No such file"),
        ([str(bad)], "must have the columns of the training; it lacks"),
        ([str(tmp_path / "a.parquet")], "must be a .csv or .tsv file"),
    ):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "out" / "predict.py"), *words_], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_facts_name_every_side(tmp_path: Path) -> None:
    run = run_of(KINDS["shared-prototypes"], tmp_path / "made")
    facts = inference_facts(exits_of(run), ["a"], {}, "tab")
    assert {side: found["gives"] for side, found in facts["sides"].items()} == {
        "target": "vectors",
        "source": "vectors",
    }
