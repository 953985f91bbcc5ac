"""Candidates for an audit to choose between: quick closed-form adaptations of public features, with their answers.

Twelve Office-Caltech-10 pairs, in SURF and in MobileNetV2 features, each as it is and with a target in which half of
the classes keep a fifth of their examples; and scikit-learn's digits seen by six other cameras: 54 tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.linalg import fractional_matrix_power
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from acclimate.data import catalog

_PLACES = ("amazon", "caltech", "webcam", "dslr")
_WIDTH, _ROUNDS, _CUT = 64, 5, 0.2
FIRST = "source only"


@dataclass(frozen=True, eq=False)
class Candidates:
    """Class probabilities of each candidate on a target, source only first, and the labels that none has seen."""

    task: str
    probabilities: dict[str, np.ndarray]
    labels: np.ndarray


def bank() -> Iterator[Candidates]:
    """Every task of the bank."""
    for kind in ("surf", "mobilenetv2"):
        for source, target in permutations(_PLACES, 2):
            from_, to = (catalog.load(f"office_caltech10_{kind}", place) for place in (source, target))
            for shifted in (False, True):
                kept = _fewer(to.labels) if shifted else np.arange(len(to))
                name = f"{kind}:{source}-{target}{', classes cut' if shifted else ''}"
                yield _candidates(name, from_.array, from_.labels, to.array[kept], to.labels[kept])
    yield from _cameras()


def _cameras() -> Iterator[Candidates]:
    """Digits 8×8 as they are, and others that were dimmed, blurred and so on."""
    digits = load_digits()
    images, labels = digits.images, digits.target
    half, rng = len(images) // 2, np.random.default_rng(0)
    seen = {
        "dimmed": images * 0.3 + 2,
        "inverted": 16 - images,
        "blurred": gaussian_filter(images, (0, 0.9, 0.9)),
        "noisy": images + rng.normal(scale=5, size=images.shape),
        "moved": np.roll(images, 1, axis=2),
        "lit from one side": images + np.linspace(0, 16, 8),
    }
    for name, others in seen.items():
        flat = [part.reshape(len(part), -1) for part in (images[:half], others[half:])]
        yield _candidates(f"digits:{name}", flat[0], labels[:half], flat[1], labels[half:])


def _fewer(labels: np.ndarray) -> np.ndarray:
    """The rows in which every other class keeps a fifth of its examples."""
    rng = np.random.default_rng(0)
    return np.flatnonzero((labels % 2 == 0) | (rng.random(len(labels)) < _CUT))


def _candidates(task: str, xs: np.ndarray, ys: np.ndarray, xt: np.ndarray, yt: np.ndarray) -> Candidates:
    both = PCA(_WIDTH, random_state=0).fit(np.concatenate([_unit(xs), _unit(xt)]))
    s, t = both.transform(_unit(xs)), both.transform(_unit(xt))
    scale = s.std()
    s, t = s / scale, t / scale
    alone = _fit(s, ys).predict_proba(t)
    return Candidates(
        task,
        {
            FIRST: alone,
            "each side standardised": _fit(_standard(s), ys).predict_proba(_standard(t)),
            "coral": _fit(_coral(s, t), ys).predict_proba(t - t.mean(0) + s.mean(0)),
            "self-training": _self_trained(s, ys, t),
            "balanced answers": _balanced(alone),
            "subspaces aligned": _aligned(s, ys, t),
        },
        yt,
    )


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def _fit(x: np.ndarray, y: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=1.0, max_iter=300).fit(x, y)


def _standard(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(0)) / (x.std(0) + 1e-6)


def _coral(s: np.ndarray, t: np.ndarray) -> np.ndarray:
    eye = np.eye(s.shape[1]) * 0.01
    whitened = (s - s.mean(0)) @ fractional_matrix_power(np.cov(s.T) + eye, -0.5).real
    return np.asarray(whitened @ fractional_matrix_power(np.cov(t.T) + eye, 0.5).real + s.mean(0))


def _self_trained(s: np.ndarray, ys: np.ndarray, t: np.ndarray) -> np.ndarray:
    model = _fit(s, ys)
    for _ in range(_ROUNDS):
        p = model.predict_proba(t)
        sure = p.max(1) >= np.median(p.max(1))
        model = _fit(np.concatenate([s, t[sure]]), np.concatenate([ys, p[sure].argmax(1)]))
    return np.asarray(model.predict_proba(t))


def _balanced(p: np.ndarray) -> np.ndarray:
    """Answers scaled until every class is equally frequent, as Sinkhorn and Knopp do."""
    for _ in range(50):
        p = p / p.sum(0) * len(p) / p.shape[1]
        p = p / p.sum(1, keepdims=True)
    return p


def _aligned(s: np.ndarray, ys: np.ndarray, t: np.ndarray) -> np.ndarray:
    a, b = (PCA(20, random_state=0).fit(x) for x in (s, t))
    projected = (s - s.mean(0)) @ a.components_.T @ a.components_ @ b.components_.T
    return np.asarray(_fit(projected, ys).predict_proba((t - t.mean(0)) @ b.components_.T))
