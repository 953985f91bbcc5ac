"""Amazon product reviews in five domains, as texts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from acclimate.data.catalog.base import Dataset
from acclimate.data.domain import Domain
from acclimate.data.ragged import from_texts
from acclimate.errors import DataError
from acclimate.types import UNLABELLED

LABELLED, UNLABELLED_FILE = "amazon_reviews_5domains.jsonl.gz", "amazon_unlabelled_5domains.jsonl.gz"
DOMAINS = ("books", "dvd", "electronics", "kitchen", "video")


class AmazonReviews(Dataset):
    """6,000 labelled reviews each of books, dvd, electronics, kitchen and video, and some without labels."""

    name = "amazon_reviews"
    title = "Amazon reviews, five domains"
    licence = "for research"
    source = "Blitzer, Dredze and Pereira (2007), as sampled by Li, Wei, Zhang and Yang (2018)"
    page = "https://www.cs.jhu.edu/~mdredze/datasets/sentiment/"
    classes = ("negative", "positive")
    packed = only_packed = True
    splits = (
        "books",
        "dvd",
        "electronics",
        "kitchen",
        "video",
        "books_unlabelled",
        "dvd_unlabelled",
        "electronics_unlabelled",
        "kitchen_unlabelled",
        "video_unlabelled",
    )
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {
        **dict.fromkeys(DOMAINS, ((LABELLED,),)),
        **dict.fromkeys((f"{domain}_unlabelled" for domain in DOMAINS), ((UNLABELLED_FILE,),)),
    }
    sizes: ClassVar[Mapping[str, int]] = {
        **dict.fromkeys(DOMAINS, 6000),
        "books_unlabelled": 1838,
        "dvd_unlabelled": 1661,
        "electronics_unlabelled": 1071,
        "kitchen_unlabelled": 1375,
        "video_unlabelled": 852,
    }
    traps = (
        "Reviews are repeated, within a domain (video has 4,219 different texts) and across domains: tasks leave "
        "copies out and say how many, except those called amazon_raw.",
        "Unlabelled reviews may be labelled ones without their title: tasks compare ends.",
    )

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one domain; ids say which official part a labelled review is of: `"train 0"`."""
        path = self.official(raw, split)
        wanted = split.removesuffix("_unlabelled")
        labelled = wanted == split
        rows = [row for row in _rows(path, ("label", "split") if labelled else ()) if row["domain"] == wanted]
        labels = np.array([row["label"] for row in rows]) if labelled else np.full(len(rows), UNLABELLED)
        parts = [row["split"] if labelled else "unlabelled" for row in rows]
        ids = tuple(f"{part} {number}" for number, part in enumerate(parts))
        return self.domain(split, from_texts(row["text"] for row in rows), labels, ids)


def _rows(path: Path, further: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The reviews of a file, with text, domain and these further fields.

    Raises:
        DataError: if it is damaged or its lines are no reviews.
    """
    read = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for text in file:
                read += 1
                row = json.loads(text)
                if not isinstance(row["text"], str) or row.get("label", 0) not in (0, 1):
                    raise ValueError("no text, or a label that is neither 0 nor 1")
                if missing := {"domain", *further} - row.keys():
                    raise ValueError(f"no {' and no '.join(sorted(missing))}")
                yield row
    except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError) as error:
        got = f"{type(error).__name__}: {error}, line {read}"
        raise DataError(
            str(path), "must hold one review a line, with text and domain", got, "Get the file again."
        ) from None
