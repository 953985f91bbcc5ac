"""The Multi-Domain Sentiment Dataset: small files in the official form, and the tasks made of them."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from acclimate.data import archives, catalog
from acclimate.data.catalog.multi_domain_sentiment import ARCHIVE, BOOKS, PRODUCTS, MultiDomainSentiment
from acclimate.data.domain import Domain
from acclimate.data.home import raw_folder
from acclimate.data.ragged import to_texts
from acclimate.data.tasks import find_task, load_task, task_specs
from acclimate.errors import AbsentError, DataError
from acclimate.types import UNLABELLED

BODY = "It heats slowly, & the handle came off after a week of careful use in my kitchen. <br> " * 3
FOLDERS = {product: product for product in PRODUCTS} | {"kitchen": "kitchen_&_housewares"}


def review(title: str, body: str) -> str:
    return (
        f"<review>\n<unique_id>\n0:{title}:x\n</unique_id>\n<unique_id>\n17\n</unique_id>\n<rating>\n1.0\n</rating>\n"
        f"<title>\n{title}\n</title>\n<reviewer>\nA & B\n</reviewer>\n"
        f"<review_text>\n{body}\n</review_text>\n</review>\n"
    )


def official() -> dict[str, bytes]:
    """Twelve reviews of each label and kind of product; some are copies, and some unlabelled ones are labelled."""
    files = {}
    for product, folder in FOLDERS.items():
        for label in ("negative", "positive"):
            own = [review(f"{label} {n}", f"Of {product}, number {n}.") for n in range(12)]
            files[f"sorted_data_acl/{folder}/{label}.review"] = "".join(own).encode()
        files[f"sorted_data_acl/{folder}/unlabeled.review"] = review("None", f"Nobody knows {product}.").encode() * 2
    kitchen = f"sorted_data_acl/{FOLDERS['kitchen']}/"
    files[kitchen + "negative.review"] += (review("Broken!", BODY) * 2 + review("", "Caf\xe9")).encode("latin-1")
    files[kitchen + "unlabeled.review"] += review("", "Sharp.").encode()
    files[kitchen + "unlabeled.review"] += (review("", BODY) + review("", BODY.upper())).encode()
    del files["sorted_data_acl/books/unlabeled.review"]  # which comes in a file of its own
    return files


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(MultiDomainSentiment, "sizes", {})
    folder = raw_folder("multi_domain_sentiment")
    folder.mkdir(parents=True)
    return folder


def write(raw: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(raw / ARCHIVE, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (raw / BOOKS).write_bytes(gzip.compress(review("A chapter", "Unread.").encode()))


def texts(domain: Domain | None) -> list[str]:
    assert domain is not None
    return list(to_texts(domain.rows))


def test_reviews_are_read_with_their_titles_and_labels(raw: Path) -> None:
    write(raw, official())
    kitchen = catalog.load("multi_domain_sentiment", "kitchen")
    assert kitchen.classes == ("negative", "positive")
    assert np.bincount(kitchen.labels).tolist() == [15, 12]
    assert texts(kitchen)[0] == "negative 0. Of kitchen, number 0."
    assert texts(kitchen)[12:15] == [f"Broken!. {BODY.strip()}"] * 2 + ["Café"]
    assert texts(kitchen)[-1] == "positive 11. Of kitchen, number 11."
    unlabelled = catalog.load("multi_domain_sentiment", "dvd_unlabelled")
    assert (texts(unlabelled), unlabelled.labels.tolist()) == (["None. Nobody knows dvd."] * 2, [UNLABELLED] * 2)
    assert texts(catalog.load("multi_domain_sentiment", "books_unlabelled")) == ["A chapter. Unread."]


def test_an_unpacked_release_is_the_same(raw: Path) -> None:
    write(raw, official())
    packed = {
        split: catalog.dataset("multi_domain_sentiment").parse(raw, split) for split in MultiDomainSentiment.splits
    }
    (raw / ARCHIVE).unlink()
    (raw / "book.unlabeled").write_bytes(gzip.decompress((raw / BOOKS).read_bytes()))
    (raw / BOOKS).unlink()
    for name, content in official().items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(content)
    for split, domain in packed.items():
        again = catalog.dataset("multi_domain_sentiment").parse(raw, split)
        assert again.content_hash == domain.content_hash


def test_tasks_leave_copies_out_and_labelled_reviews_among_the_unlabelled(raw: Path) -> None:
    write(raw, official())
    task = load_task("multi_domain_sentiment:books-kitchen")
    assert texts(task.target) == ["None. Nobody knows kitchen.", "Sharp."]  # no labelled one, in whatever letters
    assert task.target_test is not None
    assert len(task.target_test) == 26  # one of 27 occurs twice
    assert (len(task.source), len(task.source_test or ())) == (19, 5)
    assert not {*texts(task.source)} & {*texts(task.source_test)}
    notes = " ".join(task.all_notes)
    assert "1 of 27 texts were left out: 1 repeat another one" in notes
    assert "kitchen_unlabelled: 2 of 5 texts were left out: 2 repeat another one" in notes
    assert "kitchen_unlabelled: 1 of 3 texts were left out: texts of multi_domain_sentiment/kitchen or" in notes
    other = load_task("multi_domain_sentiment:books-kitchen", seed=1)
    assert texts(other.source_test) != texts(task.source_test)


def test_all_twelve_pairs_are_tasks_for_the_default_of_texts() -> None:
    names = [spec.name for spec in task_specs() if spec.name.startswith("multi_domain_sentiment:")]
    assert len(names) == 12
    assert {find_task(name).method for name in names} == {"ngram-memory"}
    with pytest.raises(
        AbsentError, match=r"no domain_sentiment_data\.tar\.gz in .* Put domain_sentiment_data\.tar\.gz"
    ):
        load_task(names[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"negative": b""}, "must hold reviews between <review> and </review>; got 0 that begin and 0 that end"),
        ({"negative": review("a", "b").encode()[:-12] + b"\n"}, "got 1 that begin and 0 that end"),
        (
            {"positive": b"<review>\n<title>\nx\n</title>\n</review>"},
            "<review_text> in each review; got none in review 1",
        ),
        ({"positive": None}, "must hold one file dvd/positive.review; got no such file"),
    ],
    ids=["empty", "cut short", "without a text", "a file that is not there"],
)
def test_damage_is_told(raw: Path, change: dict[str, bytes | None], message: str) -> None:
    files = official()
    for name, content in change.items():
        path = f"sorted_data_acl/dvd/{name}.review"
        files.pop(path) if content is None else files.update({path: content})
    write(raw, files)
    with pytest.raises(DataError) as caught:
        catalog.load("multi_domain_sentiment", "dvd")
    assert message in str(caught.value)


def test_another_number_of_reviews_is_told(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MultiDomainSentiment, "sizes", {"dvd": 2000})
    write(raw, official())
    with pytest.raises(DataError, match="must have 2,000 examples; got 24"):
        catalog.load("multi_domain_sentiment", "dvd")


def test_a_file_that_unpacks_to_too_much_or_is_damaged_is_refused(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(raw, official())
    (raw / BOOKS).write_bytes(gzip.compress(b"<review>" * 100)[:-9])
    with pytest.raises(DataError, match="must be a readable file; got EOFError"):
        catalog.load("multi_domain_sentiment", "books_unlabelled")
    (raw / BOOKS).write_bytes(gzip.compress(b"<review>" * 100))
    monkeypatch.setattr(archives, "unpacked_limit", lambda path: 99)
    with pytest.raises(DataError, match="must unpack to at most 99 bytes"):
        catalog.load("multi_domain_sentiment", "books_unlabelled")
