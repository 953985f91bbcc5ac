"""Methods of plain vectors: each against its paper's formulas, against POT, and against what skada answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import ot
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from acclimate.errors import MissingExtraError, RequestError
from acclimate.methods.closed_form import ClosedForm
from acclimate.methods.shallow import common
from acclimate.methods.shallow.gfk import GFK
from acclimate.methods.shallow.jda import JDA
from acclimate.methods.shallow.jdot import JDOT
from acclimate.methods.shallow.linear_coral import LinearCORAL
from acclimate.methods.shallow.otda import OTDA
from acclimate.methods.shallow.otda_emd import OTDAEMD
from acclimate.methods.shallow.tca import TCA
from acclimate.objectives.covariances import recoloured
from acclimate.objectives.geodesic_flow import geodesic_flow
from acclimate.objectives.moments_of_sides import linear_monge
from acclimate.types import UNLABELLED, Examples, Passes

RNG = np.random.default_rng(0)
# In single precision from the start, so that nothing differs but the method.
X_S = (RNG.normal(size=(30, 3)) + 2 * np.eye(3)[np.arange(30) % 3]).astype(np.float32)
Y_S = np.arange(30) % 3
X_T = RNG.normal(size=(24, 3)) * [1, 0.7, 1.2] + 2 * np.eye(3)[np.arange(24) % 3] + [1.5, 0, -1]
X_T = X_T.astype(np.float32)
NEW = RNG.normal(size=(50, 3)).astype(np.float32)
ALL = (GFK, TCA, JDA, LinearCORAL, OTDA, OTDAEMD, JDOT)


def solved(
    method: ClosedForm, given: Mapping[int, int] | None = None, source: Any = None, target: Any = None
) -> dict[str, torch.nn.Module]:
    """Its networks after both sides, in two batches each; `given` are labels of target examples by row."""
    labels = np.full(len(X_T), UNLABELLED)
    for row, label in (given or {}).items():
        labels[row] = label
    source = (X_S, Y_S) if source is None else source
    target = (X_T, labels) if target is None else target

    def passing(x: np.ndarray, y: np.ndarray) -> Any:
        halves = np.array_split(np.arange(len(x)), 2)
        return lambda: (Examples(torch.from_numpy(x[h]), torch.from_numpy(y[h])) for h in halves)

    nets = method.networks(None, 3)
    method.solve(nets, Passes(passing(*source), passing(*target)))
    return nets


def answers(method: ClosedForm, nets: Any, x: np.ndarray = NEW, side: Any = "target") -> np.ndarray:
    return method.logits(nets, torch.from_numpy(x), side).numpy().argmax(axis=1)


def kept(nets: Any) -> np.ndarray:
    """The rows that the nearest neighbour is asked of."""
    rows, offsets = (getattr(nets["classifier"], name).double().numpy() for name in ("rows", "offsets"))
    return rows * (-2 * offsets / np.square(rows).sum(axis=1))[:, None]


def zscored(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    return (x - x.mean(axis=0)) / x.std(axis=0)


def test_jdot_is_skadas() -> None:
    """`solve_jdot_classification` of skada 0.6.0 with LogisticRegression(max_iter=1000) on the same numbers."""
    nets = solved(JDOT())
    coefficients = [
        [0.9120469545447873, -0.7675843295728692, -0.8136969526662202],
        [-0.45590634043041733, 1.4777499215748553, -0.23710662698615328],
        [-0.45614061411436996, -0.7101655920019863, 1.050803579652374],
    ]
    np.testing.assert_allclose(nets["classifier"].weight.numpy(), coefficients, atol=1e-6)
    intercepts = [-1.279741010512749, -0.3076150510535825, 1.5873560615663314]
    np.testing.assert_allclose(nets["classifier"].bias.numpy(), intercepts, atol=1e-6)


def test_jdot_takes_given_labels_for_what_they_are() -> None:
    given = {row: (row + 1) % 3 for row in range(24)}  # all, and each another than the transport would bring
    nets = solved(JDOT(penalty=1e4), given)
    assert (answers(JDOT(), nets, X_T) == np.array(list(given.values()))).mean() > 0.6


def test_least_cost_is_an_assignment_where_sides_are_of_one_size() -> None:
    source, target = X_S[:24], X_T
    nets = solved(OTDAEMD(), source=(source, Y_S[:24]))
    cost = np.square(source[:, None].astype(float) - target[None]).sum(axis=2)
    _, place = linear_sum_assignment(cost)
    np.testing.assert_allclose(kept(nets), target[place], atol=1e-5)


@pytest.mark.filterwarnings("ignore:Sinkhorn did not converge")
def test_transport_by_classes_is_pots() -> None:
    nets = solved(OTDA(entropy=0.05, classes=0.2))
    cost = ot.dist(X_S.astype(float), X_T.astype(float))
    uniform = np.full(30, 1 / 30), np.full(24, 1 / 24)
    plan = ot.da.sinkhorn_lpl1_mm(uniform[0], Y_S, uniform[1], cost / cost.max(), 0.05, 0.2, stopInnerThr=1e-8)
    moved = plan @ X_T.astype(float) / plan.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(kept(nets), moved, atol=1e-6 * np.abs(moved).max())
    nearest = KNeighborsClassifier(1).fit(moved, Y_S)
    np.testing.assert_array_equal(answers(OTDA(), nets), nearest.predict(NEW))


def test_without_the_classes_term_it_is_sinkhorns_plan() -> None:
    nets = solved(OTDA(entropy=0.2, classes=0.0))
    cost = ot.dist(X_S.astype(float), X_T.astype(float))
    plan = ot.sinkhorn([], [], cost / cost.max(), 0.2, stopThr=1e-10)
    np.testing.assert_allclose(kept(nets), plan @ X_T / plan.sum(axis=1, keepdims=True), atol=1e-5)


def test_what_the_source_becomes_is_what_skada_makes_of_it() -> None:
    """First rows of skada 0.6.0's `fit_transform`: OTMapping, CORALAdapter(reg=None)."""
    least = [
        [4.2260937889477646, 0.5906128636122875, 0.3978367773332332],
        [1.4040989799004855, 1.4227106823414282, -0.1536277441272766],
    ]
    np.testing.assert_allclose(kept(solved(OTDAEMD()))[:2], least, atol=1e-5)
    coral = [
        [1.6358377678599392, -0.7821104946355028, -0.6594774055739594],
        [-0.4671196514360776, 0.6275079125600406, -0.6285128742999679],
    ]
    biased = np.sqrt((23 / 24) / (29 / 30))  # skada's covariances divide by n
    centred = X_S.astype(float) - X_S.mean(axis=0, dtype=float)
    ours = centred[:2] @ recoloured(X_S.astype(float), X_T.astype(float), 0.0) * biased
    np.testing.assert_allclose(ours, coral, atol=1e-6)


