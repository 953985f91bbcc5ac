"""The kind of change that, undone, leaves nothing of a shift: found on worlds where it is known, and by what rule."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gaussian_kde

import acclimate as ac
from acclimate.data.protocols.simulated import simulated
from acclimate.selection import families
from acclimate.selection.families import Families, Undone, _best, _log_density

METHODS = {
    "covariate": "kmm",
    "label": "mlls",
    "concept": "linear-monge",
    "subspace": "stationary-subspace",
}


@pytest.mark.parametrize("shift", METHODS)
def test_each_of_skadas_shifts_is_given_its_method(shift: str) -> None:
    task = simulated(shift, 0)
    found = ac.diagnose(task.source, task.target)
    assert found.method == METHODS[shift]
    assert found.outlook == "may help"
    named = found.to_dict()["families"]
    assert named["best"] == found.family == next(k for k, v in families.METHOD.items() if v == METHODS[shift])
    assert "explains it best" in str(found)
    assert ("proportions" in found.causes) == (shift == "label")


def test_no_shift_has_no_family() -> None:
    task = simulated("label", 0)
    half = np.arange(len(task.source)) % 2 == 0
    found = ac.diagnose(task.source.take(half), task.source.take(~half).unlabelled())
    assert (found.family, found.method) == (None, "source-only")
    assert found.to_dict()["families"] is None


def test_a_target_of_which_all_lies_beyond_the_source_has_no_family() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 3)), np.arange(300) % 2
    ends = 20 * rng.choice([-1.0, 1.0], 300)[:, None] + 0.1 * rng.normal(size=(300, 3))
    found = ac.diagnose(x, ends, labels=y)
    assert found.shift
    assert found.family is None


def undone(family: families.Family, fit: float, noise: float = 0.0) -> Undone:
    rng = np.random.default_rng(len(family))
    return Undone(family, 0.0, 1.0, fit + noise * rng.normal(size=400))


def test_the_likeliest_is_taken_and_a_close_one_named() -> None:
    near = [undone("label", -3.0), undone("linear", -1.02, 0.5), undone("covariate", -1.0, 0.5)]
    assert set(_best(near, emptied=False)) == {"linear", "covariate"}
    assert _best([undone("linear", -2.0), undone("covariate", -1.0)], emptied=False) == ("covariate", None)
    assert _best([], emptied=False) == (None, None)


def test_label_shift_goes_first_where_it_is_as_likely_unless_it_empties_a_class() -> None:
    close = [undone("label", -1.0, 0.5), undone("linear", -1.0, 0.5), undone("covariate", -0.99, 0.5)]
    assert _best(close, emptied=False)[0] == "label"
    assert _best(close, emptied=True)[0] == "linear"
    assert _best([undone("label", -1.0, 0.5), undone("linear", -9.0)], emptied=True) == ("label", None)


def test_densities_are_those_of_scipy_but_for_the_tail() -> None:
    rng = np.random.default_rng(0)
    rows, x = rng.normal(size=(80, 2)), 0.6 * rng.normal(size=(30, 2))
    weights = rng.uniform(size=80)
    cov = np.cov(rows.T, aweights=weights)
    turn = np.linalg.inv(np.linalg.cholesky(cov))  # SciPy's kernels have the rows' covariance
    expected = gaussian_kde(rows.T, 0.5, weights)(x.T) * np.sqrt(np.linalg.det(cov))
    found = _log_density(x @ turn.T, rows @ turn.T, 0.5, weights) - np.log(2 * np.pi)
    np.testing.assert_allclose(found, np.log(expected), atol=0.05)


def test_nothing_is_asked_of_sides_that_do_not_vary() -> None:
    assert Families((), None).rival is None
    x, y = np.ones((60, 2)), np.arange(60) % 2
    assert ac.diagnose(x, x, labels=y).family is None
