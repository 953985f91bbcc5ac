"""Amazon's bags of words: a small pack made here, and the real one where it is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.svm import LinearSVC

from acclimate.data import catalog, packs
from acclimate.data.catalog.amazon_bow import AmazonBow
from acclimate.data.tasks import load_task
from acclimate.errors import DataError

RNG = np.random.default_rng(0)


def small_pack(folder: Path) -> dict[str, np.ndarray]:
    """Every part in three rows of six words, in the pack's own form; returns them dense."""
    dense, arrays = {}, {}
    for split in AmazonBow.splits:
        dense[split] = RNG.poisson(0.5, (3, 6)).astype(np.float32)
        rows = csr_array(dense[split])
        arrays |= {f"{split}_{name}": getattr(rows, name) for name in ("data", "indices", "indptr")}
        arrays |= {f"{split}_shape": np.array(rows.shape), f"{split}_y": np.array([0, 1, 1])}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "amazon_bow5000_dann.npz", **arrays)
    return dense


@pytest.fixture
def _any_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AmazonBow, "content_hashes", {})


@pytest.mark.usefixtures("_any_content")
def test_a_pack_gives_dense_counts_and_tasks(tmp_path: Path) -> None:
    dense = small_pack(tmp_path / "features")
    (done,) = packs.import_folder(tmp_path)
    assert (done.gives, done.outcome) == ("amazon_bow", "imported")
    for split in AmazonBow.splits:
        domain = catalog.load("amazon_bow", split)
        np.testing.assert_array_equal(domain.inputs, dense[split])
        assert domain.labels.tolist() == [0, 1, 1]
        assert isinstance(domain.array, np.memmap)
    task = load_task("amazon_bow:dvd-kitchen")
    assert [d.name for d in task.domains().values()] == [
        f"amazon_bow/{part}" for part in ("dvd_train", "kitchen_train", "dvd_test", "kitchen_test")
    ]
    assert task.target.num_labelled == 0


@pytest.mark.usefixtures("_any_content")
@pytest.mark.parametrize(
    ("name", "value"), [("indices", np.array([0, 99])), ("indptr", np.array([0, 1])), ("y", np.array([0, 1, 2]))]
)
def test_a_damaged_pack_is_refused(tmp_path: Path, name: str, value: np.ndarray) -> None:
    small_pack(tmp_path / "features")
    path = tmp_path / "features/amazon_bow5000_dann.npz"
    with np.load(path) as found:
        arrays = {**found, f"books_train_{name}": value}
    np.savez(path, **arrays)
    with pytest.raises(DataError):
        packs.import_folder(tmp_path)


def test_the_real_pack_gives_its_known_accuracy(real_data: Path, tmp_path: Path) -> None:
    """A linear SVM from books to dvd; the pack's README has 78.6 %, on raw counts."""
    data = catalog.dataset("amazon_bow")
    books, dvd = (data.parse(real_data / "features", split) for split in ("books_train", "dvd_test"))
    for split, domain in (("books_train", books), ("dvd_test", dvd)):
        assert domain.content_hash == data.content_hashes[split]
        assert len(domain) == data.sizes[split]
    accuracy = (
        LinearSVC(C=0.01, random_state=0)
        .fit(np.log1p(books.array), books.labels)
        .score(np.log1p(dvd.array), dvd.labels)
    )
    assert 0.77 < accuracy < 0.82
