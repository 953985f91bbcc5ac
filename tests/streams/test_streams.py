import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.streams.interleaved import InterleavedStream
from acclimate.streams.order import IndexStream, ordered
from acclimate.streams.pair import PairedStream

CPU = torch.device("cpu")


@given(st.integers(1, 50), st.integers(1, 60), st.integers(0, 3))
def test_batches_have_one_size_and_every_epoch_is_a_permutation(n: int, batch_size: int, seed: int) -> None:
    stream = IndexStream(n, batch_size, (seed,))
    drawn = [next(stream) for _ in range(2 * n // batch_size + 3)]
    assert all(len(batch) == batch_size for batch in drawn)
    flat = np.concatenate(drawn)
    if n < batch_size:  # permutations follow one another
        for start in range(0, len(flat) - n + 1, n):
            assert sorted(flat[start : start + n]) == list(range(n))
    else:  # whole batches of one permutation, its tail dropped
        per_epoch = n // batch_size
        for first in range(0, len(drawn) - per_epoch + 1, per_epoch):
            seen = np.concatenate(drawn[first : first + per_epoch])
            assert len(np.unique(seen)) == len(seen)


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 30))
def test_a_stream_goes_on_exactly_where_it_was(n: int, batch_size: int, steps: int) -> None:
    one, two = IndexStream(n, batch_size, (7,)), IndexStream(n, batch_size, (7,))
    for _ in range(steps):
        next(one)
    two.load_state_dict(one.state_dict())
    for _ in range(5):
        assert np.array_equal(next(one), next(two))


def pair(batch_size: int = 4, seed: int = 0, process: tuple[int, int] = (0, 1), **labels: list[int]) -> PairedStream:
    numbered = np.arange(12, dtype=np.float32)[:, None]
    source = Domain(numbered, np.array(labels.get("source", [0, 1] * 6)), ("a", "b"), "source")
    target = Domain(numbered + 100, np.array(labels.get("target", [-1] * 12)), ("a", "b"), "target")
    preprocess = Preprocess(kind="features", channels=1)
    return PairedStream(source, target, preprocess, batch_size, seed, process)


def test_source_and_target_have_independent_orders() -> None:
    batch = pair(12).batch(0.0, CPU)
    assert not torch.equal(batch.source.x, batch.target.x - 100)
    assert set(batch.source.x.flatten().tolist()) == set(range(12))


def test_target_batches_never_carry_labels_and_given_ones_come_apart() -> None:
    stream = pair(4, target=[1, 0] + [-1] * 10)
    for _ in range(6):
        batch = stream.batch(0.0, CPU)
        assert (batch.target.y == -1).all()
        assert sorted(batch.labelled_target.x.flatten().tolist()) == [100, 101]
        assert torch.equal(batch.labelled_target.y, (batch.labelled_target.x.flatten() == 100).long())
        assert len(batch.labelled) == 2


def test_unlabelled_source_rows_are_never_drawn() -> None:
    stream = pair(3, source=[0, 1, 0, 1] + [-1] * 8)
    seen = torch.cat([stream.batch(0.0, CPU).source.x for _ in range(10)])
    assert set(seen.flatten().tolist()) == {0, 1, 2, 3}


def test_processes_share_one_global_batch() -> None:
    whole = pair(4)
    parts = [pair(4, process=(rank, 2)) for rank in range(2)]
    for _ in range(5):
        expected = whole.batch(0.0, CPU)
        found = [part.batch(0.0, CPU) for part in parts]
        assert torch.equal(expected.source.x, torch.cat([f.source.x for f in found]))
        assert torch.equal(expected.target.x, torch.cat([f.target.x for f in found]))


def test_state_includes_augmentation() -> None:
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 6, 1), dtype=np.uint8)
    source = Domain(images, np.arange(9) % 2, ("a", "b"))
    preprocess = Preprocess(kind="images", size=6, stored=6, channels=1, pad=2, flip=True, mean=(0.5,), std=(0.5,))

    def stream() -> PairedStream:
        return PairedStream(source, source.unlabelled(), preprocess, 4, 0)

    one, two = stream(), stream()
    for _ in range(3):
        one.batch(0.0, CPU)
    two.go_to(one.positions())
    two.set_generators(one.generators())
    a, b = one.batch(0.0, CPU), two.batch(0.0, CPU)
    assert torch.equal(a.source.x, b.source.x)
    assert torch.equal(a.target.x, b.target.x)


@given(st.integers(2, 200), st.integers(2, 64))
def test_an_ordered_pass_keeps_order_in_batches_of_nearly_one_size(n: int, batch_size: int) -> None:
    domain = Domain(np.arange(n, dtype=np.float32)[:, None], np.arange(n), tuple(str(i) for i in range(n)))
    batches = list(ordered(domain, Preprocess(kind="features", channels=1), batch_size, CPU))
    sizes = [len(b) for b in batches]
    assert max(sizes) - min(sizes) <= 1
    assert min(n, batch_size) <= min(sizes) <= max(sizes) < 2 * max(n, batch_size)
    assert torch.cat([b.y for b in batches]).tolist() == list(range(n))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_fixes_the_order(seed: int) -> None:
    one, two = pair(4, seed), pair(4, seed)
    other = pair(4, seed + 10)
    a, b, c = (torch.cat([s.batch(0.0, CPU).source.x for _ in range(3)]) for s in (one, two, other))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def turns(n: int, labelled: int, batch_size: int, process: tuple[int, int] = (0, 1)) -> InterleavedStream:
    """A stream of `n` target examples, numbered from 1000, of which the first so many have the label of parity."""
    numbers = np.arange(n)
    source = Domain(numbers.astype(np.float32)[:, None], numbers % 2, ("a", "b"), "source")
    given_labels = np.where(numbers < labelled, numbers % 2, -1)
    target = Domain((numbers + 1000).astype(np.float32)[:, None], given_labels, ("a", "b"), "target")
    pair = PairedStream(source, target, Preprocess(kind="features", channels=1), batch_size, 0, process)
    return InterleavedStream(pair)


