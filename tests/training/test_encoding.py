"""A run as serving sees it: vectors that are its features, probabilities that are its answers."""

from pathlib import Path

import numpy as np
import pytest

import acclimate as ac
from acclimate.data.domain import Domain
from acclimate.errors import RequestError
from acclimate.running.adaptation import adapt, load
from acclimate.running.picture_models import RunClassifier, RunEncoder
from acclimate.runs.request import Request
from acclimate.training.fitted import softmax


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "dann"
    adapt(Request(task="demo", method="dann", training={"steps": 6, "evaluations": 1}), folder)
    return folder


def pictures(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 1), dtype=np.uint8)


def test_vectors_are_the_features_of_the_run(run: Path) -> None:
    fitted, encoder = load(run), RunEncoder(load(run))
    assert encoder.form("source").shape == encoder.form("target").shape == (8, 8, 1)
    found = encoder.encode(pictures(5), "target")
    np.testing.assert_array_equal(found, fitted.outputs(Domain(pictures(5), name="x")).features)
    assert found.shape == (5, encoder.width)


def test_an_encoder_is_known_by_its_weights(run: Path) -> None:
    fitted = load(run)
    name = RunEncoder(load(run)).name
    assert RunEncoder(fitted).name == name
    next(iter(fitted.nets["features"].parameters())).data[0] += 1e-3
    assert RunEncoder(fitted).name != name


def test_answers_with_and_without_adaptation(run: Path) -> None:
    classifier = RunClassifier(run)
    assert classifier.classes == tuple("0123456789")
    assert classifier.before_name == "source-only"
    for found, folder in ((classifier.after(pictures(4)), run), (classifier.before(pictures(4)), run / "baseline")):
        expected = softmax(load(folder).outputs(Domain(pictures(4), name="x")).logits)
        assert found is not None
        np.testing.assert_array_equal(found, expected)


def test_without_a_baseline_there_is_no_before(tmp_path: Path) -> None:
    request = Request(task="demo", method="source-only", training={"steps": 2, "evaluations": 1})
    adapt(request, tmp_path / "run")
    classifier = RunClassifier(tmp_path / "run")
    assert classifier.before_name is None
    assert classifier.before(pictures(1)) is None


def test_a_model_of_features_reads_no_pictures() -> None:
    rng = np.random.default_rng(0)
    source = ac.Domain(rng.normal(size=(20, 3)).astype("float32"), np.arange(20) % 2, ("a", "b"))
    from acclimate.problems.fitting import fit
    from acclimate.problems.planning import make_method, make_plan

    fitted = fit(make_plan(make_method("dann", {}), source, source, options={"steps": 1}), source, source)
    with pytest.raises(RequestError, match="must be one that reads images; got one that reads features"):
        RunEncoder(fitted)
