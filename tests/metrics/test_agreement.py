from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from acclimate.metrics.agreement import agreement

ANSWERS = hnp.arrays(np.int64, st.tuples(st.integers(1, 5), st.integers(1, 20)), elements=st.integers(0, 3))


def test_a_share_of_the_same_answers() -> None:
    one, two, three = np.array([0, 1, 2, 2]), np.array([0, 1, 0, 2]), np.array([1, 2, 0, 0])
    assert agreement([one, two, three]).tolist() == [[1, 0.75, 0], [0.75, 1, 0.25], [0, 0.25, 1]]


@given(ANSWERS)
def test_it_is_what_counting_one_by_one_gives(answers: np.ndarray) -> None:
    found = agreement(list(answers))
    for i, one in enumerate(answers):
        for j, other in enumerate(answers):
            assert found[i, j] == sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
