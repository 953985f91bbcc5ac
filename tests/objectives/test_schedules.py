import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.objectives.schedules import annealing, constant, cosine, reversal_ramp

progress = st.floats(0, 1)


@given(progress)
def test_ramp_is_a_hyperbolic_tangent(p: float) -> None:
    # 2 / (1 + e^−x) − 1 = tanh(x / 2)
    assert reversal_ramp(p) == pytest.approx(math.tanh(5 * p), abs=1e-12)


@given(progress, progress)
def test_rates_fall_and_stay_in_bounds(p: float, q: float) -> None:
    low, high = sorted((p, q))
    for schedule in (annealing, cosine, constant):
        assert 0 <= schedule(high) <= schedule(low) + 1e-15 <= 1 + 1e-12


def test_published_end_points() -> None:
    assert annealing(1.0) == pytest.approx(11**-0.75)
    assert cosine(0.5) == pytest.approx(0.5)
    assert cosine(1.0) == pytest.approx(0.0, abs=1e-12)
