"""Amazon reviews: small files in the official form, the tasks made of them, and the real ones where they are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from acclimate.data import catalog
from acclimate.data.catalog.amazon_reviews import DOMAINS, LABELLED, UNLABELLED_FILE, AmazonReviews
from acclimate.data.domain import Domain
from acclimate.data.duplicates import tail_key
from acclimate.data.home import raw_folder
from acclimate.data.ragged import to_texts
from acclimate.data.readers import duplicates_between
from acclimate.data.task import Task
from acclimate.data.tasks import find_task, load_task
from acclimate.errors import DataError

BODY = "the pan is heavy, it heats slowly and the handle came off after a week of careful use in my kitchen. " * 3
OTHER = "the story goes on and on and the reader never learns why anybody in it does what they do there. " * 3


def review(domain: str, split: str, label: int, text: str) -> dict[str, object]:
    return {"text": text, "label": label, "domain": domain, "split": split}


LABELLED_ROWS = [
    review("books", "train", 1, "A fine book. I liked it"),
    review("books", "train", 0, "A poor book. I hated it"),
    review("books", "train", 1, "a FINE  book. I liked it"),  # a copy
    review("kitchen", "train", 0, f"Broken!. {BODY}"),
    review("books", "test", 0, "A fine book. I liked it"),  # stands in the training part
    review("books", "test", 1, "Ünï <b>code</b> \u2028 😀. A test"),
    review("kitchen", "test", 1, "A fine book. I liked it"),  # stands in the other domain's training part
    review("kitchen", "test", 1, "Sharp knife. Cuts well"),
    review("kitchen", "test", 1, "Sharp knife. Cuts well"),
]
UNLABELLED_ROWS = [
    {"text": BODY, "domain": "kitchen"},  # a labelled one without its title
    {"text": BODY.upper(), "domain": "kitchen"},
    {"text": OTHER, "domain": "kitchen"},
    {"text": f"Boring. {OTHER}", "domain": "kitchen"},
    {"text": "A spoon.", "domain": "kitchen"},
    {"text": "A chapter.", "domain": "books"},
]

Write = Callable[..., None]


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Write:
    """Puts official files in place."""
    monkeypatch.setattr(AmazonReviews, "sizes", {})

    def official(name: str, rows: list[dict[str, object]] | bytes) -> None:
        folder = raw_folder("amazon_reviews")
        folder.mkdir(parents=True, exist_ok=True)
        lines = rows if isinstance(rows, bytes) else "\n".join(map(json.dumps, rows)).encode()
        (folder / name).write_bytes(gzip.compress(lines))

    official(LABELLED, LABELLED_ROWS)
    official(UNLABELLED_FILE, UNLABELLED_ROWS)
    return official


def texts(domain: Domain | None) -> list[str]:
    assert domain is not None
    return list(to_texts(domain.rows))


def test_a_domain_is_read_with_labels_and_parts(write: Write) -> None:
    books = catalog.load("amazon_reviews", "books")
    assert texts(books) == [row["text"] for row in LABELLED_ROWS if row["domain"] == "books"]
    assert books.labels.tolist() == [1, 0, 1, 0, 1]
    assert books.classes == ("negative", "positive")
    assert books.ids == ("train 0", "train 1", "train 2", "test 3", "test 4")
    unlabelled = catalog.load("amazon_reviews", "kitchen_unlabelled")
    assert (len(unlabelled), unlabelled.num_labelled, unlabelled.ids[0]) == (5, 0, "unlabelled 0")
    again = catalog.load("amazon_reviews", "books")
    assert isinstance(again.rows.values, np.memmap)
    assert again.content_hash == books.content_hash


def test_a_task_has_no_copy_and_no_review_without_its_title(write: Write) -> None:
    task = load_task("amazon:books-kitchen")
    assert texts(task.source) == ["A fine book. I liked it", "A poor book. I hated it"]
    assert len(texts(task.source_test)) == 1
    assert texts(task.target_test) == [f"Broken!. {BODY}", "Sharp knife. Cuts well"]
    assert texts(task.target) == [OTHER, "A spoon."]
    notes = " ".join(task.all_notes)
    assert "1 of 3 texts were left out: 1 repeat another one." in notes
    assert "2 of 4 texts were left out: 1 repeat another one and 1 stand in" in notes
    assert "3 of 5 texts were left out: 1 repeat another one and 2 stand in" in notes
    assert task.hidden is not None
    assert task.hidden.target is None
    assert task.hidden.target_test is not None
    assert task.hidden.target_test.tolist() == [0, 1]
    assert task.target_test is not None
    assert task.target_test.num_labelled == 0


def test_the_transductive_task_sees_what_it_is_scored_on_and_the_published_one_keeps_copies(write: Write) -> None:
    seen = load_task("amazon_transductive:books-kitchen")
    assert texts(seen.target) == [f"Broken!. {BODY}", "Sharp knife. Cuts well"]
    assert seen.target_test is None
    raw = load_task("amazon_raw:books-kitchen")
    assert (len(raw.source), len(raw.target), len(texts(raw.target_test))) == (3, 5, 4)


def test_reviews_are_done_by_what_does_them_best_where_no_method_is_named() -> None:
    assert find_task("amazon:dvd-video").method == "ngram-memory"
    assert find_task("mnist-usps").method == "mcd"


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b'{"text": "a"', "line 1"),
        (b'{"text": "a", "domain": "books", "label": 2, "split": "train"}', "neither 0 nor 1"),
        (b'{"text": 5, "domain": "books", "label": 1, "split": "train"}', "no text"),
        (b'{"text": "a", "label": 1}', "no domain and no split"),
        (b'{"text": "a", "domain": "books", "split": "train"}', "no label"),
        (b"[1]", "line 1"),
        (b'{"text": "\xff"}', "UnicodeDecodeError"),
        (b"[" * 100_000, "RecursionError"),
    ],
)
def test_damaged_files_are_refused(write: Write, content: bytes, got: str) -> None:
    write(LABELLED, content)
    with pytest.raises(DataError, match=f"must hold one review a line, with text and domain; got .*{got}"):
        catalog.load("amazon_reviews", "books")


def test_a_file_cut_short_is_refused(write: Write) -> None:
    path = raw_folder("amazon_reviews") / LABELLED
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="must hold one review a line.*Get the file again"):
        catalog.load("amazon_reviews", "books")


@pytest.fixture(scope="module")
def real(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with the real files; `real_data` skips where they are not."""
    home = tmp_path_factory.mktemp("reviews")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCLIMATE_DATA", str(home))
        raw_folder("amazon_reviews").mkdir(parents=True)
        for name in (LABELLED, UNLABELLED_FILE):
            (raw_folder("amazon_reviews") / name).symlink_to(real_data / "text" / name)
    return home


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def keys(domain: Domain | None) -> set[str]:
    return {tail_key(text) for text in texts(domain)}


