"""Bringing an index up to date with a folder of photos: only what is new is encoded, and nothing done is lost."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from acclimate.data.readers.pictures import SUFFIXES, reason
from acclimate.data.readers.wording import some
from acclimate.errors import DataError, MissingExtraError, RequestError
from acclimate.serving.encoder import Encoder
from acclimate.serving.engine import Kind
from acclimate.serving.index import MOST_EXACT, VectorIndex
from acclimate.serving.index_files import HEADER
from acclimate.serving.ledger import NAME, Ledger, has_index
from acclimate.serving.photos import Listing, decode_photos, hash_photos, list_photos

# phase, how much of it is done, and how much there is
Progress = Callable[[str, int, int], None]

# What a power cut may cost of a long build; a save writes the whole index.
_SAVE_SECONDS = 120.0
_SAVE_PHOTOS = 20_000
_OTHER = "Give another folder with --index, or start anew with --rebuild."


@dataclass(frozen=True)
class Update:
    """What became of the photos of a folder.

    Attributes:
        new: photos that were encoded.
        changed: photos that were encoded again, for their content has changed.
        unchanged: photos that are in the index as before.
        removed: photos that are in the index no more, for their content is gone.
        moved: photos that were found under another path: old → new.
        copies: photos that repeat another byte for byte and are not indexed themselves, with that other one.
        failed: photos that could not be indexed, with the reason.
        others: files that are no photos, by suffix.
        left: photos that are still to be done, where work was stopped.
        seconds: how long decoding and encoding took.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    left: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float | None:
        """Photos encoded a second; None where there were none."""
        count = len(self.new) + len(self.changed)
        return count / self.seconds if count and self.seconds else None

    def __str__(self) -> str:
        counts = {name: len(getattr(self, name)) for name in ("new", "changed", "unchanged", "removed", "moved")}
        words = [f"{count:,} {name}" for name, count in counts.items() if count]
        if self.copies:
            words.append(f"{len(self.copies):,} left out as copies")
        return ", ".join(words) or "nothing"


