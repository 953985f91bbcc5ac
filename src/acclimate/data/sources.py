"""Several labelled sources as one domain that remembers where each example comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from acclimate.data.alignment import aligned
from acclimate.data.class_names import name_key
from acclimate.data.domain import Domain
from acclimate.data.images import resize, to_channels
from acclimate.data.pairing import check_same_encoder, check_same_kind, renumbered
from acclimate.data.ragged import from_texts, to_texts
from acclimate.data.schema import TableSchema
from acclimate.errors import DataError
from acclimate.types import UNLABELLED


def joined(sources: Sequence[Domain]) -> Domain:
    """Several labelled sources as one domain; each is called by its name.

    Args:
        sources: two or more, with the same classes and the same features. Images are brought to the largest size
            among them, and to colour if some are in colour.

    Raises:
        DataError: if there are fewer, one is empty or has no labels, classes or features differ, or two hold the same
            examples.
    """
    if len(sources) < 2:
        fix = "Give each by a name; a single one is given to fit as it is."
        raise DataError("sources", "must be two or more", len(sources), fix)
    schema = sources[0].schema
    parts = [aligned(part, schema if isinstance(schema, TableSchema) else None) for part in sources]
    for part in parts:
        _check_alone(part)
    for part in parts[1:]:
        _check_alike(parts[0], part)
    for i, part in enumerate(parts):
        _check_new(part, parts[:i])
    return _as_one(parts)


def by_origin(source: Domain) -> tuple[Domain, ...]:
    """The sources that were joined, each with its own name, without examples that have no label.

    Args:
        source: by `joined`, or some examples of it.
    """
    assert source.origins is not None
    labelled = source.labels != UNLABELLED
    return tuple(
        source.take((source.origins == i) & labelled, name=name) for i, name in enumerate(source.origin_names)
    )


def _check_alone(part: Domain) -> None:
    """Refuse a source that nothing can be learnt from, or that cannot be put beside others."""
    if part.is_on_disk:
        fix = "Put all rows into one folder of tables, which is one source; or give each as a table of its own."
        raise DataError(part.name, "must fit into memory beside other sources", f"{len(part):,} rows on disk", fix)
    if not part.num_labelled:
        got = f"{len(part):,} unlabelled examples" if len(part) else "none"
        raise DataError(part.name, "must hold labelled examples, as every source", got, "Label it, or leave it out.")


def _check_alike(first: Domain, other: Domain) -> None:
    """Refuse two sources that no common network can read, or whose classes are not the same.

    Raises:
        DataError: naming both.
    """
    both = f"{first.name} and {other.name}"
    check_same_kind(first, other)
    check_same_encoder(first, other)
    if first.kind == "features" and first.array.shape[1] != other.array.shape[1]:
        widths = f"{first.array.shape[1]} and {other.array.shape[1]} features"
        raise DataError(
            both, "must have the same features, as all sources", widths, "Give the columns that all have."
        )
    ours, theirs = (_present(domain) for domain in (first, other))
    single = [
        f"{domain.name} alone has {', '.join(map(repr, own[:5]))}"
        for domain, own in (
            (first, sorted(name for key, name in ours.items() if key not in theirs)),
            (other, sorted(name for key, name in theirs.items() if key not in ours)),
        )
        if own
    ]
    if single:
        fix = "Name the classes alike, and leave out examples of those that not all sources have."
        raise DataError(both, "must have the same classes, as all sources", "; ".join(single), fix)


def _present(domain: Domain) -> dict[str, str]:
    """The classes that some example has, by what is compared of their names."""
    known = np.unique(domain.labels[domain.labels != UNLABELLED])
    return {name_key(domain.classes[y]): domain.classes[y] for y in known}


def _check_new(part: Domain, before: Sequence[Domain]) -> None:
    same = next((other for other in before if other.content_hash == part.content_hash), None)
    if same is not None:
        fix = "Give it once."
        raise DataError(f"{same.name} and {part.name}", "must hold different examples", "the same in both", fix)


def _as_one(parts: Sequence[Domain]) -> Domain:
    """One domain of all parts, in their order, in the classes of the first."""
    first, classes = parts[0], parts[0].classes
    if first.kind == "text":
        inputs = from_texts([text for part in parts for text in to_texts(part.rows)])
    else:
        inputs = np.concatenate(_of_one_form(parts))  # type: ignore[assignment]  # arrays, or rows of bytes
    ids = all(part.ids for part in parts)
    return replace(
        first,
        inputs=inputs,
        labels=np.concatenate([renumbered(part, classes) for part in parts]),
        name="source",
        ids=tuple(f"{part.name}/{i}" for part in parts for i in part.ids) if ids else (),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        pictures=None,
        detail=None,
        origins=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        origin_names=tuple(part.name for part in parts),
    )


def _of_one_form(parts: Sequence[Domain]) -> list[np.ndarray]:
    """The arrays of all parts; images in the largest size, and in colour if some are."""
    arrays = [part.array for part in parts]
    if parts[0].kind == "features" or len({array.shape[1:] for array in arrays}) == 1:
        return arrays
    channels, side = max(a.shape[3] for a in arrays), max(max(a.shape[1:3]) for a in arrays)
    return [resize(to_channels(array, channels), side) for array in arrays]
