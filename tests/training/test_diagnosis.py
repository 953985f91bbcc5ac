"""Worlds whose shift is known: each is found and named, and what cannot be seen is said to be unseen."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import acclimate as ac
from acclimate.errors import DataError
from acclimate.selection.diagnosis import Diagnosis
from acclimate.selection.proportions import proportions
from acclimate.selection.source_model import source_model

EVEN, UNEVEN = [0.25] * 4, [0.6, 0.2, 0.15, 0.05]
Sides = tuple[np.ndarray, np.ndarray]


def blobs(rng: np.random.Generator, n: int, shares: list[float], apart: float = 3.0) -> Sides:
    """Normal classes around the corners of a simplex, in six columns."""
    labels = rng.choice(len(shares), n, p=shares)
    return (apart * np.eye(len(shares), 6)[labels] + rng.normal(size=(n, 6))).astype(np.float32), labels


def diagnosed(change: Any, shares: list[float] = EVEN, seed: int = 0, apart: float = 3.0) -> Diagnosis:
    """400 source examples of four even classes against 300 of these shares, changed."""
    rng = np.random.default_rng(seed)
    x, y = blobs(rng, 400, [*EVEN, 0.0], apart)
    target, _ = blobs(rng, 300, [*shares, 0.0][:5] if len(shares) < 5 else shares, apart)
    return ac.diagnose(x, change(target), labels=y)


def same(x: np.ndarray) -> np.ndarray:
    return x


def moved(x: np.ndarray) -> np.ndarray:
    return x + np.float32([1, 0, 0, 0, 0, 0])


def in_another_unit(x: np.ndarray) -> np.ndarray:
    return x * np.float32([1, 1, 1000, 1, 1, 1])


def with_gaps(x: np.ndarray) -> np.ndarray:
    return np.where((np.arange(len(x)) % 2 == 0)[:, None] & (np.arange(6) == 1), np.float32(np.nan), x)


@pytest.mark.parametrize(
    ("change", "shares", "causes", "outlook", "method"),
    [
        (same, EVEN, (), "nothing to gain", "source-only"),
        (moved, EVEN, ("inputs",), "may help", "linear-monge"),
        (same, UNEVEN, ("proportions",), "may help", "mlls"),
        (in_another_unit, EVEN, ("scale",), "mend the columns first", None),
        (in_another_unit, UNEVEN, ("scale", "proportions"), "mend the columns first", None),
        (with_gaps, EVEN, ("missing",), "mend the columns first", None),
    ],
    ids=["none", "inputs", "labels", "unit", "unit and labels", "gaps"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_each_shift_has_its_name(
    change: Any, shares: list[float], causes: tuple[str, ...], outlook: str, method: str | None, seed: int
) -> None:
    found = diagnosed(change, shares, seed)
    assert found.causes == causes
    assert (found.outlook, found.method) == (outlook, method)
    assert found.shift == bool(causes)
    assert str(found).startswith(found.verdict + "\n")


def in_many_columns(shares: list[float], seed: int) -> tuple[Sides, np.ndarray]:
    """Classes in 200 columns, of which four tell them apart."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=400), rng.choice(4, 150, p=shares)
    x, target = (3 * np.eye(4, 200)[y] + rng.normal(size=(len(y), 200)) for y in labels)
    return (x, labels[0]), target


@pytest.mark.parametrize("seed", [0, 1])
def test_proportions_are_found_in_many_columns(seed: int) -> None:
    source, target = in_many_columns([0.7, 0.1, 0.1, 0.1], seed)
    assert ac.diagnose(source, target).causes == ("proportions",)


def test_what_one_column_alone_shows_is_explained_by_nothing_that_leaves_it_so() -> None:
    """The classifier sees nothing to begin with, so that its seeing nothing afterwards proves nothing."""
    source, target = in_many_columns([0.4, 0.2, 0.2, 0.2], 3)
    target[:, 199] += 1
    found = ac.diagnose(source, target)
    assert found.found.test.columns_p is not None
    assert found.found.test.columns_p < 0.001
    assert "inputs" in found.causes
    assert found.differing[0].name == "feature 199"


def test_a_class_that_the_target_lacks_is_named() -> None:
    found = diagnosed(same, [1 / 3, 1 / 3, 1 / 3, 0.0])
    assert found.absent == ("3",)
    assert "none of “3” seems to be in the target" in found.verdict


