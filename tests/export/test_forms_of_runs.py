"""Every model as a program, as ONNX, as PyTorch's own and as arrays: the answers of the run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.errors import RequestError, WorkError
from acclimate.export import exits as leaving
from acclimate.export.folder import export_run
from acclimate.export.forms import FORMS
from acclimate.export.standalone.steps import STEPS
from acclimate.running.requests import raw_task_of_run
from exporting import KINDS, exits_of, run_of


@pytest.mark.parametrize("name", KINDS)
def test_ten_models_leave_as_onnx_and_answer_alike(name: str, tmp_path: Path) -> None:
    run = run_of(KINDS[name], tmp_path / "made")
    written = export_run(run.folder, tmp_path / "out")
    assert written.checked >= 22  # photos to be found are set aside for a test
    assert {"README.md", "inference.json", "model.onnx", "predict.py"} <= {
        p.name for p in (tmp_path / "out").iterdir()
    }
    for one in exits_of(run):
        answer = FORMS["onnx"].runner(tmp_path / "out" / f"{one.name}.onnx")
        np.testing.assert_allclose(answer(next(one.examples())[:1]), one.expected[:1], atol=1e-4)


@pytest.mark.parametrize("name", ["mlp", "mcd", "tfidf"])
def test_pytorch_reads_its_own_form(name: str, tmp_path: Path) -> None:
    run = run_of(KINDS[name], tmp_path / "made")
    export_run(run.folder, tmp_path / "out", ("pt2",))
    (one,) = exits_of(run)
    one.check(FORMS["pt2"].runner(tmp_path / "out" / "model.pt2"), "pt2")


def test_arrays_of_more_than_maps_are_refused_with_the_next_move(tmp_path: Path) -> None:
    run = run_of(KINDS["amn"], tmp_path / "made")
    with pytest.raises(RequestError, match="form must be onnx or pt2 .* Leave --form out"):
        export_run(run.folder, tmp_path / "out", ("arrays",))
    assert not (tmp_path / "out").exists()


def test_a_form_that_answers_otherwise_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(KINDS["lrt"], tmp_path / "made")
    monkeypatch.setitem(STEPS, "linear", lambda arrays, x, w, b: x @ arrays[w].T + arrays[b] + 0.001)
    with pytest.raises(WorkError, match="24 of 24 differ, by 0.001"):
        export_run(run.folder, tmp_path / "out", ("arrays",))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made"]


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ([[1.0, 2.0], [3.0, 3.0]], ""),
        ([[1.00005, 2.0], [3.00005, 3.0]], ""),
        ([[1.0, 2.0], [3.0, 3.01]], "1 of 2 differ, by 0.01 at most"),
        ([[1.0, np.nan], [3.0, 3.0]], "1 of 2 differ"),
        ([[1.0, 2.0]], r"\(1, 2\) numbers in place of \(2, 2\)"),
    ],
)
def test_what_makes_answers_the_same(got: list[list[float]], said: str) -> None:
    found = leaving.difference(np.array([[1.0, 2.0], [3.0, 3.0]]), np.array(got))
    assert re.match(said or "$", found), found


def test_examples_of_the_users_own_choice_check_a_run_whose_data_are_gone(tmp_path: Path) -> None:
    run = run_of(KINDS["lrt"], tmp_path / "made")
    target = raw_task_of_run(run).target
    (tmp_path / "made" / "target.npz").unlink()
    with pytest.raises(RequestError, match="--data PATH"):
        export_run(run.folder, tmp_path / "out", ("arrays",))
    assert export_run(run.folder, tmp_path / "out", ("arrays",), data=Domain(target.array[:5])).checked == 5