@dataclass
class Sync:
    """One update of one index; the caller holds the folder's lock.

    Args:
        root: the folder of photos, resolved.
        folder: that of the index.
        encoder: of the photos.
        kind: of the index; None for what suits the number of photos.
        rebuild: put a new index in place of the one that is there.
        progress: is told where the work stands.
        stopped: is asked between blocks whether to stop.
    """

    root: Path
    folder: Path
    encoder: Encoder
    kind: Kind | None
    rebuild: bool
    progress: Progress
    stopped: Callable[[], bool]
    _told: Ledger = field(init=False)
    _converted: bool = field(init=False)

    def run(self) -> tuple[VectorIndex, Update]:
        """Read what has changed, then encode what is new.

        Raises:
            RequestError: as `Gallery.build`.
        """
        old = None if self.rebuild or not has_index(self.folder) else open_for(self.folder, self.encoder, _OTHER)
        index = old or VectorIndex(self.encoder.name, self.encoder.width, kind="exact")
        listing = list_photos(self.root)
        if not listing.stamps:
            raise _nothing(self.root, listing)
        known = not self.rebuild and (self.folder / NAME).is_file()
        ledger = Ledger.read(self.folder) if known else None
        hashes, failed = self._hashes(listing, ledger)
        told = self._told = Ledger.of(self.root, listing.stamps, hashes)
        if left := len(listing.stamps) - len(hashes) - len(failed):
            if not self.rebuild and (ledger is None or ledger.root == told.root):
                told.write(self.folder)
            return index, Update(left=left)
        failed |= listing.failed
        names = _by_content(hashes)
        if ledger:
            self._check_root(ledger, index, names)
        index = self._of_kind(index, len(names))
        self._converted = index is not old
        if not self.rebuild:
            told.write(self.folder)
        return self._encode(index, listing, names, failed)

    def _of_kind(self, index: VectorIndex, expected: int) -> VectorIndex:
        """The index in the kind that is asked for, or that it has outgrown."""
        kind = self.kind or ("usearch" if expected > MOST_EXACT else index.kind)
        return index if index.kind == kind else index.converted(kind)

    def _hashes(self, listing: Listing, ledger: Ledger | None) -> tuple[dict[str, str], dict[str, str]]:
        """Digest of every photo by path, sorted, and the reasons of those without; fewer if work was stopped."""
        hashes = ledger.recall(listing.stamps) if ledger else {}
        failed: dict[str, str] = {}
        todo = [name for name in listing.stamps if name not in hashes]
        done = 0
        for block in hash_photos(self.root, todo):
            for name, outcome in block.items():
                if isinstance(outcome, Exception):
                    failed[name] = reason(outcome)
                else:
                    hashes[name] = outcome
            done += len(block)
            self.progress("Reading photos", done, len(todo))
            if self.stopped():
                break
        return dict(sorted(hashes.items())), failed

    def _check_root(self, ledger: Ledger, index: VectorIndex, names: dict[str, list[str]]) -> None:
        """Refuse the photos of another folder: nobody wants to lose an index to a slip of the finger.

        A folder that was moved has most of them still; one below it, or another one, has few or none.
        """
        indexed = set(index.hashes.values())
        kept = len(indexed & names.keys())
        if Path(ledger.root) != self.root and 2 * kept < len(indexed):
            raise RequestError(
                "photos",
                f"must be the folder whose photos are indexed, {ledger.root}",
                f"{self.root}, which has {f'{kept:,}' if kept else 'none'} of these {len(indexed):,}",
                _OTHER,
            )

    def _encode(
        self, index: VectorIndex, listing: Listing, names: dict[str, list[str]], failed: dict[str, str]
    ) -> tuple[VectorIndex, Update]:
        before = dict(index.hashes)
        gone = [name for name, content in before.items() if content not in names]
        index.remove(gone)
        renamed = {
            name: names[content][0]
            for name, content in before.items()
            if content in names and names[content][0] != name
        }
        index.rename(renamed)
        kept = list(index.ids)
        there = set(before.values())
        todo = sorted(paths[0] for content, paths in names.items() if content not in there)
        content_of = {paths[0]: content for content, paths in names.items()}
        index, done, seconds = self._encode_new(index, todo, listing, content_of, failed)
        for name in [name for name in todo if name in failed]:
            failed |= dict.fromkeys(names[content_of[name]], failed[name])
        if not len(index) and done == len(todo):
            raise _nothing(self.root, listing, failed)
        if gone or renamed or todo or self._converted:
            index = self._saved(index)
        was_there = set(gone)
        encoded = [name for name in todo[:done] if name not in failed]
        # A copy that takes the place of one that is still there has not moved.
        moved = {old: new for old, new in renamed.items() if old not in names[before[old]]}
        update = Update(
            new=tuple(name for name in encoded if name not in was_there),
            changed=tuple(name for name in encoded if name in was_there),
            unchanged=tuple(sorted(set(kept) - set(moved.values()))),
            removed=tuple(sorted(was_there.difference(encoded))),
            moved=moved,
            copies={name: paths[0] for paths in names.values() if paths[0] in index for name in paths[1:]},
            failed=dict(sorted(failed.items())),
            others=listing.others,
            left=len(todo) - done,
            seconds=seconds,
        )
        return index, update

    def _encode_new(
        self,
        index: VectorIndex,
        todo: list[str],
        listing: Listing,
        content_of: dict[str, str],
        failed: dict[str, str],
    ) -> tuple[VectorIndex, int, float]:
        """Decode, encode and add; returns the index, how many photos were looked at, and the seconds it took."""
        done, started = 0, time.monotonic()
        saved, unsaved = started, 0
        blocks = decode_photos(self.root, todo, listing.stamps, self.encoder.form("target"))
        # Pillow warns of odd metadata and large images. What counts is whether the pixels are there.
        with closing(blocks), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for block in blocks:
                pictures = {name: found for name, found in block.items() if isinstance(found, np.ndarray)}
                failed |= {name: found for name, found in block.items() if isinstance(found, str)}
                if pictures:
                    failed |= self._add(index, pictures, content_of)
                done, unsaved = done + len(block), unsaved + len(block)
                self.progress("Encoding photos", done, len(todo))
                if self.stopped():
                    break
                if done < len(todo) and (unsaved >= _SAVE_PHOTOS or time.monotonic() - saved >= _SAVE_SECONDS):
                    index = self._saved(index)
                    saved, unsaved = time.monotonic(), 0
        return index, done, time.monotonic() - started

    def _add(self, index: VectorIndex, pictures: dict[str, np.ndarray], content_of: dict[str, str]) -> dict[str, str]:
        """Put encoded pictures in; returns those of which the encoder makes nothing, with the reason."""
        vectors = self.encoder.encode(np.stack(list(pictures.values())), "target")
        sound = has_direction(vectors)
        names = list(pictures)
        taken = [name for name, good in zip(names, sound, strict=True) if good]
        index.add(taken, vectors[sound], [content_of[name] for name in taken])
        return {name: "the run sees nothing in it" for name in names if name not in index}

    def _saved(self, index: VectorIndex) -> VectorIndex:
        """Save the index, and let go of the vectors that are in memory, where they can be mapped instead."""
        if self.rebuild:
            (self.folder / HEADER).unlink(missing_ok=True)
            self._told.write(self.folder)
            self.rebuild = False
        index.save(self.folder)
        return open_for(self.folder, self.encoder, _OTHER) if index.kind == "exact" else index


