"""POST /api/predict of real runs: texts, rows of a table or of numbers and several pictures, at once and damaged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

import acclimate as ac
from acclimate.data.ragged import to_texts
from acclimate.data.synthetic import shifted_blobs, two_vocabularies
from acclimate.running.adaptation import adapt
from acclimate.runs.request import Request
from acclimate.serving.app import create_app
from acclimate.serving.searching import Limits, Served
from commands import write_table
from served import FORM, Judge, png, sketch

STEPS = {"steps": 20, "evaluations": 1}


def asking(served: Served, **limits: Any) -> TestClient:
    app = create_app(served, limits=Limits(bytes=100_000, **limits))
    return TestClient(app, "http://localhost", raise_server_exceptions=False)


def of_run(folder: Path) -> Served:
    from acclimate.cli.serve import _served

    return _served(folder, None, "auto")


@pytest.fixture(scope="module")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("rows")
    task = shifted_blobs(120, shift=1.0)
    source = write_table(task.source, base / "source.csv", task.source.labels)
    target = write_table(task.target, base / "target.csv", None)
    request = Request(
        source=str(source), target=str(target), label_column="kind", method="dann", network="mlp", training=STEPS
    )
    adapt(request, base / "run")
    return base / "run"


@pytest.fixture(scope="module")
def text_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base, task = tmp_path_factory.mktemp("texts"), two_vocabularies(60)
    for side in ("source", "target"):
        domain = getattr(task, side)
        labels = [None if label < 0 else domain.classes[label] for label in domain.labels]
        lines = [json.dumps({"text": t, "label": y}) for t, y in zip(to_texts(domain.rows), labels, strict=True)]
        (base / f"{side}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    request = Request(
        source=str(base / "source.jsonl"), target=str(base / "target.jsonl"), method="tfidf", baseline=False
    )
    adapt(request, base / "run")
    return base / "run"


@pytest.fixture(scope="module")
def number_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base, task = tmp_path_factory.mktemp("numbers"), shifted_blobs(120, shift=1.0)
    np.savez(base / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(base / "target.npz", X=task.target.inputs)
    request = Request(
        source=str(base / "source.npz"), target=str(base / "target.npz"), method="dann", network="mlp", training=STEPS
    )
    adapt(request, base / "run")
    return base / "run"


@pytest.fixture(scope="module")
def of_table(table_run: Path) -> Iterator[TestClient]:
    with asking(of_run(table_run)) as made:
        yield made


@pytest.fixture(scope="module")
def of_texts(text_run: Path) -> Iterator[TestClient]:
    with asking(of_run(text_run)) as made:
        yield made


@pytest.fixture(scope="module")
def of_numbers(number_run: Path) -> Iterator[TestClient]:
    with asking(of_run(number_run), examples=130) as made:
        yield made


def asked(client: TestClient, body: object) -> Any:
    return client.post("/api/predict", content=json.dumps(body))


def probabilities(answer: Any, when: str = "after") -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.array([[one[when] for one in found["classes"]] for found in answer.json()["predictions"]])


def refused(answer: Any, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    for word in words:
        assert word in answer.json()["detail"]


def test_rows_of_a_table_are_answered_as_the_run_answers(of_table: TestClient, table_run: Path) -> None:
    rows = pl.read_csv(table_run.parent / "target.csv").to_dicts()
    answer = asked(of_table, {"rows": rows})
    expected = ac.load(table_run).predict_proba(pl.DataFrame(rows))
    np.testing.assert_allclose(probabilities(answer), expected, atol=1e-6)
    before = ac.load(table_run / "baseline").predict_proba(pl.DataFrame(rows))
    np.testing.assert_allclose(probabilities(answer, "before"), before, atol=1e-6)
    best = [one["after"] for one in answer.json()["predictions"]]
    assert best == list(ac.load(table_run).predict(pl.DataFrame(rows)))


def test_columns_stand_in_any_order_and_others_are_left_out(of_table: TestClient) -> None:
    info = of_table.get("/api/info").json()
    assert (info["kind"], info["takes"], info["columns"], info["size"]) == ("classify", "rows", ["x", "y"], None)
    one = probabilities(asked(of_table, {"rows": [{"x": 1.5, "y": -0.5}]}))
    other = probabilities(asked(of_table, {"rows": [{"note": "hi", "y": -0.5, "x": "1.5"}]}))
    np.testing.assert_array_equal(one, other)


def test_a_missing_value_is_filled_and_told(of_table: TestClient) -> None:
    answer = asked(of_table, {"rows": [{"x": None, "y": -0.5}, {"x": 1.0, "y": 0.0}]})
    assert np.isfinite(probabilities(answer)).all()
    assert any("x" in note for note in answer.json()["notes"])


def test_texts_are_answered_as_the_run_answers(of_texts: TestClient, text_run: Path) -> None:
    texts = [json.loads(line)["text"] for line in (text_run.parent / "target.jsonl").read_text().splitlines()]
    answer = asked(of_texts, {"texts": texts})
    np.testing.assert_allclose(probabilities(answer), ac.load(text_run).predict_proba(texts), atol=1e-6)
    assert {one["before"] for one in answer.json()["predictions"]} == {None}
    assert of_texts.get("/api/info").json()["takes"] == "texts"


def test_rows_of_numbers_keep_their_order(of_numbers: TestClient, number_run: Path) -> None:
    with np.load(number_run.parent / "target.npz") as stored:
        rows = stored["X"]
    answer = asked(of_numbers, {"rows": rows.tolist()})
    np.testing.assert_allclose(probabilities(answer), ac.load(number_run).predict_proba(rows), atol=1e-6)


def test_several_pictures_in_one_form() -> None:
    with asking(Served("Digits", "mcc", FORM, classifier=Judge())) as client:
        files = [
            ("images", (f"{i}.png", png(sketch(side=side)), "image/png")) for i, side in enumerate((32, 64, 200))
        ]
        answer = client.post("/api/predict", files=files)
        assert len(answer.json()["predictions"]) == 3
        # One picture in a list is a list of one, and alone what it was.
        assert len(client.post("/api/predict", files=files[:1]).json()["predictions"]) == 1
        alone = client.post("/api/predict", content=png(sketch(side=32))).json()
        assert alone == answer.json()["predictions"][0]
        refused(client.post("/api/predict", files=[("image", f[1]) for f in files]), 400, "must all be called images")
        broken = [*files, ("images", ("x.png", b"nothing", "image/png"))]
        refused(client.post("/api/predict", files=broken), 415, "PNG, JPEG")
    with asking(Served("Digits", "mcc", FORM, classifier=Judge()), pictures=2) as client:
        refused(client.post("/api/predict", files=files), 400, "at most 2 files")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "must be JSON"),
        (b"x=1&y=2", 400, "must be JSON"),
        (b"\xff\xfe", 400, "must be JSON"),
        (b"[" * 50_000, 400, "must be JSON"),
        (b'{"rows": ' + b"9" * 50_000 + b"}", 400, "must be JSON"),
        (b"[]", 400, '{"rows"'),
        (b'{"rows": []}', 400, "none of them"),
        (b'{"texts": ["a"]}', 400, "'texts'"),
        (b'{"rows": [[1, 2]]}', 400, "got a list at place 0"),
        (b'{"rows": [{"x": 1, "y": 2}, 3]}', 400, "got a int at place 1"),
        (b'{"rows": [{"x": 1}]}', 422, "none called y"),
        (b'{"rows": [{"x": 1, "y": "many"}]}', 422, "many"),
        (b'{"rows": [{"x": 1, "y": [2]}]}', 422, "must hold numbers"),
        (b'{"rows": [{"x": 1, "y": Infinity}]}', 422, "inf"),
    ],
)
def test_what_is_no_table(of_table: TestClient, body: bytes, status: int, words: str) -> None:
    refused(of_table.post("/api/predict", content=body), status, words)


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        ([{"x": 1.0}], 400, "got a dict"),
        ([[1.0, 2.0], [1.0]], 422, "equally long"),
        ([[1.0, "many"]], 422, "rows of numbers"),
        ([[1.0, [2.0]]], 422, "rows of numbers"),
        ([[1.0, 2.0, 3.0]], 422, "2"),
        ([[]], 422, ""),
        ([[1.0, 2.0]] * 131, 413, "at most 130 rows"),
    ],
)
def test_what_is_no_array(of_numbers: TestClient, rows: list[Any], status: int, words: str) -> None:
    refused(asked(of_numbers, {"rows": rows}), status, words)


def test_other_refusals(of_texts: TestClient) -> None:
    refused(asked(of_texts, {"texts": ["good", 3]}), 400, "got a int at place 1")
    refused(of_texts.post("/api/predict", files={"image": png(sketch())}), 415, "reads no pictures")
    refused(of_texts.post("/api/predict", content=b" " * 200_000), 413, "at most")
    refused(of_texts.post("/api/search", content=png(sketch())), 409, "indexed")
    assert probabilities(asked(of_texts, {"texts": ["", "\ud800 half"]})).shape == (2, 2)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rows", "x", "y", "z"]), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(json_values | st.fixed_dictionaries({"rows": st.lists(st.dictionaries(st.sampled_from("xyz"), json_values))}))
def test_whatever_is_asked_is_answered_or_refused(of_table: TestClient, body: object) -> None:
    answer = asked(of_table, body)
    assert answer.status_code in (200, 400, 422), answer.text
    if answer.status_code == 200:
        assert np.isfinite(probabilities(answer)).all()


def test_the_page_of_such_a_run_asks_for_it(of_texts: TestClient) -> None:
    assert "ask.js" in of_texts.get("/").text
    with asking(Served("Digits", "mcc", FORM, classifier=Judge())) as client:
        assert "app.js" in client.get("/").text