def test_a_class_that_the_source_lacks_is_seen_as_that() -> None:
    found = diagnosed(same, [0.2] * 5, apart=8.0)
    assert found.causes == ("outside",)
    assert found.found.outside.share == pytest.approx(0.2, abs=0.06)
    assert "a class which the source lacks" in str(found)
    assert found.outlook == "likely to harm"
    assert found.absent == ()


def test_other_meanings_of_the_same_inputs_cannot_be_seen_and_it_says_so() -> None:
    """The target's classes have changed places: nothing without labels can tell."""
    found = diagnosed(same)
    assert not found.shift
    assert "whether the same inputs mean other classes there" in str(found)


def test_the_factor_of_a_unit_and_what_to_do_are_told() -> None:
    found = diagnosed(in_another_unit)
    assert found.to_mend == ("feature 2",)
    assert found.differing[0].factor == pytest.approx(1000, rel=0.15)
    assert "“feature 2” is about" in str(found)
    assert "acclimate.diagnose" in found.command


def test_false_alarms_are_as_rare_as_they_should_be() -> None:
    """24 worlds without a shift: at 5 % more than four alarms would come about once in forty times."""
    alarms = 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        x, y = blobs(rng, 120, EVEN)
        alarms += ac.diagnose(x, blobs(rng, 80, EVEN)[0], labels=y).shift
    assert alarms <= 4


def test_intervals_hold_the_proportions_that_are() -> None:
    """Of two estimates, 20 worlds and three classes: 95 % on average."""
    held = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = blobs(rng, 300, [1 / 3] * 3, 2.0)
        target, truth = blobs(rng, 200, [0.7, 0.2, 0.1], 2.0)
        model = source_model(x, y, target, 0)
        assert model is not None
        found = proportions(model, rng)
        assert found.differ
        for low, high in ((found.low, found.high), (found.confusion_low, found.confusion_high)):
            held += list((low <= [0.7, 0.2, 0.1]) & (high >= [0.7, 0.2, 0.1]))
        assert found.likely.sum() == pytest.approx(1)
        assert found.likely == pytest.approx(np.bincount(truth) / 200, abs=0.15)
    assert np.mean(held) >= 0.88


def test_classes_that_nothing_tells_apart_leave_proportions_untold() -> None:
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(200, 4)), rng.normal(size=(100, 4))
    found = ac.diagnose(x, target, labels=np.arange(200) % 2)
    assert not found.found.classes_told
    assert "Class proportions of the target: cannot be told." in str(found)


def test_two_classes_that_are_confused_are_warned_of() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(600) % 3
    x = rng.normal(size=(600, 2)) + 4 * (y == 0)[:, None]
    target = np.concatenate([rng.normal(size=(40, 2)) + 4, rng.normal(size=(260, 2))])
    found = ac.diagnose(x, target, labels=y)
    assert found.causes == ("proportions",)
    assert found.to_dict()["proportions"]["well_conditioned"] is False
    assert "confuses some classes so often" in str(found)


def test_labels_of_the_target_change_not_a_bit() -> None:
    rng = np.random.default_rng(0)
    x, y = blobs(rng, 150, EVEN)
    target, truth = blobs(rng, 100, UNEVEN)
    ours = ac.Domain(target, truth, ("0", "1", "2", "3"))
    given = [target, (target, truth), (target, rng.permutation(truth)), ours, ours.unlabelled()]
    said = {json.dumps(ac.diagnose((x, y), one).to_dict()) for one in given}
    assert len(said) == 1


def test_the_same_call_says_the_same_and_names_what_differs_most() -> None:
    one, two = diagnosed(moved), diagnosed(moved)
    assert str(one) == str(two)
    assert one.differing[0].name == "feature 0"
    assert one.examples.target_rows[0] in range(300)


def test_columns_on_one_side_only_are_told_and_left_out() -> None:
    rng = np.random.default_rng(0)
    x, y = blobs(rng, 120, EVEN)
    names = list("abcdef")
    source = pl.DataFrame(x, schema=names).with_columns(note=pl.lit(1.0))
    target = pl.DataFrame(blobs(rng, 80, EVEN)[0], schema=names).with_columns(price=pl.lit(2.0), a=pl.lit(3.0))
    found = ac.diagnose((source, y), target)
    assert found.seen.only_source == ("note",)
    assert found.seen.only_target == ("price",)
    assert found.seen.constant_target == ("a",)
    assert "1 column only the target has: “price”." in str(found)
    with pytest.raises(DataError, match="must have a column in common by name"):
        ac.diagnose((source, y), target.rename({name: name.upper() for name in target.columns}))