def has_direction(vectors: np.ndarray) -> np.ndarray:
    """Which of the vectors `(n, d)` an angle can be measured to: finite, and not all zeros."""
    sound: np.ndarray = np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1)
    return sound


def open_for(folder: Path, encoder: Encoder, fix: str) -> VectorIndex:
    """An index for the queries of an encoder.

    Raises:
        RequestError: as `VectorIndex.open`, with this next move.
    """
    try:
        return VectorIndex.open(folder, encoder=encoder.name, width=encoder.width)
    except MissingExtraError:
        raise
    except RequestError as error:
        raise type(error)(error.argument, error.rule, error.got, fix) from None


def reasons(failed: Iterable[tuple[str, str]]) -> list[str]:
    """`more than 40 megapixels: a.png, b.png and 3 more`, for each reason, the most frequent first."""
    by_reason: dict[str, list[str]] = {}
    for name, why in failed:
        by_reason.setdefault(why, []).append(name)
    ranked = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    return [f"{why}: {some(names)}" for why, names in ranked]


def _by_content(hashes: dict[str, str]) -> dict[str, list[str]]:
    """Paths by content, sorted; the first of them stands for all in the index, whatever happened before."""
    names: dict[str, list[str]] = {}
    for name, content in hashes.items():
        names.setdefault(content, []).append(name)
    return names


def _nothing(root: Path, listing: Listing, failed: dict[str, str] | None = None) -> DataError:
    """The refusal of a folder without photos; an index is left as it is, for a disk may just not be mounted."""
    failed = failed or listing.failed
    kinds = Counter(listing.others)
    if failed:
        got = f"{len(failed):,} that do not ({'; '.join(reasons(failed.items())[:3])})"
    elif kinds:
        most = [f"{count:,} {suffix or 'without a suffix'}" for suffix, count in kinds.most_common(5)]
        got = f"files of other kinds ({', '.join(most)})"
    else:
        got = "an empty folder"
    return DataError(
        str(root),
        f"must hold photos that open ({', '.join(SUFFIXES)})",
        got,
        "Check the path and whether the disk is there; convert other formats to .jpg.",
    )
