"""The user's own data, read side by side: what a problem makes a task of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from acclimate.data.bins import Bins
from acclimate.data.class_names import places_in
from acclimate.data.domain import Domain
from acclimate.data.duplicates import without_copies
from acclimate.data.pairing import check_are_classes, renumbered
from acclimate.data.places import place
from acclimate.data.readers import duplicates_between, holds_texts, read
from acclimate.data.readers.cell_parts import table_files
from acclimate.data.readers.cells import column_names
from acclimate.data.readers.csvs import Dialect
from acclimate.data.readers.sizes import memory_for_data, stay_on_disk
from acclimate.data.readers.wording import no_such_column
from acclimate.data.schema import Schema
from acclimate.errors import DataError, RequestError
from acclimate.inputs.encode import PICTURE
from acclimate.problems.further_sources import check_no_source, read_further
from acclimate.problems.reading import Reading
from acclimate.runs.request import Request
from acclimate.types import UNLABELLED, Side, side_of

_ROLES = ("source", "target", "target_test")

Columns = Callable[[Request, str, str], dict[str, Any]]


@dataclass(frozen=True)
class Own:
    """What was read: both sides, and further target examples if there are any."""

    source: Domain
    target: Domain
    target_test: Domain | None


def read_own(
    request: Request,
    reading: Reading,
    *,
    alike: bool,
    image_size: int | None,
    check: Callable[[Domain], None],
    columns: Columns = lambda request, name, path: {},
) -> Own:
    """Read what a request names.

    Args:
        request: names source, target and perhaps further target examples.
        reading: what data that have to match others are held to.
        alike: whether both sides have the same features; else each has its own.
        image_size: side that folders of images are read at; None leaves it to the reader.
        check: refuses a source before the target is read.
        columns: which columns are meant of the table of that role and path, where not of all alike.

    Raises:
        RequestError: for a path or an option.
        DataError: for what files hold.
    """
    side, white = partial(_read_side, request, image_size, columns), reading.white
    source_path, target_path = _given(request, "source"), _given(request, "target")
    given = side(source_path, name="source", like=reading.like, bins=reading.bins, white=white.get("source"))
    check_are_classes(given)  # before the target is read, which may lack this very column
    check(given)
    if request.more_sources:
        given = read_further(request, given, side, alike=alike)
    source, ranges = _each_once(_of_classes(given, reading)), given.bins
    target = side(target_path, name="target", like=source if alike else None, bins=ranges, white=white.get("target"))
    check_no_source(source, target)
    if not request.target_test:
        return Own(source, target, None)
    like = source if alike else target
    test = side(request.target_test, name="target_test", like=like, bins=ranges, white=target.white)
    return Own(source, target, _each_once(test, source))


def read_target(request: Request, reading: Reading) -> Own:
    """Read a target alone, in the form and the classes of a model's source, which is not there.

    Raises:
        RequestError: for a path or an option.
        DataError: for what files hold.
    """
    side = partial(_read_side, request, asked_size(request), lambda request, name, path: {})
    like, bins, white = reading.like, reading.bins, reading.white.get("target")
    target = side(_given(request, "target"), name="target", like=like, bins=bins, white=white)
    source = replace(target.nothing(reading.classes or (), "source"), bins=target.bins)
    if not request.target_test:
        return Own(source, target, None)
    test = side(request.target_test, name="target_test", like=like, bins=bins, white=white)
    return Own(source, target, _each_once(test))


def _given(request: Request, side: Side) -> str:
    path: str | None = getattr(request, side)
    if path is None:
        raise RequestError(side, "must be given", "nothing", "Give --source and --target, or a public --task.")
    return path


def asked_size(request: Request) -> int | None:
    """Side to read folders of images at, where the reader's own choice would be too small."""
    size = request.asked.image_size or 0
    return round(size * PICTURE / 224) if size > 224 else None


def _of_classes(source: Domain, reading: Reading) -> Domain:
    """A source in the classes that a model knows, some of which it may lack.

    Raises:
        DataError: if it has others.
    """
    if reading.classes is None:
        return source
    known = places_in(reading.classes, source.classes)[:-1]
    if lacking := [name for name, place in zip(source.classes, known, strict=True) if place == UNLABELLED]:
        raise DataError(
            "source",
            f"must hold classes that the model knows: {', '.join(reading.classes[:5])}{', …' * (len(known) > 5)}",
            lacking[:5],
            "Leave these examples out, or train anew without --model.",
        )
    return replace(source, labels=renumbered(source, reading.classes), classes=reading.classes)


