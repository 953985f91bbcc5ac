"""Words' company, against a loop and on a corpus whose answer is known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch

from acclimate.networks.cooccurrence import _information, _near, _one_line, cooccurrence_vectors, topic_vectors


def test_neighbours_count_by_how_near_they_stand() -> None:
    texts = [[3, 4, 2, 5, 1, 3], [4, 4]]  # 2 ends a sentence, 1 is an unknown word
    padded = [torch.tensor([texts[0]]), torch.tensor([[4, 4, 0]])]
    line = _one_line(padded, window=2)
    expected = np.zeros((6, 6))
    for text in texts:
        read = [number if number > 1 else -1 for number in text if number != 2]
        for i, one in enumerate(read):
            for distance in (1, 2):
                if i + distance < len(read) and min(one, read[i + distance]) >= 0:
                    weight = (3 - distance) / 2
                    expected[one, read[i + distance]] += weight
                    expected[read[i + distance], one] += weight
    np.testing.assert_allclose(_near(line, 6, 2).toarray(), expected)


def test_information_is_that_of_the_formula() -> None:
    near = np.array([[0.0, 4, 1], [4, 2, 0], [1, 0, 0]])
    from scipy.sparse import csr_array

    found = _information(csr_array(near)).toarray()
    totals = near.sum(axis=1)
    for u in range(3):
        for v in range(3):
            context = totals[v] ** 0.75 / (totals**0.75).sum()
            value = math.log(near[u, v] / (totals[u] * context)) if near[u, v] else 0.0
            assert found[u, v] == max(0.0, value) or math.isclose(found[u, v], value)


def test_words_in_the_same_company_get_vectors_that_are_near() -> None:
    rng = np.random.default_rng(0)
    # 3 and 4 stand beside 10 to 14, 5 and 6 beside 15 to 19.
    rows = []
    for _ in range(400):
        kind = rng.integers(2)
        word = 3 + 2 * kind + rng.integers(2)
        rows.append(
            [*rng.integers(10 + 5 * kind, 15 + 5 * kind, 3), word, *rng.integers(10 + 5 * kind, 15 + 5 * kind, 3)]
        )
    numbers, vectors = cooccurrence_vectors([torch.tensor(rows)], 20, 4)
    assert np.array_equal(numbers, [3, 4, 5, 6, *range(10, 20)])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    cosine = vectors @ vectors.T
    assert cosine[0, 1] > 0.9
    assert cosine[2, 3] > 0.9
    assert abs(cosine[0, 2]) < 0.3
    again = cooccurrence_vectors([torch.tensor(rows[:100]), torch.tensor(rows[100:])], 20, 4)[1]
    np.testing.assert_array_equal(vectors, again)
    assert all(a < b for a, b in pairwise(numbers))


def test_too_few_words_have_no_vectors() -> None:
    numbers, vectors = cooccurrence_vectors([torch.tensor([[3, 0], [0, 0]])], 5, 4)
    assert len(numbers) == len(vectors) == 0


def test_topics_are_the_singular_vectors_of_words_in_texts() -> None:
    rng = np.random.default_rng(0)
    rows = [[*rng.choice([4, 5, 6, 7] if i % 2 else [7, 8, 9], 6).tolist(), 0, 1] for i in range(40)]
    idf = np.linspace(0.5, 2, 12)
    found, vectors = topic_vectors([torch.tensor(rows[:15]), torch.tensor(rows[15:])], 12, 3, idf)
    assert found.tolist() == [4, 5, 6, 7, 8, 9]
    texts = np.array([[row.count(word) * idf[word] for word in found] for row in rows])
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    _, _, right = np.linalg.svd(texts)
    # Singular vectors are known but for their signs.
    np.testing.assert_allclose(vectors @ vectors.T, right[:3].T @ right[:3], atol=1e-6)


def test_few_words_have_few_topics() -> None:
    numbers, vectors = topic_vectors([torch.tensor([[3, 4], [4, 5], [3, 3]])], 8, 300, np.ones(8))
    assert vectors.shape == (3, 2)
    assert numbers.tolist() == [3, 4, 5]
    assert topic_vectors([torch.tensor([[3, 3]])], 8, 300, np.ones(8))[1].shape[1] == 0
