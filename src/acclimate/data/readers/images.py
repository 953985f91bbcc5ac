"""A folder of images as a `Domain`: one sub-folder per class, or loose images without labels."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from acclimate.data.cache import Facts, Rows, content_key, recall
from acclimate.data.domain import Domain
from acclimate.data.places import place
from acclimate.data.readers.folders import Listing, Wanted, labels_of, list_files
from acclimate.data.readers.pictures import DECODER, SUFFIXES, Form, Header, decode, read_header, reason
from acclimate.data.readers.wording import some
from acclimate.data.schema import Schema
from acclimate.errors import DataError, RequestError

T = TypeVar("T")

IMAGES = Wanted("images", SUFFIXES)
_SMALL = 64
_PHOTO = 256
_MOST_THREADS = 8
_BLOCK_BYTES = 2**25


def read_images(folder: Path | str, *, name: str | None = None, size: int | None = None) -> Domain:
    """Read `folder/<class>/**/*.jpg` with labels, or a folder of loose images without.

    Images are jpg, jpeg, png, webp or bmp, in any colour mode; they are turned upright by their EXIF orientation,
    put on white where transparent, reduced to eight bits (value >> 8 of 16), and squared: the middle square is
    resized, antialiased, to `size`. They are grey if all of them are, else colour. They are decoded once into a
    memory-mapped cache, found again by the bytes of the files; see `acclimate.data.cache`.

    Args:
        folder: hidden files and files of other kinds in it are left out, and counted in the notes.
        name: what to call the domain; by default the folder's name.
        size: side of the stored images in pixels. By default the largest side that occurs if that is at most 64,
            else 256.

    Returns:
        Images in the order of their paths, which are the ids. Class names are the sub-folders', sorted.
        Files that do not open are listed in the notes.

    Raises:
        RequestError: if there is no such folder, or `size` is not positive.
        DataError: if it holds no image that opens, or both loose images and folders of images.
    """
    if size is not None and size < 1:
        raise RequestError(
            "image_size", "must be at least 1 pixel", size, "Leave image_size out for a size that fits the images."
        )
    images = find_images(folder, name)
    kept = recall(
        content_key(images.digests, {"size": size, "decoder": DECODER}),
        lambda rows: _decode_folder(images.folder, images.files, size, rows),
    )
    return images.domain(kept.rows, Findings.model_validate(kept.facts), kept.notes)


@dataclass(frozen=True)
class ImageFolder:
    """Which images a folder holds, and a digest of each file's bytes.

    Attributes:
        folder: where they are.
        name: what to call them.
        listing: their paths below it, and what else is there.
        digests: by path.
    """

    folder: Path
    name: str
    listing: Listing
    digests: Mapping[str, str]

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the images, sorted."""
        return self.listing.files

    def domain(
        self, inputs: np.ndarray, found: Findings, notes: Sequence[str] = (), schema: Schema | None = None
    ) -> Domain:
        """What was made of the images that open, in their order, with their labels, ids and all there is to note.

        Raises:
            DataError: if none opened.
        """
        ids = tuple(file for file in self.files if file not in found.failed)
        if not ids:
            raise _none_opens(self.folder, found.failed)
        labels, classes, about = labels_of(ids)
        notes = [*self.listing.notes(), *found.notes(), *_duplicate_notes(ids, self.digests), *notes, *about]
        told = tuple(f"{self.name}: {n}" for n in notes)
        detail = found.short_sides[1] if found.short_sides[1] < found.size else None
        return Domain(inputs, labels, classes, self.name, ids, told, schema, detail=detail)


def find_images(folder: Path | str, name: str | None = None) -> ImageFolder:
    """List the images of a folder and read their bytes for a digest; nothing is decoded.

    Raises:
        RequestError: if there is no such folder.
        DataError: if it holds no image, or both loose images and folders of images.
    """
    folder = place(folder, "the folder of images")
    listing = list_files(folder, IMAGES)
    digests = dict(zip(listing.files, _in_threads(lambda file: _digest(folder / file), listing.files), strict=True))
    return ImageFolder(folder, name or folder.resolve().name, listing, digests)


