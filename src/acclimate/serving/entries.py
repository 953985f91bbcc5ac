"""What an index knows of its vectors: under which id each stands, and a hash of the content that it was made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from acclimate.errors import RequestError


class Entries:
    """Ids, engine keys and content hashes, each of which leads to the others.

    Attributes:
        keys: the engine's key of every id, in the order of adding.
        hashes: the content's hash of every id, in the same order.
        id_of_key: the way back.
        id_of_hash: likewise; content stands under one id.
        next_key: no vector has had it yet.
    """

    def __init__(self) -> None:
        self.keys: dict[str, int] = {}
        self.hashes: dict[str, str] = {}
        self.id_of_key: dict[int, str] = {}
        self.id_of_hash: dict[str, str] = {}
        self.next_key = 0

    def keys_of(self, ids: Sequence[str]) -> np.ndarray:
        """Keys int64 `(n,)` of n ids that are there."""
        return np.array([self.keys[name] for name in ids], dtype=np.int64)

    def note(self, name: str, content: str, key: int | None = None) -> None:
        """Enter an id with its content's hash, under a key that it had before or the next one."""
        if key is None:
            key, self.next_key = self.next_key, self.next_key + 1
        self.keys[name], self.hashes[name] = key, content
        self.id_of_key[key], self.id_of_hash[content] = name, name

    def forget(self, ids: Sequence[str]) -> list[int]:
        """Strike ids out, and give the keys that they had."""
        keys = [self.keys.pop(name) for name in ids]
        for name, key in zip(ids, keys, strict=True):
            del self.id_of_key[key], self.id_of_hash[self.hashes.pop(name)]
        return keys

    def rename(self, names: Mapping[str, str]) -> None:
        """Give ids that are there new names; two may trade theirs.

        Raises:
            RequestError: if two would have one name. Then nothing has changed.
        """
        renamed = [names.get(name, name) for name in self.keys]
        if len(set(renamed)) < len(renamed):
            twice = next(name for name, times in Counter(renamed).items() if times > 1)
            raise RequestError("names", "must all be different", f"{twice!r} twice", "Remove one of the two first.")
        self.keys = dict(zip(renamed, self.keys.values(), strict=True))
        self.hashes = dict(zip(renamed, self.hashes.values(), strict=True))
        self.id_of_key = {key: name for name, key in self.keys.items()}
        self.id_of_hash = {content: name for name, content in self.hashes.items()}
