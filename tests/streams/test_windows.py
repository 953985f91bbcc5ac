"""The order of rows on disk: each once a pass, whole batches, and the same after going back to a position."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acclimate.data import on_disk
from acclimate.data.domain import Domain
from acclimate.data.on_disk import RowsOnDisk
from acclimate.data.preprocess import Preprocess
from acclimate.streams import windows
from acclimate.streams.order import DomainStream
from acclimate.streams.windows import Shape, WindowedOrder

ORDERS = st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.integers(0, 60), st.integers(0, 99))


def order_of(drawn: tuple[int, int, int, int, int]) -> WindowedOrder:
    batch, batches_of_block, window, more, seed = drawn
    return WindowedOrder(batch + more, batch, (seed, 1), Shape(batch * batches_of_block, window))


@given(ORDERS, st.integers(1, 3))
def test_a_pass_draws_each_row_once_but_for_an_incomplete_batch(
    drawn: tuple[int, int, int, int, int], passes: int
) -> None:
    order = order_of(drawn)
    for _ in range(passes):
        rows = np.concatenate([next(order) for _ in range(order.n // order.batch_size)])
        assert len(set(rows.tolist())) == len(rows)
        assert 0 <= rows.min() <= rows.max() < order.n


@given(ORDERS, st.integers(0, 40), st.integers(1, 9))
def test_it_goes_on_from_a_position_though_it_is_cut_otherwise_today(
    drawn: tuple[int, int, int, int, int], before: int, other: int
) -> None:
    order = order_of(drawn)
    for _ in range(before):
        next(order)
    again = WindowedOrder(order.n, order.batch_size, order.seed, Shape(order.batch_size * other, other))
    again.load_state_dict(order.state_dict())
    assert [next(again).tolist() for _ in range(30)] == [next(order).tolist() for _ in range(30)]


def test_far_rows_come_together_in_a_window_and_no_two_passes_are_alike() -> None:
    order = WindowedOrder(10_000, 10, (0, 1), Shape(100, 10))
    window = np.concatenate([next(order) for _ in range(100)])
    assert len(set(window // 100)) == 10
    assert np.ptp(window) > 5_000  # blocks of the whole file
    assert np.abs(np.diff(window // 100)).astype(bool).mean() > 0.8  # and mixed
    for _ in range(900):
        next(order)
    assert not np.array_equal(np.concatenate([next(order) for _ in range(100)]), window)


@pytest.mark.parametrize("chosen", [False, True])
def test_examples_are_those_of_their_indices_whatever_part_a_process_keeps(
    monkeypatch: pytest.MonkeyPatch, chosen: bool
) -> None:
    for module, name, value in ((windows, "BLOCK", 64), (windows, "WINDOW", 256), (on_disk, "_SMALL", 0)):
        monkeypatch.setattr(module, name, value)
    array = np.arange(2 * 500, dtype=np.float32).reshape(500, 2)
    with tempfile.TemporaryDirectory() as folder:
        array.tofile(Path(folder) / "rows")
        domain = Domain(RowsOnDisk(Path(folder) / "rows", 2, 500), np.arange(500) % 7, tuple("abcdefg"))
        domain = domain.take(np.arange(500) % 3 > 0) if chosen else domain
        assert domain.is_on_disk
        preprocess = Preprocess(kind="features", channels=2)
        streams = [DomainStream(domain, preprocess, 4, 0, "source", (rank, 2)) for rank in (0, 1)]
        alone = DomainStream(domain, preprocess, 4, 0, "source")
        for _ in range(300):
            batches = [next(stream) for stream in streams]
            rows = np.concatenate([batch.x[:, 0].numpy() for batch in batches]).astype(int) // 2
            assert (np.concatenate([batch.y.numpy() for batch in batches]) == rows % 7).all()
            assert (next(alone).x[:, 0].numpy() // 2 == rows).all()


@settings(max_examples=20)
@given(st.integers(1, 5_000), st.integers(1, 4_096))
def test_windows_hold_whole_batches_and_little_memory(width: int, batch: int) -> None:
    shape = Shape.of(RowsOnDisk(Path("none"), width, 1), batch)
    assert shape.block % batch == 0
    batch_bytes = 4 * width * batch
    assert 4 * width * shape.block * shape.window <= max(windows.WINDOW, batch_bytes)
