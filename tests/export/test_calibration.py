"""The temperature of an exported model: found where it is known, and told beside the answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import acclimate as ac
from acclimate.data.synthetic import shifted_blobs
from acclimate.export.calibration import LEAST, calibrated, calibration_of
from acclimate.export.folder import export_run
from acclimate.running.adaptation import load
from acclimate.training.fitted import softmax
from exporting import KINDS, answers_alone, run_of
from worlds import quick_fit


def drawn(temperature: float, n: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a model that is too sure by that factor, and labels as its true probabilities have them."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 2, (n, 4))
    labels = (softmax(true).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return temperature * true, labels


@settings(max_examples=20, deadline=None)
@given(st.floats(0.2, 8), st.integers(0, 99))
def test_a_known_temperature_is_found(temperature: float, seed: int) -> None:
    found = calibrated(*drawn(temperature, seed=seed))
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.loss <= found.loss_before + 1e-9
    assert found.examples == 20_000


def test_it_is_the_least_loss_that_there_is() -> None:
    logits, labels = drawn(3.0, n=500)
    found = calibrated(logits, labels)
    for factor in (0.9, 0.99, 1.01, 1.1):
        p = softmax(logits / (factor * found.temperature))[np.arange(500), labels]
        assert -np.log(p).mean() > found.loss


@pytest.mark.parametrize("right", [True, False])
def test_where_every_answer_is_right_or_wrong_it_stays_finite(right: bool) -> None:
    logits, _ = drawn(1.0, n=50)
    found = calibrated(logits, logits.argmax(axis=1) if right else logits.argmin(axis=1))
    assert 0.05 <= found.temperature <= 20
    assert np.isfinite(found.loss)


def test_few_examples_or_none_tell_nothing() -> None:
    task = shifted_blobs(60)
    fitted = quick_fit(ac.DANN()._method(), task, steps=5)
    assert calibration_of(fitted, None) is None
    assert calibration_of(fitted, task.source.take(slice(LEAST - 1))) is None
    assert calibration_of(fitted, task.source.unlabelled()) is None
    assert calibration_of(fitted, task.source.take(slice(LEAST))) is not None


def test_it_stands_beside_the_answers_of_the_folder(tmp_path: Path) -> None:
    run = run_of(KINDS["mcd"], tmp_path / "run", n=400)
    export_run(run.folder, tmp_path / "model")
    told = json.loads((tmp_path / "model" / "inference.json").read_text())["calibration"]
    assert told["examples"] >= LEAST
    assert told["loss"] <= told["loss_before"]
    target = run.config["request"]["target"]
    rows = answers_alone(tmp_path / "model", target)
    domain = ac.read(target)
    logits = load(run.folder).outputs(domain.unlabelled(), keep_features=False).logits
    expected = softmax(logits.astype(np.float64) / told["temperature"]).max(axis=1)
    np.testing.assert_allclose([float(row["calibrated"]) for row in rows], expected, atol=1e-4)
    plain = softmax(logits.astype(np.float64)).max(axis=1)
    np.testing.assert_allclose([float(row["confidence"]) for row in rows], plain, atol=1e-4)
    assert "Neither is a promise" in (tmp_path / "model" / "README.md").read_text()
