"""Batches of several sources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from acclimate.data.domain import Domain
from acclimate.data.given_sources import join_sources
from acclimate.data.preprocess import Preprocess
from acclimate.streams.several import SeveralStream
from acclimate.types import UNLABELLED

CPU = torch.device("cpu")


def numbered(start: int, n: int) -> Domain:
    return Domain(np.arange(start, start + n, dtype=np.float32)[:, None], np.arange(n) % 2, ("a", "b"))


def stream(seed: int = 0, labels: tuple[int, ...] = (UNLABELLED,) * 12) -> SeveralStream:
    source = join_sources({"small": numbered(0, 4), "large": numbered(100, 40), "same": numbered(200, 40)})
    target = replace(numbered(300, 12), labels=np.array(labels))
    return SeveralStream(source, target, Preprocess(kind="features", channels=1), 8, seed)


def test_each_source_gives_as_many_examples_with_its_own_labels() -> None:
    drawn = stream()
    for _ in range(5):
        batch = drawn.batch(0.0, CPU)
        for start, examples in zip((0, 100, 200), batch.sources, strict=True):
            numbers = examples.x.flatten().int()
            assert len(numbers) == 8
            assert ((numbers >= start) & (numbers < start + 100)).all()
            assert torch.equal(examples.y, (numbers - start).long() % 2)
        assert (batch.target.y == UNLABELLED).all()
        assert batch.labelled == batch.sources


def test_sources_of_one_size_are_drawn_in_orders_of_their_own() -> None:
    batch = stream().batch(0.0, CPU)
    assert not torch.equal(batch.sources[1].x + 100, batch.sources[2].x)


def test_granted_target_labels_join_what_is_labelled() -> None:
    batch = stream(labels=(0, 1, *(UNLABELLED,) * 10)).batch(0.0, CPU)
    assert (batch.target.y == UNLABELLED).all()
    assert batch.labelled[3] is batch.labelled_target
    assert set(batch.labelled_target.x.flatten().tolist()) == {300, 301}


def test_a_stream_goes_on_where_it_was() -> None:
    one, two = stream(3), stream(3)
    for _ in range(4):
        one.batch(0.0, CPU)
    two.go_to(one.positions())
    ours, theirs = one.batch(0.0, CPU), two.batch(0.0, CPU)
    assert all(torch.equal(a.x, b.x) for a, b in zip(ours.sources, theirs.sources, strict=True))
