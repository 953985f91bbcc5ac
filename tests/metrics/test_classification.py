import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score
from sklearn.metrics import confusion_matrix as reference

from acclimate.metrics.classification import Examiner, accuracy, confusion_matrix
from acclimate.types import Outputs, PseudoLabels


@given(st.integers(1, 60), st.integers(2, 6), st.integers(0, 999))
def test_scores_agree_with_scikit_learn(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(n, k)), rng.integers(0, k, n)
    predicted = logits.argmax(axis=1)
    assert accuracy(logits, labels) == pytest.approx(accuracy_score(labels, predicted))
    assert np.array_equal(confusion_matrix(predicted, labels, k), reference(labels, predicted, labels=range(k)))


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
