import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score
from sklearn.metrics import confusion_matrix as reference

from acclimate.metrics.classification import (
    Examiner,
    accuracy,
    balanced_accuracy,
    class_scores,
    confusion_matrix,
    macro_f1,
    recalls,
    uneven,
)
from acclimate.types import Outputs, PseudoLabels


@given(st.integers(1, 60), st.integers(2, 6), st.integers(0, 999))
def test_scores_agree_with_scikit_learn(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(n, k)), rng.integers(0, k, n)
    predicted = logits.argmax(axis=1)
    assert accuracy(logits, labels) == pytest.approx(accuracy_score(labels, predicted))
    assert np.array_equal(confusion_matrix(predicted, labels, k), reference(labels, predicted, labels=range(k)))


@given(st.integers(1, 60), st.integers(2, 6), st.integers(0, 999))
@pytest.mark.filterwarnings("ignore:A single label", "ignore:y_pred contains classes")
def test_scores_that_count_classes_alike_agree_with_scikit_learn(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, predicted = rng.choice(k, n, p=(shares := np.arange(1, k + 1) ** 3) / shares.sum()), rng.integers(0, k, n)
    counts = confusion_matrix(predicted, labels, k)
    assert balanced_accuracy(counts) == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert macro_f1(counts) == pytest.approx(f1_score(labels, predicted, average="macro", zero_division=0))
    there = np.unique(labels)
    expected = recall_score(labels, predicted, labels=there, average=None)
    assert recalls(counts)[there] == pytest.approx(expected)
    assert np.isnan(np.delete(recalls(counts), there)).all()


def test_one_answer_for_all_is_no_better_than_guessing() -> None:
    """1 : 50, and nothing but the large class is ever answered: 98 % accurate, and of one class nothing is found."""
    counts = np.array([[0, 10], [0, 500]])
    assert balanced_accuracy(counts) == 0.5
    assert macro_f1(counts) == pytest.approx(1000 / 1010 / 2)
    assert recalls(counts).tolist() == [0, 1]
    assert math.isnan(balanced_accuracy(np.zeros((2, 2), int)))
    assert math.isnan(macro_f1(np.zeros((2, 2), int)))


def test_uneven_is_over_twice_the_smallest_class_that_is_there() -> None:
    assert not uneven(np.array([10, 20]))
    assert uneven(np.array([10, 21]))
    assert not uneven(np.array([10, 20, 0]))
    assert not uneven(np.array([20, 0]))
    assert not uneven(np.zeros(3, int))


def test_class_scores_are_of_the_roles_whose_labels_are_known() -> None:
    right, wrong = np.eye(2)[[0, 1]], np.eye(2)[[1, 1]]
    seen = {"target": Outputs(right, right), "target_test": Outputs(wrong, wrong), "source": Outputs(right, right)}
    found = class_scores(seen, {"target": np.array([-1, -1]), "target_test": np.array([0, 2])})
    # Of three classes, one of which only the target has, none is found.
    assert found == {"target_test_balanced_accuracy": 0.0, "target_test_macro_f1": 0.0}


def test_unlabelled_examples_are_left_out() -> None:
    logits = np.eye(2)[[0, 1, 0]]
    assert accuracy(logits, np.array([0, -1, 1])) == 0.5
    assert confusion_matrix(np.array([0, 1, 0]), np.array([0, -1, 1]), 2).tolist() == [[1, 0], [1, 0]]
    assert math.isnan(accuracy(logits, np.full(3, -1)))


def test_an_examiner_scores_the_roles_it_has_labels_for_and_every_head() -> None:
    right, wrong = np.eye(2)[[0, 1]], np.eye(2)[[1, 0]]
    seen = Outputs(right, right, {"classifier_1": right, "classifier_2": wrong})
    found = Examiner({"target_test": np.array([0, 1])})({"target_test": seen, "source": seen})
    assert found == {
        "target_test_accuracy": 1.0,
        "target_test_accuracy/classifier_1": 1.0,
        "target_test_accuracy/classifier_2": 0.0,
    }


def test_pseudo_labels_are_counted_where_the_answer_is_known() -> None:
    # Known answers: rows 0 to 3. Right: 0, 1, 3. Kept: 0 and 2 of them, and row 4, whose answer nobody knows.
    examiner = Examiner({"target": np.array([0, 1, 1, 0, -1])})
    pseudo = PseudoLabels(np.array([0, 1, 0, 0, 1]), np.array([True, False, True, False, True]))
    assert examiner({}, pseudo) == {"pseudo_label_accuracy": 0.75, "pseudo_label_accuracy/kept": 0.5}
    none_kept = PseudoLabels(pseudo.labels, np.array([False, False, False, False, True]))
    assert examiner({}, none_kept) == {"pseudo_label_accuracy": 0.75}


def test_pseudo_labels_without_answers_have_no_score() -> None:
    pseudo = PseudoLabels(np.array([0, 1]), np.array([True, True]))
    assert Examiner({"target_test": np.array([0, 1])})({}, pseudo) == {}
    assert Examiner({"target": np.array([-1, -1])})({}, pseudo) == {}