def _read_side(
    request: Request,
    image_size: int | None,
    columns: Columns,
    path: str,
    *,
    name: str,
    like: Domain | Schema | None = None,
    bins: int | Bins | None = None,
    white: float | None = None,
) -> Domain:
    """One side of the user's own data; a folder of images at that size."""
    folder = image_size is not None and place(path, name).is_dir() and not holds_texts(place(path, name))
    return read(
        path,
        **request.reading(side_of(name)) | columns(request, name, path),
        name=name,
        like=like,
        image_size=image_size if folder else None,
        bins=bins,
        white=white,
        memory=request.memory,
    )


def with_memory(request: Request) -> Request:
    """The request with how much memory data may take written down, where a table is large enough to stay on disk.

    How much is free may be another number when the run goes on.

    Raises:
        DataError: if a table is none.
        RequestError: if the memory that is asked for is no size.
    """
    if request.memory is not None or not large_sides(request):
        return request
    return request.model_copy(update={"memory": str(memory_for_data(None))})


def large_sides(request: Request) -> dict[str, tuple[Path, ...]]:
    """The tables that stay on disk, by the role of their side; nothing of them is read but their sizes.

    Raises:
        DataError: if a table is none.
        RequestError: if the memory that is asked for is no size.
    """
    of_features = [r for r in _ROLES if request.reading(side_of(r))["text_column"] is None]
    paths = {role: getattr(request, role) for role in of_features}
    files = {role: table_files(str(place(path, role))) for role, path in paths.items() if path}
    return {role: tables for role, tables in files.items() if tables and stay_on_disk(tables, request.memory)}


def large_notes(request: Request) -> list[str]:
    """That a table stays on disk, before hours are spent on reading it."""
    return [
        f"The {role}, {sum(file.stat().st_size for file in files):,} bytes of tables, may take more memory than is "
        "given: it is read part by part, and its features stay on disk."
        for role, files in large_sides(request).items()
    ]


def of_either_side(request: Request, path: str) -> dict[str, tuple[str, ...]]:
    """Those of the columns that are asked for, or left out, which a side of two with different columns has.

    Raises:
        DataError: if neither side has one.
    """
    dialect = Dialect(request.delimiter, request.quoting)
    own, *others = (column_names(place(p, "the table"), dialect) for p in (path, request.source, request.target) if p)
    both = [name for names in others for name in names]
    found = {}
    for option in ("columns", "leave_out"):
        for name in (asked := getattr(request, option)):
            if both and name not in both:
                raise no_such_column(option, "either side", name, both)
        found[option] = tuple(name for name in asked if name in own)
    return found


def _each_once(domain: Domain, *others: Domain) -> Domain:
    """Of texts, those that stand in no other domain, and of copies the first: a split must not tear them apart.

    Raises:
        DataError: if none is left.
    """
    others = tuple(other for other in others if other.kind == "text")
    left = without_copies(domain, others) if domain.kind == "text" else domain
    if not len(left):
        raise DataError(
            domain.name,
            f"must hold texts that do not stand in {' or '.join(other.name for other in others)}",
            f"none among {len(domain):,}",
            "Give others, or leave it out.",
        )
    return left


def duplicate_notes(**domains: Domain | None) -> tuple[str, ...]:
    """One sentence for each pair of roles that share examples which should be apart."""
    pairs = (
        ("source", "target", "the score on them is not a fair one"),
        ("source", "target_test", "the score on them is not a fair one"),
        ("target", "target_test", "training has seen them, if without their labels"),
        ("source", "source_test", "the score on the source is not a fair one"),
    )
    return tuple(
        f"{n:,} {role.replace('_', ' ')} examples stand in the {other} too, so "
        f"{consequence if two.num_labelled else 'training has seen them with their labels'}."
        for other, role, consequence in pairs
        if (one := domains.get(other)) and (two := domains.get(role)) and (n := duplicates_between(one, two))
    )
