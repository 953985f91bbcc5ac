"""Amazon product reviews in four domains, as counts of words and pairs of words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from acclimate.data.catalog.base import Dataset
from acclimate.data.catalog.parsing import checked_labels
from acclimate.data.domain import Domain
from acclimate.errors import DataError

BOW_DOMAINS = ("books", "dvd", "electronics", "kitchen")


class AmazonBow(Dataset):
    """Reviews of books, dvd, electronics and kitchen as counts of the 5,000 most frequent unigrams and bigrams."""

    name = "amazon_bow"
    title = "Amazon reviews, bags of words"
    licence = "for research"
    source = "Blitzer, Dredze and Pereira (2007), as prepared for Chen et al. (2012) and used by Ganin et al. (2016)"
    page = "https://github.com/GRAAL-Research/domain_adversarial_neural_network"
    classes = ("negative", "positive")
    packed = only_packed = True
    splits = (
        "books_train",
        "books_test",
        "dvd_train",
        "dvd_test",
        "electronics_train",
        "electronics_test",
        "kitchen_train",
        "kitchen_test",
    )
    sizes: ClassVar[Mapping[str, int]] = {
        **dict.fromkeys((f"{domain}_train" for domain in BOW_DOMAINS), 2000),
        "books_test": 4465,
        "dvd_test": 3586,
        "electronics_test": 5681,
        "kitchen_test": 5945,
    }
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = dict.fromkeys(
        splits, (("amazon_bow5000_dann.npz",),)
    )
    traps = (
        "These are raw counts, most of them 0, some above 50; at unit variance the rarest words weigh most.",
        "Reviews are repeated: of a domain's test rows 156 to 199 also stand among its training rows, which are "
        "unlabelled where it is the target. The published numbers have them all, and so do tasks.",
        "Three reviews of electronics have none of the 5,000 words.",
    )
    content_hashes: ClassVar[Mapping[str, str]] = {
        "books_train": "f04dc7b2523973c4537f5c24627b67a80c76ae434ed150583959be15163c018b",
        "books_test": "57c5c95806c37be117a11c00de726c6b88329a8e7c6a9d2c8920c3f7ea10c968",
        "dvd_train": "9ad97bce9866271a25016682b61f908c4bfb81f1eb8bd8d08fbae69302aa79c8",
        "dvd_test": "1bedc09b5af3dd12cc422f82085ac5fd79e2862a1ba9eb03929128c7ddb94418",
        "electronics_train": "db1c03963af60fb3fc76727eef59aff8b084ad01575407c59fde150efe4b4f34",
        "electronics_test": "9ca3a823b77c9e170a8551463ea115b41c8642c3cba2335d748fd1e7264d7a6f",
        "kitchen_train": "a2abb508811b6faa7835df0f43e5a008f958a1227b7e2746b2a1085746e7847d",
        "kitchen_test": "c542b7f6eb69cb64981ef2c76b7a24f7b51112f376ca4e47952a79671dde2683",
    }

    def parse(self, raw: Path, split: str) -> Domain:
        """Read one part from the rows in compressed form."""
        path, names = self.official(raw, split), ("data", "indices", "indptr", "shape", "y")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                data, indices, starts, shape, labels = (arrays[f"{split}_{name}"] for name in names)
            counts = csr_array((data, indices, starts), shape=tuple(shape.tolist()))
            counts.check_format(full_check=True)
            dense = counts.toarray().astype(np.float32, copy=False)
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
            rule = f"must hold {', '.join(f'{split}_{name}' for name in names)}: rows in compressed form"
            raise DataError(str(path), rule, got, "Import it again.") from None
        return self.domain(split, dense, checked_labels(labels, len(self.classes), path))
