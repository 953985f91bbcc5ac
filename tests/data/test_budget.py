import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data.budget import LabelBudget
from acclimate.errors import DataError, RequestError


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("0", LabelBudget()),
        (0, LabelBudget()),
        (3, LabelBudget(per_class=3)),
        (" 10 ", LabelBudget(per_class=10)),
        ("1%", LabelBudget(fraction=0.01)),
        (0.05, LabelBudget(fraction=0.05)),
        (1.0, LabelBudget(fraction=1.0)),
        ("all", LabelBudget(fraction=1.0)),
        ("100%", LabelBudget(fraction=1.0)),
        (LabelBudget(per_class=2), LabelBudget(per_class=2)),
    ],
)
def test_reads_what_users_write(text: object, budget: LabelBudget) -> None:
    assert LabelBudget.parse(text) == budget  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["-1", "some", "101%", "2.5", "", "1 %%", "nan", "9" * 5000])
def test_anything_else_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(RequestError, match="label_budget must be 0, a whole number .* or 'all'; got"):
        LabelBudget.parse(text)


@given(st.sampled_from(["0", "1", "7", "all"]) | st.floats(0.001, 1).map(lambda f: f"{f:.6g}"))
def test_survives_being_written_and_read(text: str) -> None:
    budget = LabelBudget.parse(text)
    assert LabelBudget.parse(str(budget)) == budget


labels = st.lists(st.integers(-1, 4), min_size=1, max_size=200).map(np.array)


@given(labels, st.floats(0.01, 1), st.integers(0, 5))
def test_a_fraction_is_stratified_and_adds_up(y: np.ndarray, fraction: float, seed: int) -> None:
    known = y[y >= 0]
    if not len(known):
        return
    chosen = LabelBudget(fraction=fraction).choose(y, seed)
    assert len(np.unique(chosen)) == len(chosen)
    assert (y[chosen] >= 0).all()
    total = 0
    for c in np.unique(known):
        count, size = (y[chosen] == c).sum(), (y == c).sum()
        assert max(1, np.floor(fraction * size)) <= count <= max(1, np.ceil(fraction * size))
        total += count
    classes = len(np.unique(known))
    assert abs(total - fraction * len(known)) <= classes


@given(st.integers(1, 5), st.integers(0, 5))
def test_n_per_class(n: int, seed: int) -> None:
    y = np.repeat([0, 1, 2, -1], 9)
    chosen = LabelBudget(per_class=n).choose(y, seed)
    assert [(y[chosen] == c).sum() for c in (0, 1, 2, -1)] == [n, n, n, 0]
    assert np.array_equal(chosen, LabelBudget(per_class=n).choose(y, seed))


def test_seeds_differ() -> None:
    y = np.repeat([0, 1], 100)
    assert not np.array_equal(LabelBudget(per_class=5).choose(y, 0), LabelBudget(per_class=5).choose(y, 1))


def test_more_than_a_class_has_is_refused() -> None:
    with pytest.raises(DataError, match=r"must not exceed .* \(1 of class 1\); got 2"):
        LabelBudget(per_class=2).choose(np.array([0, 0, 1]), 0)


def test_the_exact_number_of_the_kannada_protocol() -> None:
    y = np.repeat(np.arange(10), 5_500)
    assert len(LabelBudget.parse("1%").choose(y, 0)) == 550