def test_the_real_reviews(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(real))
    different = {}
    for name in DOMAINS:
        domain = catalog.load("amazon_reviews", name)
        assert np.bincount(domain.labels).tolist() == [3000, 3000]
        assert sum(number.startswith("train") for number in domain.ids) == 5600
        different[name] = len({text.casefold() for text in texts(domain)})
    assert different["video"] < 4_300
    assert all(5_650 < n < 5_900 for name, n in different.items() if name != "video")


def test_no_real_task_leaks(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_DATA", str(real))
    task: Task = load_task("amazon:dvd-video")
    assert task.source_test is not None
    assert task.target_test is not None
    for one, two in (
        (task.source, task.source_test),
        (task.source, task.target_test),
        (task.source_test, task.target_test),
        (task.source, task.target),
        (task.target_test, task.target),
    ):
        assert duplicates_between(one, two) == 0
    assert not keys(task.target) & (keys(task.target_test) | keys(task.source))
    scored = [letters(text) for domain in (task.target_test, task.source) for text in texts(domain)]
    unlabelled = [own for text in texts(task.target) if len(own := letters(text)) >= 20]
    assert not [own for own in unlabelled if any(text.endswith(own) for text in scored)]
    assert len(task.target_test) < 4_219
    assert any("stand in" in note for note in task.target_test.notes)