def decode_files(folder: Path, files: Sequence[str], form: Form) -> tuple[np.ndarray, Findings]:
    """Pixels uint8 `(m, size, size, c)` of those files that open, in order, and what was found out about all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `_decode_folder`
        headers, failed = _sort_out(files, _in_threads(lambda file: _attempt(read_header, folder / file), files))
        tried = list(headers)
        outcomes = _in_threads(lambda file: _attempt(lambda path: decode(path, form), folder / file), tried)
        pictures, broken = _sort_out(tried, outcomes)
    pixels = np.stack(list(pictures.values())) if pictures else np.empty((0, *form.shape), np.uint8)
    return pixels, Findings.of([headers[file] for file in pictures], failed | broken, form)


class Findings(BaseModel):
    """What decoding found out.

    Attributes:
        failed: path → reason of each file that gave no image.
        deep: images of 16 bits.
        enlarged: images whose short side is less than that of the stored form.
        kept: images in all.
        short_sides: the smallest and the largest short side, in pixels.
        size: side of the stored form.
    """

    failed: dict[str, str]
    deep: int
    enlarged: int
    kept: int
    short_sides: tuple[int, int]
    size: int

    @classmethod
    def of(cls, headers: Iterable[Header], failed: dict[str, str], form: Form) -> Findings:
        """Sum up the images that were kept and the files that were not."""
        headers = list(headers)
        short = [min(header.sides) for header in headers] or [0]
        return cls(
            failed=failed,
            deep=sum(header.deep for header in headers),
            enlarged=sum(side < form.size for side in short),
            kept=len(headers),
            short_sides=(min(short), max(short)),
            size=form.size,
        )

    @classmethod
    def together(cls, parts: Sequence[Findings]) -> Findings:
        """Those of all parts of one folder, at least one."""
        short = [part.short_sides for part in parts if part.kept] or [(0, 0)]
        return cls(
            failed={file: why for part in parts for file, why in part.failed.items()},
            deep=sum(part.deep for part in parts),
            enlarged=sum(part.enlarged for part in parts),
            kept=sum(part.kept for part in parts),
            short_sides=(min(low for low, _ in short), max(high for _, high in short)),
            size=parts[0].size,
        )

    def notes(self) -> Iterator[str]:
        """What a user should know of it."""
        smallest, largest = self.short_sides
        if self.failed:
            total = self.kept + len(self.failed)
            yield f"{self.kept:,} of {total:,} images were kept; not these: {_reasons(self.failed)}."
        if self.deep:
            yield f"images of 16 bits per pixel: {self.deep:,}; the upper 8 bits were kept (value >> 8)."
        if 2 * self.enlarged > self.kept:
            yield f"{self.enlarged:,} of {self.kept:,} images are smaller than {self.size} pixels and were enlarged."
        if largest > 8 * smallest:
            yield f"sizes differ widely: short sides from {smallest:,} to {largest:,} pixels."


def _digest(path: Path) -> str:
    """Digest of the file's bytes; of the reason if it cannot be read, which decoding will then meet as well."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except OSError as error:
        return reason(error)


def _decode_folder(folder: Path, files: Sequence[str], size: int | None, rows: Rows) -> Facts:
    """Decode all that can be into `rows`. A damaged file has no say in the form the others get."""
    # Pillow warns of odd metadata and large images. What counts is whether the pixels are there.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        headers, failed = _sort_out(files, _in_threads(lambda file: _attempt(read_header, folder / file), files))
        while headers:
            form = _form(headers.values(), size)
            broken = _decode_into(rows, folder, list(headers), form)
            failed |= broken
            headers = {file: header for file, header in headers.items() if file not in broken}
            if headers and _form(headers.values(), size) == form:
                return Findings.of(headers.values(), failed, form).model_dump()
    raise _none_opens(folder, failed)


def _none_opens(folder: Path, failed: Mapping[str, str]) -> DataError:
    return DataError(
        str(folder),
        "must hold images that open",
        f"{len(failed):,} that do not: {_reasons(failed)}",
        "Get the files again, or convert them to .png.",
    )


def _decode_into(rows: Rows, folder: Path, files: Sequence[str], form: Form) -> dict[str, str]:
    """Decode block by block, so that memory stays flat; returns path → reason of the files that failed."""
    failed: dict[str, str] = {}
    rows.begin(len(files), form.shape)
    block = max(1, _BLOCK_BYTES // int(np.prod(form.shape)))
    for start in range(0, len(files), block):
        part = files[start : start + block]
        outcomes = _in_threads(lambda file: _attempt(lambda path: decode(path, form), folder / file), part)
        pictures, broken = _sort_out(part, outcomes)
        failed |= broken
        if pictures:
            rows.append(np.stack(list(pictures.values())))
    return failed


def _form(headers: Iterable[Header], size: int | None) -> Form:
    headers = list(headers)
    largest = max(max(header.sides) for header in headers)
    channels = 1 if all(header.grey for header in headers) else 3
    return Form(size or (largest if largest <= _SMALL else _PHOTO), channels)


def _attempt(work: Callable[[Path], T], path: Path) -> T | Exception:
    try:
        return work(path)
    except Exception as error:  # Pillow raises errors of many types on damaged files
        return error


def _sort_out(files: Sequence[str], outcomes: Iterable[T | Exception]) -> tuple[dict[str, T], dict[str, str]]:
    """Outcomes by file: those that came, and the reasons of those that did not."""
    came: dict[str, T] = {}
    failed: dict[str, str] = {}
    for file, outcome in zip(files, outcomes, strict=True):
        if isinstance(outcome, Exception):
            failed[file] = reason(outcome)
        else:
            came[file] = outcome
    return came, failed


def _in_threads(work: Callable[[str], T], items: Sequence[str]) -> list[T]:
    """`work` on every item, in order. Hashing and decoding let go of the interpreter lock.

    No more threads than read a disk well: each may hold a large picture.
    """
    import joblib

    with ThreadPoolExecutor(min(joblib.cpu_count(), _MOST_THREADS)) as pool:
        return list(pool.map(work, items))


def _duplicate_notes(ids: Sequence[str], digests: Mapping[str, str]) -> Iterator[str]:
    copies: dict[str, list[str]] = {}
    for path in ids:
        copies.setdefault(digests[path], []).append(path)
    repeated = [paths for paths in copies.values() if len(paths) > 1]
    if not repeated:
        return
    extra = sum(len(paths) - 1 for paths in repeated)
    torn = sum(len({path.partition("/")[0] for path in paths}) > 1 for paths in repeated if "/" in paths[0])
    example = " = ".join(repeated[0][:2])
    note = f"files that repeat another byte for byte: {extra:,} of {len(ids):,} (for example {example})"
    yield note + (f"; pictures that stand in more than one class: {torn:,}." if torn else ".")


def _reasons(failed: Mapping[str, str]) -> str:
    return some([f"{file} ({why})" for file, why in failed.items()])
