"""uLSIF: the corner of the source that the target is in comes to count, and less so relative to both."""

from __future__ import annotations

import numpy as np
from sklearn.metrics.pairwise import rbf_kernel

from acclimate.objectives.density_ratio import ulsif
from shifts import a_corner, gain


def test_solves_a_corner_that_the_source_hardly_sees() -> None:
    """A model too smooth for both of the class's changes follows the one that weights tell it of."""
    assert gain("ulsif", a_corner(), penalty=0.01) > 0.25


def test_a_relative_ratio_is_bounded() -> None:
    task = a_corner()
    own, other = (rbf_kernel(side.array, task.target.array[:50], 4.0) for side in (task.source, task.target))
    assert np.max(own @ ulsif(own, other, 1e-3)) > 4
    assert np.max(own @ ulsif(own, other, 1e-3, relative=0.5)) < 2.2
