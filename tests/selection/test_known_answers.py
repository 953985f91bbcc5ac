"""Scores without target labels in worlds whose better model is known, and labels that reach none of them."""

from __future__ import annotations

import numpy as np
import pytest

from acclimate.selection.scores import agreement, balance, confidence, domains, structure, validation

K, M = 4, 400


def world(right: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth `(m,)`, logits `(m, k)` right in that share and as sure as that, and features that lie by answer."""
    rng = np.random.default_rng(seed)
    truth = np.arange(M) % K
    answers = np.where(rng.random(M) < right, truth, (truth + rng.integers(1, K, M)) % K)
    p = np.full((M, K), (1 - right) / (K - 1))
    p[np.arange(M), answers] = right
    features = np.eye(K)[truth] + 0.1 * rng.normal(size=(M, K)) + (1 - right) * rng.normal(size=(M, K))
    return truth, np.log(p), features


GOOD, BAD = world(0.9), world(0.5)
SOURCE = world(0.9, seed=7)
ONE_CLASS = np.log(np.tile([0.97, 0.01, 0.01, 0.01], (M, 1)))


@pytest.mark.parametrize(
    "score",
    [
        confidence.negative_entropy,
        confidence.information,
        confidence.nuclear_norm,
        structure.class_correlation,
        confidence.average_confidence,
        lambda z: confidence.difference_of_confidences(SOURCE[1], SOURCE[0], z),
        lambda z: confidence.thresholded_confidence(SOURCE[1], SOURCE[0], z),
    ],
)
def test_a_model_that_is_as_sure_as_it_is_right_gets_more_for_being_right(score) -> None:  # type: ignore[no-untyped-def]
    assert score(GOOD[1]) > score(BAD[1])


def test_the_difference_of_confidences_of_a_calibrated_model_is_its_accuracy() -> None:
    assert confidence.difference_of_confidences(SOURCE[1], SOURCE[0], BAD[1]) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("score", [confidence.information, confidence.nuclear_norm, structure.class_correlation])
def test_answering_one_class_everywhere_is_seen_by_scores_that_look_for_many(score) -> None:  # type: ignore[no-untyped-def]
    assert score(ONE_CLASS) < score(GOOD[1])


def test_entropy_and_density_do_not_see_it() -> None:
    assert confidence.negative_entropy(ONE_CLASS) > confidence.negative_entropy(GOOD[1])
    assert structure.neighbourhood_density(ONE_CLASS) > structure.neighbourhood_density(GOOD[1])


def test_features_that_lie_by_class_are_seen() -> None:
    for score in (
        lambda w: structure.cluster_information(w[2], w[1].argmax(1), K),
        lambda w: structure.silhouette(w[2], w[1].argmax(1)),
        lambda w: validation.reverse_validation(SOURCE[2], SOURCE[0], w[2], w[1].argmax(1)),
    ):
        assert score(GOOD) > score(BAD)


def test_copies_that_err_apart_agree_as_often_as_their_square_says() -> None:
    copies = [world(0.8, seed)[1] for seed in (1, 2)]
    assert agreement.seed_agreement(copies) == pytest.approx(0.8**2 + 0.2**2 / 3, abs=0.05)


def test_the_consensus_prefers_who_is_right_where_most_are() -> None:
    candidates = [confidence.probabilities(world(right, seed)[1]) for seed, right in enumerate((0.9, 0.8, 0.8, 0.4))]
    shares = agreement.consensus(candidates)
    assert shares.argmax() == 0
    assert shares.argmin() == 3


def test_weights_move_the_source_to_where_the_target_is() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(600, 2)), rng.normal(size=(600, 2)) + np.array([1.0, 0.0])
    distance, weights = domains.discriminability(source, target)
    assert 0.3 < distance < 1.5
    assert np.average(source[:, 0], weights=weights) == pytest.approx(1.0, abs=0.3)
    right = source[:, 0] > 0  # a model that is right on one side of the plane alone
    scores, labels = np.eye(2)[np.where(right, 1, 0)], np.ones(600, int)
    expected = float((target[:, 0] > 0).mean())
    assert validation.source_validation(scores, labels, weights) == pytest.approx(expected, abs=0.08)
    assert validation.deep_embedded_validation(scores, labels, weights) == pytest.approx(expected, abs=0.08)


def test_proportions_that_moved_are_found_and_used() -> None:
    rng = np.random.default_rng(0)
    moved = np.array([0.7, 0.1, 0.1, 0.1])
    labels = {"source": np.arange(2000) % K, "target": rng.choice(K, 2000, p=moved)}
    z = {side: 2 * (np.eye(K)[y] + 0.8 * rng.normal(size=(len(y), K))) for side, y in labels.items()}
    assert np.abs(balance.black_box_proportions(z["source"], labels["source"], z["target"]) - moved).max() < 0.06
    found, posterior = balance.likely_target(z["source"], labels["source"], z["target"])
    assert np.abs(found - moved).max() < 0.05
    plain = (z["target"].argmax(1) == labels["target"]).mean()
    assert (posterior.argmax(1) == labels["target"]).mean() > plain + 0.03


def test_mixtures_and_augmented_examples_count_what_stays() -> None:
    _, z, _ = GOOD
    partners = np.roll(np.arange(M), 1)
    assert agreement.stability(z, z) == 1
    alike, apart = agreement.mixtures(z, z, partners)
    assert (alike, apart) == (1, 1)
    assert agreement.mixtures(z, z[partners], partners)[1] == 0
    same = replace_rows(z)
    assert np.isnan(agreement.mixtures(same, same, partners)[1])


def replace_rows(z: np.ndarray) -> np.ndarray:
    """All rows as the first."""
    return np.tile(z[:1], (len(z), 1))
