"""Estimators that predict numbers, as scikit-learn has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.metrics import r2_score

import acclimate as ac
from acclimate.errors import DataError, RequestError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = 1_000 + 50 * X[:, 0] - 20 * X[:, 1]
TARGET = RNG.normal(0.5, 1, size=(40, 3))
TRUTH = 1_000 + 50 * TARGET[:, 0] - 20 * TARGET[:, 1]


@pytest.fixture(scope="module")
def model() -> ac.KernelRidge:
    return ac.KernelRidge(seed=0).fit((X, Y), TARGET)


def test_it_is_a_regressor(model: ac.KernelRidge) -> None:
    assert is_regressor(model)
    assert not is_classifier(model)
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "classes_")
    assert clone(model).get_params() == model.get_params()


def test_predict_gives_numbers_in_the_units_of_y_and_score_is_r2(model: ac.KernelRidge) -> None:
    predicted = model.predict(TARGET)
    assert predicted.shape == (40,)
    assert predicted.dtype == np.float64
    assert model.score(TARGET, TRUTH) == pytest.approx(r2_score(TRUTH, predicted))
    assert model.score((TARGET, TRUTH)) > 0.7
    assert model.score(TARGET, np.where(np.arange(40) < 20, TRUTH, np.nan)) == pytest.approx(
        r2_score(TRUTH[:20], predicted[:20])
    )


def test_steps_learn_from_numbers_too() -> None:
    fitted = ac.DAREGRAM(steps=20, batch_size=16, seed=0).fit(
        (X, Y), (TARGET, np.where(np.arange(40) < 5, TRUTH, np.nan))
    )
    assert np.isfinite(fitted.predict(TARGET)).all()
    assert 900 < fitted.predict(TARGET).mean() < 1_100


def test_weights_leave_and_come_back(model: ac.KernelRidge, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "model")
    again = ac.from_pretrained(tmp_path / "model")
    assert is_regressor(again)
    np.testing.assert_allclose(again.predict(TARGET), model.predict(TARGET))


def test_what_it_cannot_do_is_refused_by_name(model: ac.KernelRidge, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="bins must be left out"):
        ac.KernelRidge(bins=3).fit((X, Y), TARGET)
    with pytest.raises(RequestError, match="adapt must be left out"):
        model.predict(TARGET, adapt="tent")
    with pytest.raises(RequestError, match="must be one that tells classes apart to be gone on with"):
        model.adapt(TARGET)
    with pytest.raises(RequestError, match="must be safetensors"):
        model.export(tmp_path / "out", TARGET)
    with pytest.raises(DataError, match="must be given to score"):
        model.score(TARGET)
    with pytest.raises(DataError, match="must be finite numbers"):
        ac.KernelRidge().fit((X, [*Y[:-1], np.inf]), TARGET)
