"""Several models fitted or asked at once, in threads of one process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

import acclimate as ac
from acclimate.data.synthetic import dimmed_bars, shifted_blobs
from acclimate.training.randomness import seeded
from worlds import TinyNet

QUICK: dict[str, Any] = {"batch_size": 16, "precision": "fp32", "steps": 12}


def fitted(seed: int) -> np.ndarray:
    """Answers of a network with dropout."""
    task = dimmed_bars(60)
    with seeded(0, torch.device("cpu")):  # what draws elsewhere does mix in
        network = TinyNet()
    model = ac.DANN(network=network, seed=seed, **QUICK).fit(task.source, task.target)
    return model.predict_proba(task.target)


def test_seeded_fits_in_threads_give_what_they_give_alone() -> None:
    alone = [fitted(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fitted, range(4)))
    for one, two in zip(alone, together, strict=True):
        assert np.array_equal(one, two)


def test_a_model_answers_many_threads_alike_while_another_is_fitted() -> None:
    task = shifted_blobs(200, shift=1.0)
    model = ac.MCD(**QUICK).fit(task.source, task.target)
    expected = model.predict_proba(task.target)
    other = threading.Thread(target=lambda: ac.MCD(**{**QUICK, "steps": 60}).fit(task.source, task.target))
    other.start()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: model.predict_proba(task.target), range(20)))
    other.join()
    for answer in answers:
        assert np.array_equal(answer, expected)


def test_seeded_draws_take_turns_and_give_the_callers_state_back() -> None:
    device = torch.device("cpu")

    def draws(seed: int) -> torch.Tensor:
        with seeded(seed, device):
            return torch.stack([torch.rand(1) for _ in range(200)])

    before = torch.random.get_rng_state()
    alone = [draws(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for one, two in zip(alone, pool.map(draws, range(8)), strict=True):
            assert torch.equal(one, two)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_error_in_one_thread_leaves_the_turn_to_others() -> None:
    with pytest.raises(ZeroDivisionError), seeded(0, torch.device("cpu")):
        raise ZeroDivisionError
    taken = threading.Event()

    def draw() -> None:
        with seeded(0, torch.device("cpu")):
            taken.set()

    other = threading.Thread(target=draw)
    other.start()
    other.join(60)
    assert taken.is_set()