@pytest.mark.parametrize(
    ("n", "labelled", "batch_size", "every"),
    [
        (55_000, 550, 64, 100),  # 1 %: 859.4 batches of all, 8.59 of the labelled
        (55_000, 5_500, 64, 10),
        (55_000, 55_000, 64, 1),
        (55_000, 10, 64, 859),  # one for each class: less than a batch, seen once in every pass over the others
        (640, 1, 64, 10),
        (40, 5, 16, 2),
        (10, 10, 64, 1),  # fewer than a batch
    ],
)
def test_a_labelled_batch_comes_as_often_as_the_share_of_labels_asks_for(
    n: int, labelled: int, batch_size: int, every: int
) -> None:
    stream = turns(n, labelled, batch_size)
    assert stream.every == every
    assert stream.labelled_share == pytest.approx(labelled / n)


@given(st.integers(2, 60), st.integers(1, 60), st.integers(2, 20))
def test_every_rth_step_is_labelled_and_holds_the_labelled_images_as_the_targets(
    n: int, labelled: int, batch_size: int
) -> None:
    labelled = min(n, labelled)
    stream = turns(n, labelled, batch_size)
    size = max(2, min(batch_size, labelled))
    # As near as a whole number can be to how much longer a pass over all examples is than one over the labelled.
    assert abs(stream.every - max(1, (n / batch_size) / max(1, labelled / size))) <= 0.5
    for step in range(1, 3 * stream.every + 1):
        batch = stream.batch(0.0, CPU)
        assert (batch.target.y == -1).all()
        assert len(batch.source) == batch_size
        assert batch.labelled_share == pytest.approx(labelled / n)
        if step % stream.every:
            assert batch.labelled_target is None
            assert len(batch.target) == batch_size
        else:
            assert batch.labelled_target is not None
            assert torch.equal(batch.labelled_target.x, batch.target.x)
            numbers = batch.target.x.flatten().long() - 1000
            assert len(numbers) == size
            assert (numbers < labelled).all()
            assert torch.equal(batch.labelled_target.y, numbers % 2)


@given(st.integers(2, 8), st.integers(2, 40), st.integers(1, 6))
def test_each_labelled_example_is_seen_as_often_as_any_other(batch_size: int, labelled: int, times: int) -> None:
    n = labelled * times
    stream = turns(n, labelled, batch_size)
    counts, batches = np.zeros(n, dtype=int), 0
    size = min(batch_size, labelled)
    per_epoch = labelled // size
    epochs = 3
    while batches < epochs * per_epoch:
        batch = stream.batch(0.0, CPU)
        if batch.labelled_target is not None:
            np.add.at(counts, batch.labelled_target.x.flatten().long().numpy() - 1000, 1)
            batches += 1
    seen = counts[:labelled]
    assert not counts[labelled:].any()
    assert seen.max() <= epochs  # once in every pass over the labelled, at most,
    assert (epochs - seen).sum() == epochs * (labelled % size)  # and left out of it only by an incomplete batch


@pytest.mark.parametrize(("n", "labelled", "batch_size"), [(640, 64, 16), (640, 640, 16), (60, 4, 10)])
def test_in_one_pass_over_the_target_each_label_is_seen_once(n: int, labelled: int, batch_size: int) -> None:
    stream = turns(n, labelled, batch_size)
    batches = [stream.batch(0.0, CPU) for _ in range(round(n / batch_size))]
    seen = torch.cat([b.target.x for b in batches if b.labelled_target is not None]).flatten() - 1000
    assert sorted(seen.tolist()) == list(range(labelled))


@pytest.mark.parametrize("steps", [0, 1, 4, 5, 7])
def test_turns_go_on_exactly_where_they_were(steps: int) -> None:
    one, two = turns(40, 8, 8), turns(40, 8, 8)
    assert one.every == 5
    for _ in range(steps):
        one.batch(0.0, CPU)
    two.go_to(one.positions())
    assert two.positions() == one.positions()
    for _ in range(12):
        a, b = one.batch(0.0, CPU), two.batch(0.0, CPU)
        assert torch.equal(a.source.x, b.source.x)
        assert torch.equal(a.target.x, b.target.x)
        assert (a.labelled_target is None) == (b.labelled_target is None)


def test_without_labels_no_turn_is_labelled() -> None:
    stream = turns(20, 0, 4)
    batches = [stream.batch(0.0, CPU) for _ in range(25)]
    assert all(batch.labelled_target is None for batch in batches)
    assert all(len(batch.target) == 4 for batch in batches)
    assert stream.labelled_share == 0


def test_processes_take_the_same_turns_and_share_each_batch() -> None:
    whole, parts = turns(40, 8, 8), [turns(40, 8, 8, (rank, 2)) for rank in range(2)]
    for _ in range(11):
        expected, found = whole.batch(0.0, CPU), [part.batch(0.0, CPU) for part in parts]
        assert torch.equal(expected.target.x, torch.cat([f.target.x for f in found]))
        assert {f.labelled_target is None for f in found} == {expected.labelled_target is None}
