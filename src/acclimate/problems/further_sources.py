"""Further labelled sources, read as the first was, and made one domain with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from acclimate.data.domain import Domain
from acclimate.data.places import place
from acclimate.data.readers import duplicates_between
from acclimate.data.sources import by_origin, joined
from acclimate.errors import DataError, RequestError
from acclimate.runs.request import Request


def read_further(request: Request, first: Domain, side: Callable[..., Domain], *, alike: bool) -> Domain:
    """All sources of a request as one domain that knows where each example comes from.

    Args:
        request: names them.
        first: the first, read.
        side: reads one of a path.
        alike: whether the target has the sources' features.

    Raises:
        RequestError: if the target is one of them, one is named twice, or the method takes one source.
        DataError: if what they hold does not fit together; see `joined`.
    """
    if not alike:
        fix = "Give it one table that holds all rows, or take a method of the same features on both sides."
        rule = f"must be given once for the method {request.method!r}, whose sides have features of their own"
        raise RequestError("source", rule, " and ".join(request.sources), fix)
    _check_paths(request)
    names = _names(request.sources)
    further = [
        replace(side(path, name=f"source {name!r}", like=first, bins=first.bins, white=first.white), name=name)
        for name, path in zip(names[1:], request.more_sources, strict=True)
    ]
    return joined([replace(first, name=names[0]), *further])


def check_no_source(source: Domain, target: Domain) -> None:
    """Refuse a target all of whose examples are those of one of several sources.

    Raises:
        DataError: naming it.
    """
    for part in by_origin(source) if source.origins is not None else ():
        if len(target) and duplicates_between(part, target) == len(target):
            fix = "Leave that source out: what has labels needs no adaptation."
            raise DataError("target", "must be none of the sources", f"the examples of {part.name}", fix)


def _check_paths(request: Request) -> None:
    seen: dict[Path, str] = {}
    for path in request.sources:
        own = place(path, "source").resolve()
        if own in seen:
            raise RequestError("source", "must name different sources", f"{path} twice", "Give each once.")
        seen[own] = path
    if request.target is not None and (same := seen.get(place(request.target, "target").resolve())):
        fix = "Leave that source out: what has labels needs no adaptation."
        raise RequestError("target", "must be none of the sources", same, fix)


def _names(paths: tuple[str, ...]) -> tuple[str, ...]:
    """What to call sources: by their files, or where two are called alike, by their paths."""
    stems = tuple(Path(path).stem or path for path in paths)
    return stems if len(set(stems)) == len(stems) else paths
