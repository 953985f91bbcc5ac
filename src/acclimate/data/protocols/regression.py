"""Public tasks with a number to predict: people's diabetes after a year, and how far a digit was turned."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from acclimate.data import catalog
from acclimate.data.domain import Domain
from acclimate.data.specs import TaskSpec
from acclimate.data.task import Task

# What parts the patients: a column, and what the source has less than.
_PARTS = {
    "sex": "one sex → the other",
    "age": "the younger half → the older",
    "bmi": "the lighter half → the heavier",
}
_METHOD, _MOST_DEGREES = "dare-gram", 60.0
# Training images of either side, and of the target to score.
_DRAWN, _SCORED = 1_500, 500


def regression_specs() -> Iterator[TaskSpec]:
    """Tables of scikit-learn's own, and turned digits."""

    def parted(by: str) -> Callable[[int], Task]:
        return lambda seed: diabetes(by, seed)

    for by, words in _PARTS.items():
        what = "disease progression (25 to 346) of 442 patients, by nine measurements"
        summary = f"{what}: {words}; half of the target scored, drawn by seed"
        yield TaskSpec(f"diabetes-{by}", summary, parted(by), "mlp", method=_METHOD)
    turned = f"angle in degrees, drawn by seed between ±{_MOST_DEGREES:.0f}"
    summary = f"{_DRAWN:,} images a side and {_SCORED:,} scored, each turned by an {turned}"
    yield TaskSpec("mnist-usps-angle", summary, turned_digits, "mcd-usps", method=_METHOD)


def diabetes(by: str, seed: int) -> Task:
    """Efron, Hastie, Johnstone & Tibshirani's patients (Least Angle Regression, 2004), parted by one column.

    The column that parts them is no input.
    """
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    column = found.feature_names.index(by)
    values, x = found.data[:, column], np.delete(found.data, column, axis=1).astype(np.float32)
    above = values > np.median(values) if by != "sex" else values > values.min()
    order = np.random.default_rng([seed, 0xD1AB]).permutation(np.flatnonzero(above))

    def part(name: str, rows: np.ndarray) -> Domain:
        return Domain(x[rows], numbers=found.target[rows], name=name)

    source, target = part("source", np.flatnonzero(~above)), part("target", order[::2])
    return Task(source, target, target_test=part("target_test", order[1::2])).with_source_test(seed=seed)


def turned_digits(seed: int) -> Task:
    """MNIST and USPS, each image turned about its middle by an angle that is to be told."""
    rng = np.random.default_rng([seed, 0x7043])
    source, target = (_turned(catalog.load(name, "train"), _DRAWN, name, rng) for name in ("mnist", "usps"))
    tests = [_turned(catalog.load(name, "test"), _SCORED, f"{name}/test", rng) for name in ("mnist", "usps")]
    return Task(source, target, source_test=tests[0], target_test=tests[1])


def _turned(domain: Domain, n: int, name: str, rng: np.random.Generator) -> Domain:
    from PIL import Image

    chosen = np.sort(rng.permutation(len(domain))[:n])
    angles = rng.uniform(-_MOST_DEGREES, _MOST_DEGREES, n)
    images = [
        np.asarray(Image.fromarray(image[..., 0]).rotate(angle, Image.Resampling.BILINEAR))
        for image, angle in zip(domain.array[chosen], angles, strict=True)
    ]
    return Domain(np.stack(images)[..., None], numbers=angles, name=name)
