"""The Multi-Domain Sentiment Dataset: Amazon product reviews in the form that its authors gave them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data.archives import files_in, unpacked
from acclimate.data.catalog.base import Dataset
from acclimate.data.domain import Domain
from acclimate.data.ragged import from_texts
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

PRODUCTS = ("books", "dvd", "electronics", "kitchen")
ARCHIVE, BOOKS = "domain_sentiment_data.tar.gz", "book.unlabeled.gz"
_TREE = (ARCHIVE, "sorted_data_acl")
_REVIEW = re.compile(r"<review>(.*?)</review>", re.DOTALL)


class MultiDomainSentiment(Dataset):
    """1,000 positive and 1,000 negative reviews of each of four kinds of product, and some without labels."""

    name = "multi_domain_sentiment"
    title = "Multi-Domain Sentiment Dataset, version 1"
    licence = "for research"
    source = "Blitzer, Dredze and Pereira (2007)"
    page = "https://www.cs.jhu.edu/~mdredze/datasets/sentiment/index2.html"
    classes = ("negative", "positive")
    splits = (
        "books",
        "dvd",
        "electronics",
        "kitchen",
        "books_unlabelled",
        "dvd_unlabelled",
        "electronics_unlabelled",
        "kitchen_unlabelled",
    )
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        **dict.fromkeys(PRODUCTS, (_TREE,)),
        **dict.fromkeys((f"{product}_unlabelled" for product in PRODUCTS), (_TREE,)),
        "books_unlabelled": ((BOOKS, "book.unlabeled"),),
    }
    sizes: ClassVar[Mapping[str, int]] = dict.fromkeys(PRODUCTS, 2000)
    traps = (
        "Files look like XML and are not: no XML parser reads them, and identifiers are not unique.",
        "Unlabelled books come in a file of their own, beside the archive.",
        "Reviews are repeated, and unlabelled ones may be labelled ones too: tasks leave copies out, and count them.",
        "Unlabelled reviews carry their stars, which are not read.",
    )

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one product's labelled or unlabelled reviews; a text is the title, a full stop, and the review.

        Raises:
            DataError: if a file is not there, damaged, or without reviews.
        """
        path = self.official(raw, split)
        if split in PRODUCTS:
            by_label = [_of_product(path, split, name) for name in self.classes]
            labels = np.repeat(np.arange(len(by_label)), [len(texts) for texts in by_label])
            return self.domain(split, from_texts(chain.from_iterable(by_label)), labels)
        product = split.removesuffix("_unlabelled")
        alone = product == "books"
        texts = _reviews(unpacked(path), str(path)) if alone else _of_product(path, product, "unlabeled")
        return self.domain(split, from_texts(texts), np.full(len(texts), UNLABELLED))


def _of_product(tree: Path, product: str, name: str) -> list[str]:
    """The reviews in `<product>/<name>.review` at any depth; the folder of kitchen is `kitchen_&_housewares`."""
    wanted = re.compile(rf"(^|/){product}(_&_\w+)?/{name}\.review$")
    found = [content for _, content in files_in(tree, lambda member: bool(wanted.search(member)))]
    if len(found) != 1:
        got = "no such file" if not found else f"{len(found)} of them"
        mend = "Get the official files again."
        raise DataError(str(tree), f"must hold one file {product}/{name}.review", got, mend)
    return _reviews(found[0], f"{tree}, {name}.review of {product}")


def _reviews(content: bytes, what: str) -> list[str]:
    """Titles and texts of all reviews of a file, as UTF-8 or, where it is not that, Latin-1.

    Raises:
        DataError: if there are none, the file ends within one, or one has no text.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    blocks = _REVIEW.findall(text)
    if not blocks or len(blocks) != text.count("<review>"):
        got = f"{text.count('<review>'):,} that begin and {len(blocks):,} that end"
        raise DataError(
            what, "must hold reviews between <review> and </review>", got, "Get the official files again."
        )
    return list(_texts(blocks, what))


def _texts(blocks: list[str], what: str) -> Iterator[str]:
    for number, block in enumerate(blocks, start=1):
        title, body = (_field(block, name) for name in ("title", "review_text"))
        if body is None:
            raise DataError(
                what, "must have a <review_text> in each review", f"none in review {number:,}", "Get it again."
            )
        yield f"{title}. {body}" if title else body


def _field(block: str, name: str) -> str | None:
    """What stands between a field's tags, white space around it removed; None if it is not there."""
    found = re.search(rf"<{name}>(.*?)</{name}>", block, re.DOTALL)
    return found[1].strip() if found else None