def test_the_linear_monge_map_is_pots() -> None:
    s, t = X_S.astype(float), X_T.astype(float)
    a, _ = linear_monge(s, t)
    pots = ot.da.LinearTransport(reg=1e-10).fit(Xs=s, Xt=t)
    unbiased = np.sqrt((24 / 23) / (30 / 29))  # POT's covariances divide by n, ours by n − 1
    np.testing.assert_allclose(a, unbiased * pots.A_, atol=1e-6)


def test_linear_coral_compares_moved_examples_with_unmoved_ones() -> None:
    nets = solved(LinearCORAL())
    s, t = zscored(X_S), zscored(X_T)
    moved = s @ recoloured(s, t, 1.0)
    svm = SVC(kernel="precomputed").fit(moved @ s.T, Y_S)
    new = (NEW - X_T.mean(axis=0, dtype=float)) / X_T.std(axis=0, dtype=float)
    np.testing.assert_array_equal(answers(LinearCORAL(), nets), svm.predict(new @ moved.T))


def test_gfk_asks_the_nearest_by_its_kernel() -> None:
    nets = solved(GFK(components=2))
    s, t = zscored(X_S), zscored(X_T)
    bases = [np.linalg.svd(x, full_matrices=False)[2][:2].T for x in (s, t)]
    flow = geodesic_flow(*bases)
    g = flow @ flow.T
    new = (NEW - X_T.mean(axis=0, dtype=float)) / X_T.std(axis=0, dtype=float)
    gaps = new[:, None] - s[None]
    nearest = np.einsum("ijk,kl,ijl->ij", gaps, g, gaps).argmin(axis=1)
    np.testing.assert_array_equal(answers(GFK(), nets), Y_S[nearest])
    np.testing.assert_array_equal(answers(GFK(), nets, X_S, "source"), Y_S)


def test_jda_begins_with_tca() -> None:
    one, other = solved(JDA(rounds=1)), solved(TCA())
    np.testing.assert_allclose(one["features"].weight.numpy(), other["features"].weight.numpy(), atol=1e-6)
    assert not np.allclose(solved(JDA())["features"].weight.numpy(), other["features"].weight.numpy(), atol=1e-3)


@pytest.mark.parametrize("kind", ALL)
def test_source_examples_without_a_label_answer_nothing(kind: type[ClosedForm]) -> None:
    """Their inputs may count, as the target's do; but no class is theirs."""
    labels = np.where(np.arange(30) < 15, UNLABELLED, Y_S)
    nets = solved(kind(), source=(X_S, labels))
    assert np.isfinite(kind().logits(nets, torch.from_numpy(NEW)).numpy()).all()
    if hasattr(nets["classifier"], "labels"):
        assert (nets["classifier"].labels >= 0).all()


@pytest.mark.parametrize("kind", [GFK, TCA, JDA, OTDA])
def test_a_labelled_target_example_answers_for_itself(kind: type[ClosedForm]) -> None:
    nets = solved(kind(), {3: 2, 4: 1})
    np.testing.assert_array_equal(answers(kind(), nets, X_T[3:5]), [2, 1])


@pytest.mark.parametrize("kind", [OTDA, OTDAEMD, JDOT])
def test_too_many_pairs_are_refused(kind: type[ClosedForm], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "_MOST_PAIRS", 100)
    with pytest.raises(RequestError, match=f"at most 100 pairs of examples for the method '{kind.name}'.*30 × 24"):
        solved(kind())


@pytest.mark.parametrize("kind", [GFK, TCA, JDA, LinearCORAL])
def test_too_many_features_are_refused(kind: type[ClosedForm], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "_MOST_SQUARE", 2)
    with pytest.raises(RequestError, match=f"at most 2 features, or pixels, for the method '{kind.name}'; got 3"):
        solved(kind())


@pytest.mark.parametrize("kind", [OTDA, OTDAEMD, JDOT])
def test_without_pot_the_extra_is_named(kind: type[ClosedForm], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(MissingExtraError, match=r"acclimate\[ot\]"):
        solved(kind())


def test_images_are_taken_by_their_pixels() -> None:
    """The same numbers in another shape are the same answers."""
    for kind in ALL:
        flat = solved(kind())
        shaped = solved(
            kind(),
            source=(X_S.reshape(30, 1, 1, 3), Y_S),
            target=(X_T.reshape(24, 1, 1, 3), np.full(24, UNLABELLED)),
        )
        np.testing.assert_array_equal(answers(kind(), shaped, NEW.reshape(50, 1, 1, 3)), answers(kind(), flat))
