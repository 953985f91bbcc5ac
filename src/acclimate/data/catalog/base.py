"""The contract of a public data set: state the facts, then read one split from the official files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from acclimate.data import storage
from acclimate.data.domain import Domain
from acclimate.data.home import arrays_folder, raw_folder
from acclimate.data.ragged import Ragged
from acclimate.errors import AbsentError, DataError, RequestError, UnknownNameError


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An official file on the network.

    Attributes:
        name: what to call it on this machine.
        urls: where it can be had, the best mirror first.
        checksum: `"md5:…"` or `"sha256:…"` of its bytes.
        size: in bytes; 0 if not known.
    """

    name: str
    urls: tuple[str, ...]
    checksum: str
    size: int = 0


class Dataset(ABC):
    """Base of every public data set. Subclass it directly, state the facts below, and define `parse`.

    Class facts, plain literals where discovery is to read them without importing:

    - `name`: what users type.
    - `title`: its name in the literature.
    - `licence`: the terms, as far as its authors state them.
    - `source`: who made it, as one cites it.
    - `page`: where it is described and to be had.
    - `classes`: class names in label order.
    - `splits`: what can be loaded.
    - `needs`: for each split, the official files it is read from; each as the names it may have, the usual one
      first. A split that needs nothing is made on the spot.
    - `files`: what `acclimate data get` downloads; empty where the authors give no stable address.
    - `traps`: what goes wrong with this data set elsewhere, and how it is handled here.
    - `sizes`: how many examples each official split has.
    - `packed`: True if `acclimate data import` can take it from a pack.
    - `only_packed`: True if the files it is read from are packs, made of what its authors published.
    - `optional`: splits that `acclimate data get` leaves out unless asked.
    - `content_hashes`: `Domain.content_hash` by split, or by `"split[:n]"` for its first n examples.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    licence: ClassVar[str]
    source: ClassVar[str]
    page: ClassVar[str] = ""
    classes: ClassVar[tuple[str, ...]]
    splits: ClassVar[tuple[str, ...]]
    needs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = {}
    files: ClassVar[tuple[RemoteFile, ...]] = ()
    traps: ClassVar[tuple[str, ...]] = ()
    sizes: ClassVar[Mapping[str, int]] = {}
    packed: ClassVar[bool] = False
    only_packed: ClassVar[bool] = False
    optional: ClassVar[tuple[str, ...]] = ()
    content_hashes: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def parse(self, raw: Path, split: str) -> Domain:
        """Read one split from the official files in the folder `raw`.

        Raises:
            DataError: if a file is not what the authors published.
        """

    def load(self, split: str) -> Domain:
        """One split: from stored arrays, else from the official files, which are then stored as arrays.

        Nothing is ever downloaded here.

        Raises:
            UnknownNameError: if there is no such split.
            AbsentError: if the data are not on this machine; it says how to get them.
            DataError: if the files on this machine are not the official ones.
        """
        self.check_split(split)
        if self._is_stored(split):
            return storage.load(arrays_folder(self.name, split))
        if self.missing(split):
            raise self._not_here(split)
        return self.store_official(split)

    def store_official(self, split: str) -> Domain:
        """Read one split from the official files and store it, in place of arrays that are stored already.

        Raises:
            DataError: if the files are not the official ones.
        """
        domain = self.parse(raw_folder(self.name), split)
        self._check_size(domain, split)
        self.check_content(domain, split)
        return storage.store(domain, arrays_folder(self.name, split), made_from="official files")

    def is_here(self, split: str) -> bool:
        """True if `load(split)` would find its data on this machine."""
        return self._is_stored(split) or not self.missing(split)

    def stored_examples(self, split: str) -> int | None:
        """How many examples of a split are stored as arrays; None if none are."""
        return int(storage.about(arrays_folder(self.name, split))["examples"]) if self._is_stored(split) else None

    def missing(self, split: str) -> tuple[str, ...]:
        """Official files of a split that are not on this machine, by their usual names."""
        raw = raw_folder(self.name)
        return tuple(names[0] for names in self.needs.get(split, ()) if not any((raw / n).exists() for n in names))

    def official(self, raw: Path, split: str, which: int = 0) -> Path:
        """The official file number `which` of a split, under the first of its names that is present.

        Raises:
            RequestError: if it is there under none of its names.
        """
        names = self.needs[split][which]
        for name in names:
            if (raw / name).exists():
                return raw / name
        raise RequestError(str(raw), f"must contain {' or '.join(names)}", "no such file", self.how_to_get(split))

    def files_of(self, split: str) -> list[RemoteFile]:
        """The files to download for a split, without those that are there under another of their names.

        Raises:
            RequestError: if one is missing that cannot be downloaded.
        """
        found, raw = [], raw_folder(self.name)
        for names in self.needs.get(split, ()):
            remote = next((file for file in self.files if file.name in names), None)
            if any((raw / name).exists() for name in names if remote is None or name != remote.name):
                continue
            if remote is None:
                why = "it comes as a pack" if self.only_packed else "its authors give no lasting address"
                raise RequestError(
                    f"{self.title}, split {split!r},",
                    f"cannot be downloaded, for {why}",
                    f"no {_shown(names[0])} in {raw}",
                    self.how_to_get(split),
                )
            found.append(remote)
        return found

    def how_to_get(self, *splits: str) -> str:
        """Sentences on how to bring splits to this machine."""
        if self.only_packed:
            return "Take it from a folder of packs: acclimate data import FOLDER."
        needs = [names for split in splits for names in self.needs.get(split, ())]
        files = " and ".join(dict.fromkeys(_shown(names[0]) for names in needs))
        ways = []
        if all(any(file.name in names for file in self.files) for names in needs):
            options = "".join(f" --split {split}" for split in splits if split in self.optional)
            ways.append(f"Run: acclimate data get {self.name}{options}.")
        ways.append(
            f"{'Or put' if ways else 'Put'} {files} from {self.page or self.source} into {raw_folder(self.name)}."
        )
        if self.packed:
            ways.append("Or take it from a folder of packs: acclimate data import FOLDER.")
        return " ".join(ways)

    def domain(
        self,
        split: str,
        inputs: np.ndarray | Ragged,
        labels: np.ndarray,
        ids: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Domain:
        """A `Domain` with this data set's classes, named `<data set>/<split>`.

        Raises:
            DataError: if a feature is missing, which a user's own data may lack and published ones do not.
        """
        made = Domain(inputs, labels, self.classes, f"{self.name}/{split}", ids, notes)
        if made.kind == "features" and (lacking := int(np.isnan(made.array).any(axis=1).sum())):
            got, fix = f"none in some of {lacking:,} rows", "Get the official files again."
            raise DataError(made.name, "must have a value in every cell", got, fix)
        return made

    def check_split(self, split: str) -> None:
        """Refuse a split this data set has not.

        Raises:
            UnknownNameError: if there is no such split.
        """
        if split not in self.splits:
            raise UnknownNameError(f"split of {self.name}", split, self.splits)

    def check_content(self, domain: Domain, split: str) -> None:
        """Compare a domain with the known content hashes of the split.

        Raises:
            DataError: if it differs.
        """
        for key, expected in self.content_hashes.items():
            of, _, length = key.removesuffix("]").partition("[:")
            if of != split or len(domain) < int(length or 0):
                continue
            received = (domain.take(slice(int(length))) if length else domain).content_hash
            if received != expected:
                raise DataError(
                    f"{self.name}, {key}",
                    f"must have the content hash {expected}",
                    f"{received} ({len(domain):,} examples)",
                    f"Delete the files in {raw_folder(self.name)} and get them again.",
                )

    def _check_size(self, domain: Domain, split: str) -> None:
        expected = self.sizes.get(split, len(domain))
        if len(domain) != expected:
            raise DataError(
                f"{self.title}, split {split!r},",
                f"must have {expected:,} examples",
                f"{len(domain):,}",
                f"Get all its files again, into {raw_folder(self.name)}.",
            )

    def _is_stored(self, split: str) -> bool:
        """True if arrays are stored and are not those of another version."""
        folder, expected = arrays_folder(self.name, split), self.content_hashes.get(split)
        return storage.is_stored(folder) and expected in (None, storage.about(folder).get("content_hash"))

    def _not_here(self, split: str) -> AbsentError:
        return AbsentError(
            f"{self.title}, split {split!r},",
            "must be on this machine",
            f"no {' and no '.join(map(_shown, self.missing(split)))} in {raw_folder(self.name)}",
            self.how_to_get(split),
        )


def _shown(name: str) -> str:
    """A name as it is shown to users: a folder ends in a slash."""
    return name if "." in name else f"{name}/"
