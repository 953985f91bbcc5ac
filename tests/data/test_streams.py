import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acclimate.data.domain import Domain
from acclimate.data.preprocess import Preprocess
from acclimate.data.streams import IndexStream, PairedStream, ordered

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