def test_many_examples_are_drawn_from_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acclimate.running.diagnosing.MOST", 90)
    found = diagnosed(moved)
    assert found.looked_at == (90, 90)
    assert "90 source and 90 target examples (drawn at random from 400 and 300)" in str(found)
    assert max(found.examples.source_rows) >= 90  # rows are those of the whole side


@pytest.mark.parametrize("size", [8, 64])
def test_images_are_told_by_what_can_be_measured(size: int) -> None:
    """Of 64 pixels they are photos, which thumbnails stand for where no encoder is at hand."""
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    x = rng.integers(0, 100, (80, size, size, 3)).astype(np.uint8)
    x[y == 1, : size // 2] += 100
    target = np.minimum(x[:60] * 1.3, 255).astype(np.uint8)[..., :1]
    found = ac.diagnose(x, target, labels=y)
    assert found.causes == ("inputs",)
    assert "brightness" in [c.name for c in found.differing]
    assert any("thumbnails" in note for note in found.seen.notes) == (size == 64)


def test_texts_are_told_by_words_and_shown() -> None:
    words = ["good", "bad", "fine", "poor", "plain", "long", "short", "old"]
    rng = np.random.default_rng(0)
    y = np.arange(100) % 2
    source = [f"{['bad', 'good'][label]} {' '.join(rng.choice(words, 6))} book" for label in y]
    target = [f"{' '.join(rng.choice(words, 7))} kettle" for _ in range(60)]
    found = ac.diagnose(source, target, labels=y)
    assert {c.name for c in found.differing[:2]} == {"book", "kettle"}
    assert found.method == "ngram-memory"
    assert f"row {found.examples.target_rows[0] + 1}: {target[found.examples.target_rows[0]]}" in str(found)


@pytest.mark.parametrize(
    ("n", "m", "classes", "rule"),
    [
        (100, 29, 2, "target must have at least 30 examples to diagnose; got 29"),
        (20, 100, 2, "source must have at least 30 examples to diagnose; got 20"),
        (100, 100, 1, "must have at least two classes"),
    ],
)
def test_what_nothing_can_be_told_of_is_refused(n: int, m: int, classes: int, rule: str) -> None:
    x = np.random.default_rng(0).normal(size=(n + m, 3))
    with pytest.raises(DataError, match=rule):
        ac.diagnose(x[:n], x[n:], labels=np.arange(n) % classes)


def test_sides_of_different_width_are_refused() -> None:
    x = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.raises(DataError, match="must have the same number of features"):
        ac.diagnose(x, x[:, :2], labels=np.arange(60) % 2)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two arrays as people have them: constants, gaps, huge and tiny numbers, repeats, more columns than rows."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    n, m, d = draw(st.integers(30, 50)), draw(st.integers(30, 50)), draw(st.sampled_from([1, 3, 60]))
    x = rng.normal(size=(n + m, d))
    for column in range(min(d, 3)):
        made = draw(
            st.sampled_from(["as it is", "constant", "gaps", "no target", "no source", "huge", "tiny", "few"])
        )
        known = x[:, column]
        x[:, column] = {
            "as it is": known,
            "constant": np.zeros(n + m),
            "gaps": np.where(known > 0.5, np.nan, known),
            "no target": np.where(np.arange(n + m) >= n, np.nan, known),
            "no source": np.where(np.arange(n + m) < n, np.nan, known),
            "huge": known * 1e30,
            "tiny": known * 1e-30,
            "few": np.round(known),
        }[made]
    classes = draw(st.sampled_from([2, 5, n]))
    return x[:n], np.arange(n) % classes, x[n:]


@settings(max_examples=25)
@given(tables())
def test_whatever_the_numbers_are_there_is_an_answer(sides: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    x, y, target = sides
    found = ac.diagnose(x, target, labels=[f"class {label}" for label in y])
    said = found.to_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert 0 < found.p <= 1
    assert found.verdict == str(found).splitlines()[0]
    assert "nan" not in str(found).split()
