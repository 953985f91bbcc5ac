import numpy as np
import pytest

from acclimate.data.domain import Domain
from acclimate.data.task import Task
from acclimate.errors import DataError


def images(n: int = 4, side: int = 3, channels: int = 1) -> np.ndarray:
    return np.arange(n * side * side * channels, dtype=np.uint32).astype(np.uint8).reshape(n, side, side, channels)


def domain(labels: list[int], classes: str = "ab", **more: object) -> Domain:
    return Domain(np.zeros((len(labels), 2), np.float32), np.array(labels), tuple(classes), **more)  # type: ignore[arg-type]


def test_labels_default_to_unlabelled() -> None:
    plain = Domain(images())
    assert plain.labels.tolist() == [-1] * 4
    assert plain.num_labelled == 0
    assert plain.kind == "images"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"inputs": np.zeros((2, 3, 3), np.uint8)}, r"must be an array of images .* Add the missing axis"),
        ({"inputs": np.zeros((2, 3, 3, 2), np.uint8)}, "uint8 images with 1 or 3 channels last"),
        ({"inputs": np.zeros((2, 3, 3, 1), np.float32)}, "uint8 images"),
        ({"inputs": np.zeros((2, 3), np.float64)}, "must be float32 features; got float64"),
        ({"inputs": np.array([[0, 1], [np.inf, 0]], np.float32)}, "got inf in row 1, column 0"),
        ({"inputs": images(), "labels": np.zeros(3, int), "classes": ("a",)}, r"must have shape \(4,\)"),
        ({"inputs": images(), "labels": np.array([0, 1, 2, 0]), "classes": ("a", "b")}, "values from 0 to 2"),
        ({"inputs": images(), "labels": np.array([-2, 0, 0, 0]), "classes": ("a",)}, "values from -2 to 0"),
        ({"inputs": images(), "ids": ("one",)}, "must name all 4 examples"),
    ],
)
def test_broken_rules_are_named(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Domain(**arguments)  # type: ignore[arg-type]


def test_equal_content_has_equal_hash_whatever_the_name_or_memory_layout() -> None:
    one = Domain(images(), np.array([0, 1, 0, 1]), ("a", "b"), name="one")
    two = Domain(np.asfortranarray(images()), np.array([0, 1, 0, 1], np.int8), ("x", "y"), name="two")
    assert one.content_hash == two.content_hash
    assert one.content_hash != Domain(images(), np.array([0, 1, 1, 1]), ("a", "b")).content_hash


def test_take_keeps_everything_together() -> None:
    whole = Domain(images(), np.array([0, 1, 0, -1]), ("a", "b"), ids=("p", "q", "r", "s"), notes=("n",))
    part = whole.take(np.array([2, 0]))
    assert part.ids == ("r", "p")
    assert part.labels.tolist() == [0, 0]
    assert np.array_equal(part.inputs[1], whole.inputs[0])
    assert part.notes == ("n",)
    assert whole.take(whole.labels == 1).ids == ("q",)
    assert whole.take(slice(1, 3)).ids == ("q", "r")


def test_a_task_hides_the_targets_labels() -> None:
    task = Task(domain([0, 1]), domain([1, 0, -1]), target_test=domain([1, 1]))
    assert task.target.num_labelled == task.target_test.num_labelled == 0
    assert task.hidden.target.tolist() == [1, 0, -1]
    assert task.hidden.target_test.tolist() == [1, 1]


def test_a_shifted_target_is_hidden_and_numbered_like_the_target() -> None:
    task = Task(domain([0, 1]), domain([0, 1]), target_shifted=domain([0, 1, 1, -1], "ba"))
    assert task.domains()["target_shifted"].num_labelled == 0
    assert task.hidden.target_shifted.tolist() == [1, 0, 0, -1]
    assert "target_shifted" in repr(task.hidden)


def test_classes_are_matched_by_name() -> None:
    task = Task(domain([0, 1], "ab"), domain([0, 1, 2], "cba"))
    assert task.classes == ("a", "b", "c")
    assert task.num_classes == 2
    assert task.hidden.target.tolist() == [2, 1, 0]
    assert any("Only the target has the class 'c'" in note for note in task.notes)


def test_a_class_that_only_the_source_has_is_told() -> None:
    task = Task(domain([0, 1, 2], "abc"), domain([0, 0], "ab"))
    assert any("Only the source has the 2 classes 'b', 'c'" in note for note in task.notes)


def test_an_unlabelled_target_has_no_answers_and_no_budget() -> None:
    task = Task(domain([0, 1]), Domain(np.zeros((3, 2), np.float32)))
    assert task.hidden.target is None
    assert task.classes == ("a", "b")
    with pytest.raises(DataError, match="label_budget needs a target with labels; got 1"):
        task.with_label_budget("1")


def test_a_budget_too_small_for_every_class_is_raised_and_that_is_told() -> None:
    whole = Task(domain([0, 1]), domain([0] * 20 + [1] * 20))
    raised = whole.with_label_budget("0.1%")
    assert raised.target.num_labelled == 2
    assert raised.notes[-1] == "The label budget 0.001 comes to 0 labels; each class has one at least, 2 in all."
    assert whole.with_label_budget("10%").notes == whole.notes


def test_the_label_budget_gives_labels_back_and_only_those() -> None:
    task = Task(domain([0, 1]), domain([0, 0, 0, 1, 1, 1])).with_label_budget(1, seed=3)
    given = task.target.labels >= 0
    assert given.sum() == 2
    truth = np.array([0, 0, 0, 1, 1, 1])
    assert np.array_equal(task.target.labels[given], truth[given])
    assert np.array_equal(task.hidden.target, np.where(given, -1, truth))  # what was given is not scored
    assert sorted(task.target.labels[given]) == [0, 1]


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (domain([-1, -1]), domain([0]), "source must have labels; got 2 unlabelled examples"),
        (domain([0, 0]), domain([0]), "at least two classes"),
        (domain([0, 1]), Domain(["a text", "another"]), "same kind of input"),
        (domain([0, 1]), Domain(np.zeros((0, 2), np.float32)), "at least two examples"),
    ],
)
def test_pairs_that_cannot_work_are_refused(source: Domain, target: Domain, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Task(source, target)


def test_setting_a_source_test_aside_is_stratified_and_told() -> None:
    source = domain([0] * 60 + [1] * 40)
    task = Task(source, domain([0, 1])).with_source_test(seed=1)
    assert [(task.source_test.labels == c).sum() for c in (0, 1)] == [6, 4]
    assert len(task.source) == 90
    assert any("10 of 100 source examples were set aside" in note for note in task.notes)
    few = Task(domain([0] * 60 + [1] * 9), domain([0, 1]))
    kept = few.with_source_test()
    assert kept.source is few.source
    assert kept.source_test is None
    assert "No source examples were set aside to test on" in kept.notes[-1]


def test_parts_of_an_uneven_source_keep_every_class() -> None:
    """1 : 50, and a class of nine, of which nothing can be spared."""
    labels = [0] * 500 + [1] * 10
    task = Task(domain(labels), domain([0, 1])).with_source_test()
    assert np.bincount(task.source_test.labels).tolist() == [50, 1]
    assert np.bincount(task.source.labels).tolist() == [450, 9]
    kept = Task(domain(labels[:-1]), domain([0, 1])).with_source_test()
    assert np.bincount(kept.source.labels).tolist() == [500, 9]
    assert kept.notes[-1].startswith("No source examples were set aside to test on: “b” has 9 of them")
