"""How many threads a comparison's cells compute with."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from acclimate.data.synthetic import shifted_blobs
from acclimate.running.cells import compare
from acclimate.running.comparison import Comparison, Row, cell_folder
from acclimate.runs.record import Run
from acclimate.runs.request import Request


@pytest.mark.parametrize(("asked", "expected"), [(None, 3), ("1", 1)])
def test_a_cell_has_the_cores_it_may_and_no_more_threads_than_the_user_says(
    asked: str | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two threads where another program has one of two cores wait for each other most of the time.
    task = shifted_blobs(60, shift=1.0)
    np.savez(tmp_path / "source.npz", X=task.source.inputs, y=task.source.labels)
    np.savez(tmp_path / "target.npz", X=task.target.inputs, y=task.hidden.target)
    request = Request(
        source=str(tmp_path / "source.npz"),
        target=str(tmp_path / "target.npz"),
        method="source-only",
        training={"steps": 2, "batch_size": 16, "device": "cpu"},
    )
    comparison = Comparison(id="blobs", seeds=1, rows=(Row(name="a", request=request),))
    monkeypatch.setattr(joblib, "cpu_count", lambda: 3)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    before = torch.get_num_threads()
    torch.set_num_threads(int(asked or 2))  # what torch does with the variable when it starts
    try:
        list(compare(comparison, tmp_path / "cells"))
    finally:
        torch.set_num_threads(before)
    assert Run(cell_folder(tmp_path / "cells", comparison.rows[0], 0)).config["threads"] == expected
